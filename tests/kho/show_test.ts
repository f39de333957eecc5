/** Reports of a handover: from memory, from files, and as text. */
import assert from "node:assert/strict";
import { khoText } from "../../commands/output/kho_text.ts";
import { decode_capture, encode_capture } from "../../lib/kho/capture.ts";
import { KhoError } from "../../lib/kho/kho_error.ts";
import { encode_kho_v4 } from "../../lib/kho/kho_v4.ts";
import { encode_kexec_metadata } from "../../lib/kho/kexec_metadata.ts";
import { encode_luo_v5 } from "../../lib/kho/luo_v5.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { read } from "../../lib/kho/kept_memory.ts";
import { report_blobs, report_memory } from "../../lib/kho/report.ts";
import { report_bytes } from "../../lib/kho/report_source.ts";
import { machine, PLACES } from "./machine.ts";

const said = (message: RegExp) => (error: unknown) =>
  error instanceof KhoError && message.test(error.message);
/** The bytes with one name in place of another of the same length. */
function renamed(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const at = new TextDecoder("latin1").decode(bytes).indexOf(from);
  const changed = bytes.slice();
  changed.set(new TextEncoder().encode(to), at);
  return changed;
}

const capture = () => encode_capture({ fdt: PLACES.fdt, made: "here", pages: machine() });

Deno.test("a report has everything of a handover", () => {
  const { luo, metadata, preserved } = report_memory(machine(), PLACES.fdt);
  assert.deepEqual(metadata, { previousRelease: "7.3.4", kexecCount: 3 });
  assert.equal(preserved?.bytes, (512 + 10 + 1) * PAGE_SIZE);
  assert.deepEqual(luo?.sessions?.[0], {
    name: "vm0",
    files: [{
      token: "18446744073709551615",
      handler: "memfd-v2",
      data: "0x8000",
      size: 8192,
      position: 7,
      seals: 0,
      folios: 2,
    }],
  });
  assert.deepEqual(luo?.flbs, [{ name: "test-flb-v1", data: "0x5", files: "2" }]);
});

Deno.test("a capture gives the same report as the memory that it was made from", async () => {
  const bytes = await capture();
  assert.deepEqual((await decode_capture(bytes)).pages.addresses(), machine().addresses());
  assert.deepEqual(await report_bytes(bytes), report_memory(machine(), PLACES.fdt));
});

Deno.test("a report can be made from the tree alone, or from one blob", async () => {
  const pages = machine();
  const tree = await report_bytes(read(pages, PLACES.fdt, PAGE_SIZE, "tree"));
  assert.deepEqual(tree.kho?.blobs.map(({ name }) => name), ["LUO", "kexec-metadata"]);
  const luo = await report_bytes(read(pages, PLACES.luo, 32, "LUO"));
  assert.equal(luo.luo?.liveupdateNumber, "3");
  assert.match(luo.notes[0] ?? "", /sessions begin at 0x4000/);
  assert.equal((await report_bytes(read(pages, PLACES.metadata, 73, "m"))).metadata?.kexecCount, 3);
});

Deno.test("a broken blob from debugfs becomes a note, and the others are reported", () => {
  const blobs = new Map([
    ["LUO", encode_luo_v5({ liveupdate_number: 1n, sessions_pa: 0n, flbs_pa: 0n }).with(5, 57)],
    ["kexec-metadata", encode_kexec_metadata({ previous_release: "7.3.4", kexec_count: 0 })],
    ["memblock", new Uint8Array(10)],
  ]);
  const report = report_blobs(undefined, blobs);
  assert.equal(report.metadata?.kexecCount, 0);
  assert.match(report.notes.join(), /"luo-v9", not "luo-v5".*blob memblock: 10 bytes/);
});

Deno.test("a file that is not a handover is refused with the reason", async () => {
  const good = await capture();
  for (
    const [bytes, message] of [
      [new Uint8Array(), /not a capture, a tree of KHO, or one of its blobs/],
      [new TextEncoder().encode("{}"), /format is not/],
      [new TextEncoder().encode("{"), /is not JSON/],
      [good.subarray(0, 100), /cannot be unpacked/],
      [
        new TextEncoder().encode(`{"capture":"luo-kho-capture-v1","pages":{"0x1":"AA=="}}`),
        /1 bytes at 0x1 are not a page/,
      ],
      [
        new TextEncoder().encode(`{"capture":"luo-kho-capture-v1","pages":{},"fdt":"0x1000"}`),
        /KHO's tree: no memory at 0x1000/,
      ],
      [new TextEncoder().encode("luo-v5"), /LUO: 6 bytes, not 32/],
      [new TextEncoder().encode("luo-v9".padEnd(32, "\0")), /its format is "luo-v9", not "luo-v5"/],
      [new TextEncoder().encode("memblock-v2\0\0\0\0"), /its format is "memblock-v2", which is not known/],
      [
        renamed(encode_kho_v4({ map: 0n, blobs: [] }), "kho-v4", "kho-v9"),
        /its format is "kho-v9"; known are kho-v4, kho-v2, kho-v1/,
      ],
    ] as const
  ) await assert.rejects(report_bytes(bytes), said(message));
});

Deno.test("the text has a line for each file, and escapes control characters in names", () => {
  const report = report_memory(machine(), PLACES.fdt);
  const text = khoText(report);
  assert.match(text, /^KHO +kho-v4, map at 0x101000$/m);
  assert.match(text, /^From +7\.3\.4, kexec 3$/m);
  assert.match(text, /^vm0 +18446744073709551615 +memfd-v2 +8 KiB +7 +0x0 +2 +0x8000$/m);
  assert.match(text, /^empty +no files$/m);
  report.luo?.sessions?.push({ name: "\x1b[2J", files: [] });
  assert.ok(!khoText(report).includes("\x1b"));
});
