/** The formats of 7.2 and 7.3: layouts byte for byte, and the errors for damaged structs. */
import assert from "node:assert/strict";
import { KhoError } from "../../lib/kho/kho_error.ts";
import { decode_kexec_metadata } from "../../lib/kho/kexec_metadata.ts";
import { decode_kho_v4, encode_kho_v4 } from "../../lib/kho/kho_v4.ts";
import { decode_luo_tree_v5, decode_luo_v5, encode_luo_v5 } from "../../lib/kho/luo_v5.ts";
import { decode_memfd_v2 } from "../../lib/kho/memfd_v2.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { Pages, read } from "../../lib/kho/kept_memory.ts";
import { decode_key, decode_map, encode_key } from "../../lib/kho/preserved_map.ts";
import { decode_area } from "../../lib/kho/vmalloc.ts";
import { words } from "../../lib/kho/struct_fields.ts";
import { machine, map, MEMFD, PLACES, TREE } from "./machine.ts";

const said = (message: RegExp) => (error: unknown) =>
  error instanceof KhoError && message.test(error.message);

Deno.test("luo-v5: the struct has the bytes of the kernel's header", () => {
  const bytes = encode_luo_v5({ liveupdate_number: 1n, sessions_pa: 0x1234_5000n, flbs_pa: 0n });
  assert.equal(
    bytes.toHex(),
    "6c756f2d76350000" + "0100000000000000" + "0050341200000000" + "0000000000000000",
  );
  assert.throws(() => decode_luo_v5(bytes.subarray(0, 31)), said(/LUO: 31 bytes, not 32/));
  bytes[5] = 0x34;
  assert.throws(() => decode_luo_v5(bytes), said(/"luo-v4", not "luo-v5"/));
});

Deno.test("luo-v5: two blocks of sessions, a file and an FLB decode to what was encoded", () => {
  const pages = machine();
  const luo = decode_luo_v5(read(pages, PLACES.luo, 32, "LUO"));
  assert.deepEqual(decode_luo_tree_v5(pages, luo), TREE);
});

Deno.test("luo-v5: errors name a cyclic chain, a count too large, a missing page, and a wrong sum", () => {
  for (
    const [[address, bytes], message] of [
      [[0x5000n, words(PLACES.sessions)], /block 2 of sessions: the chain comes back to 0x4000/],
      [[0x4008n, words(52n)], /block 0 of sessions: a count of 52, not 1 to 51/],
      [[0x4008n, words(0n)], /a count of 0/],
      [[0x6008n, words(64n)], /block 0 of files of session "vm0": a count of 64, not 1 to 63/],
      [[0x4000n, words(0xdead_0000n)], /block 1 of sessions: no memory at 0xdead0000/],
      [[0x4000n, words(0x5008n)], /0x5008 is not the start of a page/],
      [[0x4000n, words(2n ** 64n - 4096n)], /no memory at 0xfffffffffffff000/],
      [[0x4010n + 72n, words(2n)], /files of session "vm0": 1, not 2/],
      [[0x7008n, words(2n ** 63n)], /FLBs' header: 9223372036854775808 FLBs in 1 pages/],
    ] as const
  ) {
    const pages = machine();
    pages.write(address, bytes);
    assert.throws(() => decode_luo_tree_v5(pages, TREE.luo), said(message));
  }
});

Deno.test("kho-v4: the tree decodes to what was encoded", () => {
  const fdt = read(machine(), PLACES.fdt, PAGE_SIZE, "KHO");
  const kho = decode_kho_v4(fdt);
  assert.deepEqual(kho.blobs.map(({ name }) => name), ["LUO", "kexec-metadata"]);
  assert.equal(kho.map, map().nodes[0]?.address);
  const other = encode_kho_v4(kho);
  other.set(new TextEncoder().encode("kho-v3"), other.toHex().indexOf("6b686f2d7634") / 2);
  assert.throws(() => decode_kho_v4(other), said(/its format is "kho-v3", not "kho-v4"/));
});

Deno.test("kexec-metadata decodes, and another version is refused", () => {
  const bytes = read(machine(), PLACES.metadata, 73, "metadata");
  assert.deepEqual(decode_kexec_metadata(bytes), { previous_release: "7.3.4", kexec_count: 3 });
  bytes[0] = 2;
  assert.throws(() => decode_kexec_metadata(bytes), said(/version is 2/));
});

Deno.test("memfd-v2 decodes to what was encoded; more folios than the list holds are refused", () => {
  const pages = machine();
  assert.deepEqual(decode_memfd_v2(pages, PLACES.memfd, "the memfd"), MEMFD);
  pages.write(PLACES.memfd + 24n, words(257n));
  assert.throws(
    () => decode_memfd_v2(pages, PLACES.memfd, "the memfd"),
    said(/257 folios listed in 1 pages/),
  );
});

Deno.test("a vmalloc area: 511 blocks fill a chunk, and the kernel adds an empty one after it", () => {
  const blocks = Array.from({ length: 511 }, (_, index) => BigInt(index + 1) << 12n);
  const pages = new Pages();
  pages.write(0x80_0000n, words(0x80_1000n, ...blocks));
  pages.write(0x80_1000n, new Uint8Array(PAGE_SIZE));
  const descriptor = { first: 0x80_0000n, total_pages: 511, flags: 1, order: 0 };
  assert.equal(decode_area(pages, descriptor, "area").chunks.length, 2);
  assert.throws(
    () => decode_area(pages, { ...descriptor, total_pages: 0xffff_ffff }, "area"),
    said(/511 pages, not 4294967295/),
  );
  pages.write(0x80_1000n, words(0x80_0000n));
  assert.throws(() => decode_area(pages, descriptor, "area"), said(/chunk 1 of area: 0 blocks, and more/));
});

Deno.test("the preserved-memory map: keys are those of the kernel's comment", () => {
  assert.equal(encode_key(0x1000n, 0), 1n << 52n | 1n);
  assert.equal(encode_key(0x20_0000n, 9), 1n << 43n | 1n);
  assert.deepEqual(decode_key(1n << 51n | 3n), { address: 0x6000n, order: 1 });
  assert.throws(() => encode_key(0x1000n, 1), said(/no 2 pages begin at 0x1000/));
  assert.throws(() => decode_key(1n << 53n), said(/no page has the key/));
});

Deno.test("the preserved-memory map decodes to what was encoded; cycles and overlaps are refused", () => {
  const pages = machine();
  const { nodes, ranges } = map();
  const root = nodes[0]?.address ?? 0n;
  const found = decode_map(pages, root);
  assert.deepEqual(found.ranges, ranges);
  assert.deepEqual(new Set(found.nodes), new Set(nodes));

  const [leaf] = nodes.filter(({ level }) => level === 0).map(({ address }) => address);
  pages.write(root + 8n, words(root));
  assert.throws(() => decode_map(pages, root), said(/level 4 of .* is in it twice/));
  pages.write(root + 8n, words(0n));
  pages.write(leaf ?? 0n, Uint8Array.of(0xff));
  assert.throws(() => decode_map(pages, root), said(/blocks of order 9 and 0 overlap at 0x1000/));
});
