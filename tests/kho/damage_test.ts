/** Damaged handovers: whatever is wrong with one, it is told, or it is a KhoError. Failures print their seed. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { khoText } from "../../commands/kho_text.ts";
import { encode_capture } from "../../lib/kho/capture.ts";
import { hex, KhoError } from "../../lib/kho/error.ts";
import { decode_kho_v4 } from "../../lib/kho/kho_v4.ts";
import { decode_luo_tree_v5, decode_luo_v5 } from "../../lib/kho/luo_v5.ts";
import { PAGE_SIZE, Pages, read } from "../../lib/kho/memory.ts";
import { decode_map, encode_key } from "../../lib/kho/preserved_map.ts";
import { report_memory } from "../../lib/kho/report.ts";
import { report_bytes } from "../../lib/kho/source.ts";
import { words } from "../../lib/kho/struct.ts";
import { CAPTURES, fixture, fixture_bytes } from "./fixtures.ts";
import { FDT, forms, handover } from "./old_machine.ts";

const said = (message: RegExp) => (error: unknown) =>
  error instanceof KhoError && message.test(error.message);
/** A decoder that takes longer for a hundred pages goes in circles. Generous: others use the machine, too. */
const PATIENCE_MS = 5000;

/** Ends well or in a KhoError, and soon. */
async function told_or_refused(read: () => unknown): Promise<void> {
  const started = performance.now();
  try {
    await read();
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
  }
  assert.ok(performance.now() - started < PATIENCE_MS);
}

function copy(pages: Pages): Pages {
  const other = new Pages();
  for (const address of pages.addresses()) other.write(address, pages.page(address) ?? new Uint8Array());
  return other;
}

interface Damage {
  /** Which page; counted round. */
  readonly page: number;
  /** Which of its words that are not 0, or behind the last of them; counted round. */
  readonly word: number;
  readonly kind: "value" | "page" | "bit" | "whole page";
  readonly value: bigint;
}

const interesting = fc.constantFrom(
  0n,
  1n,
  2n,
  51n,
  52n,
  63n,
  64n,
  511n,
  4095n,
  4096n,
  2n ** 32n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
);

const damage: fc.Arbitrary<Damage> = fc.record({
  page: fc.nat(),
  word: fc.nat(),
  kind: fc.constantFrom("value", "page", "bit", "whole page"),
  value: fc.oneof(interesting, fc.bigInt(0n, 2n ** 64n - 1n)),
});

/** Pointers get the addresses of other pages: chains become cycles, structs overlap. */
function apply(pages: Pages, { page, word, kind, value }: Damage): void {
  const addresses = pages.addresses();
  const address = addresses[page % addresses.length] ?? 0n;
  const other = addresses[Number(value % BigInt(addresses.length))] ?? 0n;
  const bytes = pages.page(address) ?? new Uint8Array(PAGE_SIZE);
  const fields = new DataView(bytes.buffer, bytes.byteOffset);
  const offsets = Array.from({ length: PAGE_SIZE / 8 }, (_, index) => index * 8);
  const used = offsets.filter((offset) => fields.getBigUint64(offset) !== 0n);
  const behind = Math.min((used.at(-1) ?? 0) + 8, PAGE_SIZE - 8);
  const at = [...used, behind][word % (used.length + 1)] ?? 0;
  if (kind === "value") fields.setBigUint64(at, value, true);
  if (kind === "page") fields.setBigUint64(at, other, true);
  if (kind === "bit") bytes[at] = (bytes[at] ?? 0) ^ 1 << Number(value & 7n);
  if (kind === "whole page") bytes.set(pages.page(other) ?? []);
}

/** Real ones, and those of formats that nobody here can capture. */
async function handovers(): Promise<{ pages: Pages; fdt: bigint }[]> {
  const old = forms.map(([dialect, form]) => ({ pages: handover(dialect, form), fdt: FDT }));
  return [...await Promise.all(CAPTURES.map(fixture)), ...old];
}

Deno.test("handovers with words, pointers, bits and whole pages changed", async () => {
  const all = await handovers();
  const seen = { told: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...all),
      fc.array(damage, { minLength: 1, maxLength: 6 }),
      (one, list) => {
        const pages = copy(one.pages);
        list.forEach((damage) => apply(pages, damage));
        seen.refused++;
        return told_or_refused(() => {
          khoText(report_memory(pages, one.fdt));
          seen.refused--;
          seen.told++;
        });
      },
    ),
    { numRuns: 800 },
  );
  assert.ok(seen.told > 30 && seen.refused > 100, JSON.stringify(seen));
});

