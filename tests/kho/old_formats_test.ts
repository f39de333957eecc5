/** Formats of kernels that the tests cannot boot: encoded from the sources, decoded, reported. */
import assert from "node:assert/strict";
import { khoText } from "../../commands/output/kho_text.ts";
import { decode_bitmap_map, encode_bitmap_map } from "../../lib/kho/bitmap_map.ts";
import { encode_capture } from "../../lib/kho/capture.ts";
import { KhoError } from "../../lib/kho/kho_error.ts";
import { decode_kho_v1, encode_kho_v1 } from "../../lib/kho/kho_v1.ts";
import { encode_kho_v2 } from "../../lib/kho/kho_v2.ts";
import { LUO_6_19 } from "../../lib/kho/luo_v1.ts";
import { decode_memfd_v1, encode_memfd_v1, type MemfdV1 } from "../../lib/kho/memfd_v1.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { Pages, read } from "../../lib/kho/kept_memory.ts";
import { encode_map } from "../../lib/kho/preserved_map.ts";
import { report_memory } from "../../lib/kho/report.ts";
import { report_bytes } from "../../lib/kho/report_source.ts";
import { words } from "../../lib/kho/struct_fields.ts";
import { map } from "./machine.ts";
import { FDT, forms, handover, MAP, memfd } from "./old_machine.ts";

const said = (message: RegExp) => (error: unknown) =>
  error instanceof KhoError && message.test(error.message);
Deno.test("6.19 and the series: a report has everything of the handover", async () => {
  for (const [dialect, form] of forms) {
    const pages = handover(dialect, form);
    const report = report_memory(pages, FDT);
    assert.equal(report.kho?.format, "kho-v1");
    assert.deepEqual(report.kho.blobs, [{ name: "LUO", address: "0x2000" }]);
    assert.equal(report.preserved?.mapPages, 5);
    assert.equal(report.preserved?.bytes, 9 * PAGE_SIZE + 3 * 2 ** 21);
    assert.equal(report.luo?.format, `luo-v1, ${dialect.compatible}`);
    assert.equal(report.luo.liveupdateNumber, "4");
    const file = { token: "9", handler: "memfd-v1", data: "0x8000", size: 8192, position: 7, folios: 2 };
    assert.deepEqual(report.luo.sessions, [{ name: "vm0", files: [file] }, { name: "empty", files: [] }]);
    const flbs = form === "6.19" ? undefined : [{ name: "an-flb-v1", data: "0x10", files: "1" }];
    assert.deepEqual(report.luo.flbs, flbs);
    assert.match(khoText(report), /^LUO +luo-v1, luo-session-v[12], live update 4, 2 sessions$/m);
    const bytes = await encode_capture({ fdt: FDT, made: "here", pages });
    assert.deepEqual(await report_bytes(bytes), report);
  }
});

Deno.test("the tree and LUO's blob alone are recognized by their formats", async () => {
  const pages = handover(LUO_6_19, "6.19");
  const tree = await report_bytes(read(pages, FDT, PAGE_SIZE, "tree"));
  assert.equal(tree.kho?.format, "kho-v1");
  const blob = await report_bytes(read(pages, 0x2000n, PAGE_SIZE, "LUO"));
  assert.equal(blob.luo?.format, "luo-v1, luo-session-v2");
  assert.match(blob.notes.join(), /sessions begin at 0x3000/);
});

Deno.test("kho-v2 has the map of kho-v4", () => {
  const pages = handover(LUO_6_19, "6.19");
  const radix = map();
  encode_map(pages, radix);
  const blobs = [{ name: "LUO", address: 0x2000n, size: 0n }];
  pages.write(FDT, encode_kho_v2({ map: radix.nodes[0]?.address ?? 0n, blobs }));
  const { kho, preserved } = report_memory(pages, FDT);
  assert.equal(kho?.format, "kho-v2");
  assert.equal(preserved?.mapPages, radix.nodes.length);
});

Deno.test("kho-v1: a tree of another format is refused", () => {
  const bytes = encode_kho_v1({ map: 0n, blobs: [] }, "kho-v9");
  assert.throws(() => decode_kho_v1(bytes), said(/its format is "kho-v9", not "kho-v1"/));
  const pages = new Pages();
  pages.write(FDT, bytes);
  assert.throws(() => report_memory(pages, FDT), said(/"kho-v9"; known are kho-v4, kho-v2, kho-v1/));
});

Deno.test("kho-v1's map: chunks have the kernel's bytes; cycles, wrong counts and orders, and overlaps are refused", () => {
  const fresh = () => {
    const pages = new Pages();
    encode_bitmap_map(pages, MAP);
    return pages;
  };
  const head = read(fresh(), 0x20_0000n, 32, "chunk").toHex();
  assert.equal(head, "0020200000000000" + "00000000" + "01000000" + "0000000000000000" + "0010200000000000");
  assert.deepEqual(decode_bitmap_map(fresh(), 0x20_0000n), MAP);
  assert.deepEqual(decode_bitmap_map(fresh(), 0n), { chunks: [], ranges: [] });
  for (
    const [address, bytes, message] of [
      [0x20_2000n, words(0x20_0000n), /page at 0x200000 is in it twice/],
      [0x20_200cn, Uint8Array.of(0, 1, 0, 0), /256 bitmaps in one chunk/],
      [0x20_2008n, Uint8Array.of(11), /blocks of order 11/],
      [0x20_2010n, words(0x1000n), /no blocks of order 9 begin at 0x1000/],
      [0x20_3000n, Uint8Array.of(1), /overlap/],
      [0x20_2018n, words(0x20_1000n), /twice/],
      [0x20_2018n, words(0x99_9000n), /no memory/],
    ] as const
  ) {
    const pages = fresh();
    pages.write(address, bytes);
    assert.throws(() => decode_bitmap_map(pages, 0x20_0000n), said(message));
  }
  const range = { address: 2n ** 40n, order: 9, count: 1 };
  assert.throws(() => encode_bitmap_map(new Pages(), { ...MAP, ranges: [range] }), said(/no bitmap for/));
});

Deno.test("memfd-v1: both forms decode to what was encoded; they differ in the place of the pfn", () => {
  for (const [, form] of forms) {
    const pages = new Pages();
    pages.write(0x8000n, new Uint8Array(PAGE_SIZE));
    encode_memfd_v1(pages, 0x8000n, memfd(form));
    assert.deepEqual(decode_memfd_v1(pages, 0x8000n, "it"), memfd(form));
    const first = read(pages, 0xa000n, 8, "folio").toHex();
    assert.equal(first, form === "6.19" ? "0002000000003000" : "0300200000000000");
  }
});

Deno.test("memfd-v1: an empty file of the series has no folios in its tree", () => {
  const pages = new Pages();
  pages.write(0x8000n, new Uint8Array(PAGE_SIZE));
  const area = { first: 0n, total_pages: 0, flags: 0, order: 0, chunks: [] };
  const empty: MemfdV1 = { form: "series v6", position: 0n, size: 0n, folios: [], area };
  encode_memfd_v1(pages, 0x8000n, empty);
  assert.deepEqual(decode_memfd_v1(pages, 0x8000n, "it"), empty);
  assert.ok(!new TextDecoder().decode(read(pages, 0x8000n, 400, "it")).includes("folios"));
});
