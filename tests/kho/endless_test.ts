/** Handovers with cycles, repetitions or missing pages: decoding must end soon, mostly with an error. */
import assert from "node:assert/strict";
import { type Capture, decode_capture, encode_capture } from "../../lib/kho/capture.ts";
import { KhoError } from "../../lib/kho/kho_error.ts";
import { decode_kho_v4 } from "../../lib/kho/kho_v4.ts";
import { decode_luo_tree_v5, decode_luo_v5 } from "../../lib/kho/luo_v5.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { Pages, read } from "../../lib/kho/kept_memory.ts";
import { decode_map, encode_key } from "../../lib/kho/preserved_map.ts";
import { report_memory } from "../../lib/kho/report.ts";
import { report_bytes } from "../../lib/kho/report_source.ts";
import { words } from "../../lib/kho/struct_fields.ts";
import { SCENARIOS } from "./capture/scenarios.ts";

const said = (message: RegExp) => (error: unknown) =>
  error instanceof KhoError && message.test(error.message);

async function fixture(name: string): Promise<Capture> {
  return await decode_capture(await Deno.readFile(new URL(`fixtures/${name}.json.gz`, import.meta.url)));
}

Deno.test("every missing page is reported", async () => {
  for (const { name } of SCENARIOS) {
    const { pages, fdt } = await fixture(name);
    for (const missing of pages.addresses()) {
      const part = new Pages();
      for (const address of pages.addresses()) {
        if (address !== missing) part.write(address, pages.page(address) ?? new Uint8Array());
      }
      assert.throws(() => report_memory(part, fdt), said(/no memory at/), `${name} ${missing}`);
    }
  }
});

Deno.test("sessions that share their files are refused soon", async () => {
  const { pages, fdt } = await fixture("blocks");
  const kho = decode_kho_v4(read(pages, fdt, PAGE_SIZE, "tree"));
  const blob = kho.blobs.find(({ name }) => name === "LUO");
  assert.ok(blob);
  const tree = decode_luo_tree_v5(pages, decode_luo_v5(read(pages, blob.address, 32, "LUO")));
  const files = tree.sessions[0]?.entries[3];
  assert.ok(files);
  for (const { address, entries } of tree.sessions) {
    entries.forEach((_, index) => {
      pages.write(address + BigInt(16 + index * 80 + 64), words(files.files_pa, files.count));
    });
  }
  assert.throws(() => report_memory(pages, fdt), said(/many things share the page/));
});

Deno.test("a list that names the same page 511 times is refused", async () => {
  const { pages, fdt } = await fixture("files");
  const { luo } = report_memory(pages, fdt);
  const data = BigInt(luo?.sessions?.[0]?.files[1]?.data ?? 0);
  const struct = read(pages, data, 48, "memfd");
  const chunk = new DataView(struct.buffer).getBigUint64(32, true);
  const list = read(pages, chunk + 8n, 8, "chunk");
  // Each chunk names the same page 511 times.
  const chunks = Array.from({ length: 20 }, (_, index) => 2n ** 40n + BigInt(index * PAGE_SIZE));
  chunks.forEach((address, index) => {
    pages.write(address, words(chunks[index + 1] ?? 0n));
    for (let at = 1; at <= 511; at++) pages.write(address + BigInt(8 * at), list);
  });
  const count = 20 * 511;
  pages.write(data + 24n, words(BigInt(count * 256), chunks[0] ?? 0n, BigInt(count) | 1n << 32n));
  assert.throws(() => report_memory(pages, fdt), said(/many things share the page/));
});

Deno.test("full leaves of the map become one range, and decode quickly", () => {
  const leaves = 2000;
  const pages = new Pages();
  const full = new Uint8Array(PAGE_SIZE).fill(0xff);
  // Levels 5 to 2 have one page each, at 0x5000 to 0x2000. The tables of level 1 follow, then the leaves.
  const key = encode_key(0n, 0);
  for (let level = 5; level > 1; level--) {
    const index = key >> BigInt(15 + 9 * (level - 1)) & 511n;
    pages.write(BigInt(level * PAGE_SIZE) + 8n * index, words(BigInt((level - 1) * PAGE_SIZE)));
  }
  const first = 2n ** 30n;
  for (let leaf = 0; leaf < leaves; leaf++) {
    const table = 0x10_0000n + BigInt(Math.floor(leaf / 512) * PAGE_SIZE);
    if (leaf % 512 === 0) pages.write(0x2000n + BigInt(8 * Math.floor(leaf / 512)), words(table));
    pages.write(table + BigInt(8 * (leaf % 512)), words(first + BigInt(leaf * PAGE_SIZE)));
    pages.write(first + BigInt(leaf * PAGE_SIZE), full);
  }
  assert.deepEqual(decode_map(pages, 0x5000n).ranges, [{ address: 0n, order: 0, count: leaves * 32_768 }]);
});

Deno.test("a capture that unpacks to a huge file is refused", async () => {
  const pages = new Pages();
  for (let index = 1n; index < 14_000n; index++) pages.write(index * 4096n, new Uint8Array(1));
  const bytes = await encode_capture({ fdt: 4096n, made: "", pages });
  assert.ok(bytes.length < 2 ** 20);
  await assert.rejects(report_bytes(bytes), said(/cannot be unpacked/));
});