Deno.test("a page is missing, whichever: it is said", async () => {
  for (const { pages, fdt } of await handovers()) {
    for (const missing of pages.addresses()) {
      const part = new Pages();
      for (const address of pages.addresses()) {
        if (address !== missing) part.write(address, pages.page(address) ?? new Uint8Array());
      }
      assert.throws(() => report_memory(part, fdt), said(/no memory at/), hex(missing));
    }
  }
});

Deno.test("files cut off or with bytes changed: the capture packed and unpacked, the tree, the blobs", async () => {
  const { pages, fdt } = await fixture("7.3.4-memfds");
  const packed = fixture_bytes("7.3.4-none");
  const kho = decode_kho_v4(read(pages, fdt, PAGE_SIZE, "tree"));
  const sources = [
    packed,
    new TextEncoder().encode(JSON.stringify({ capture: "luo-kho-capture-v1", fdt: "0x1000", pages: {} })),
    read(pages, fdt, 285, "tree"),
    ...kho.blobs.map(({ address, size }) => read(pages, address, Number(size), "blob")),
  ];
  const change = fc.tuple(fc.nat(), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...sources),
      fc.array(change, { maxLength: 4 }),
      fc.nat(),
      async (source, changes, length) => {
        const bytes = Uint8Array.from(source);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const cut = length % 3 === 0 ? bytes.subarray(0, length % (bytes.length + 1)) : bytes;
        await told_or_refused(async () => khoText(await report_bytes(cut)));
      },
    ),
    { numRuns: 600 },
  );
});

Deno.test("all sessions share their files: refused before anybody has waited", async () => {
  const { pages, fdt } = await fixture("7.3.4-chains");
  const kho = decode_kho_v4(read(pages, fdt, PAGE_SIZE, "tree"));
  const blob = kho.blobs.find(({ name }) => name === "LUO");
  assert.ok(blob);
  const tree = decode_luo_tree_v5(pages, decode_luo_v5(read(pages, blob.address, 32, "LUO")));
  const files = tree.sessions[0]?.entries[7];
  assert.ok(files);
  for (const { address, entries } of tree.sessions) {
    entries.forEach((_, index) => {
      pages.write(address + BigInt(16 + index * 80 + 64), words(files.files_pa, files.count));
    });
  }
  assert.throws(() => report_memory(pages, fdt), said(/many things share the page/));
});

Deno.test("a list of 511 times the same page is refused", async () => {
  const { pages, fdt } = await fixture("7.3.4-second");
  const { luo } = report_memory(pages, fdt);
  const data = BigInt(luo?.sessions?.[0]?.files[0]?.data ?? 0);
  const struct = read(pages, data, 48, "memfd");
  const chunk = new DataView(struct.buffer).getBigUint64(32, true);
  const list = read(pages, chunk + 8n, 8, "chunk");
  // Chunks of 511 each, all with the one page.
  const chunks = Array.from({ length: 20 }, (_, index) => 2n ** 40n + BigInt(index * PAGE_SIZE));
  chunks.forEach((address, index) => {
    pages.write(address, words(chunks[index + 1] ?? 0n));
    for (let at = 1; at <= 511; at++) pages.write(address + BigInt(8 * at), list);
  });
  const count = 20 * 511;
  pages.write(data + 24n, words(BigInt(count * 256), chunks[0] ?? 0n, BigInt(count) | 1n << 32n));
  assert.throws(() => report_memory(pages, fdt), said(/many things share the page/));
});

Deno.test("leaves of the map that are full are one range, and quickly read", () => {
  const leaves = 2000;
  const pages = new Pages();
  const full = new Uint8Array(PAGE_SIZE).fill(0xff);
  // Levels 5 to 2 have one page each, at 0x5000 to 0x2000; as many of level 1 as are needed follow, then the leaves.
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
  const started = performance.now();
  assert.deepEqual(decode_map(pages, 0x5000n).ranges, [{ address: 0n, order: 0, count: leaves * 32_768 }]);
  assert.ok(performance.now() - started < PATIENCE_MS);
});

Deno.test("a capture that claims to be huge is not unpacked", async () => {
  const pages = new Pages();
  for (let index = 1n; index < 14_000n; index++) pages.write(index * 4096n, new Uint8Array(1));
  const bytes = await encode_capture({ fdt: 4096n, made: "", pages });
  assert.ok(bytes.length < 2 ** 20);
  await assert.rejects(report_bytes(bytes), said(/cannot be unpacked/));
});
