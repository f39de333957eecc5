/** What real kernels handed over (tests/vm/capture_main.ts says what was preserved): read, and written back to the same bytes. */
import assert from "node:assert/strict";
import { hex } from "../../lib/kho/error.ts";
import { complete_kho_v4, decode_kho_v4, encode_kho_v4 } from "../../lib/kho/kho_v4.ts";
import { PAGE_SIZE, type Pages, read } from "../../lib/kho/memory.ts";
import { decode_map } from "../../lib/kho/preserved_map.ts";
import { type FileReport, type LuoReport, report_memory } from "../../lib/kho/report.ts";
import { type CaptureName, CAPTURES, fixture } from "./fixtures.ts";
import { reencode } from "./reencode.ts";

async function report(name: CaptureName) {
  const { pages, fdt } = await fixture(name);
  return report_memory(pages, fdt);
}

/** All pages, readable when they differ. */
function text(pages: Pages): Record<string, string | undefined> {
  return Object.fromEntries(pages.addresses().map((address) => [hex(address), pages.page(address)?.toHex()]));
}

function files({ sessions }: LuoReport): Omit<FileReport, "data">[][] {
  return sessions?.map((session) => session.files.map(({ data: _, ...file }) => file)) ?? [];
}

const memfd = (token: string, size: number, folios: number, more: Partial<FileReport> = {}) => ({
  token,
  handler: "memfd-v2",
  size,
  position: 0,
  seals: 0,
  folios,
  ...more,
});

Deno.test("every page of every capture is written back byte for byte", async () => {
  for (const name of CAPTURES) {
    const { pages, fdt } = await fixture(name);
    assert.deepEqual(text(reencode(pages, fdt)), text(pages), name);
  }
});

Deno.test("memfds with holes, seals, a position, 2 MiB folios; a name of odd bytes; the same from 7.2.12", async () => {
  for (const [name, release] of [["7.3.4-memfds", "7.3.4-luo"], ["7.2.12-memfds", "7.2.12-luo"]] as const) {
    const { luo, metadata } = await report(name);
    assert.ok(luo);
    assert.deepEqual(metadata, { previousRelease: release, kexecCount: 1 });
    assert.deepEqual(files(luo), [
      [
        memfd("1", 3 * PAGE_SIZE, 3, { position: 4097 }),
        memfd("18446744073709551615", 5000, 2, { seals: 7 }),
      ],
      [memfd("0", 0, 0)],
      [],
      [memfd("3", 300 * PAGE_SIZE, 300), memfd("4", 5 * 2 ** 20, 3)],
    ]);
    assert.deepEqual(luo.sessions?.map((session) => session.name.length), [3, 63, 5, 5]);
    assert.deepEqual(luo.flbs?.map(({ files }) => files), ["5", "5", "5"]);
  }
});

Deno.test("103 sessions in three blocks and 70 files in two are in the order they were made", async () => {
  const { luo } = await report("7.3.4-chains");
  const made = Array.from({ length: 104 }, (_, index) => `session ${index}`);
  assert.deepEqual(luo?.sessions?.map(({ name }) => name), made.filter((name) => name !== "session 20"));
  const tokens = luo?.sessions?.[7]?.files.map(({ token }) => token);
  assert.deepEqual(tokens, Array.from({ length: 70 }, (_, token) => String(token)));
});

Deno.test("the second live update in a row hands over what is preserved now", async () => {
  const { luo, metadata } = await report("7.3.4-second");
  assert.ok(luo);
  assert.equal(metadata?.kexecCount, 2);
  assert.equal(luo.liveupdateNumber, "2");
  assert.deepEqual(luo.sessions?.map(({ name }) => name), ["new", "vm0"]);
  assert.deepEqual(files(luo), [[memfd("1", PAGE_SIZE, 1)], [
    memfd("1", 3 * PAGE_SIZE, 3, { position: 4097 }),
  ]]);
});

Deno.test("without a session KHO's tree, its two blobs and the FLBs' page are preserved, and no page of the map", async () => {
  const { pages, fdt } = await fixture("7.3.4-none");
  const { luo, kho, preserved } = report_memory(pages, fdt);
  assert.deepEqual(luo?.sessions, []);
  assert.deepEqual(luo?.flbs, []);
  assert.equal(preserved?.bytes, 4 * PAGE_SIZE);
  assert.equal(preserved?.mapPages, 6);
  const map = decode_map(pages, BigInt(kho?.map ?? 0));
  const starts = map.ranges.flatMap(({ address, count }) =>
    Array.from({ length: count }, (_, index) => address + BigInt(index * PAGE_SIZE))
  );
  assert.ok(starts.includes(fdt));
  assert.ok(map.nodes.every(({ address }) => !starts.includes(address)));
});

Deno.test("the outgoing tree in debugfs is cut off in its strings, and made whole", async () => {
  const { pages, fdt } = await fixture("7.3.4-none");
  const kho = decode_kho_v4(read(pages, fdt, PAGE_SIZE, "tree"));
  const whole = encode_kho_v4(kho);
  assert.equal(whole.length, 285);
  // The length that 7.3.4 gives the file.
  assert.deepEqual(complete_kho_v4(whole.slice(0, 233)), whole);
  assert.deepEqual(complete_kho_v4(whole.slice(0, 227)), whole.slice(0, 227), "its structure is cut off too");
  assert.deepEqual(complete_kho_v4(whole), whole);
  const other = whole.slice(0, 233).with(230, 0x21);
  assert.equal(complete_kho_v4(other), other);
});
