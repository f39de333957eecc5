/** Damaged captures and random bytes: every one is reported, or refused with a KhoError. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Capture, decode_capture } from "../../lib/kho/capture.ts";
import { KhoError } from "../../lib/kho/kho_error.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { Pages } from "../../lib/kho/kept_memory.ts";
import { report_memory } from "../../lib/kho/report.ts";
import { report_bytes } from "../../lib/kho/report_source.ts";
import { words } from "../../lib/kho/struct_fields.ts";

const FIXTURES = ["files", "blocks", "huge"];
const captures = await Promise.all(FIXTURES.map(async (name) => {
  return await decode_capture(await Deno.readFile(new URL(`fixtures/${name}.json.gz`, import.meta.url)));
}));

/** Damage to one page. */
type Damage =
  | { readonly kind: "byte"; readonly at: number; readonly value: number }
  | { readonly kind: "word"; readonly at: number; readonly value: bigint }
  | { readonly kind: "pointer"; readonly at: number; readonly to: number }
  | { readonly kind: "all pointers"; readonly to: number }
  | { readonly kind: "lost" };

const at = fc.integer({ min: 0, max: PAGE_SIZE - 1 });
// Offsets at which structs have fields.
const word = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 511 })).map((index) =>
  index * 8
);
const page = fc.nat(1000);
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant("byte" as const), at, value: fc.integer({ min: 0, max: 255 }) }),
  fc.record({
    kind: fc.constant("word" as const),
    at: word,
    value: fc.oneof(
      fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 52n),
      fc.bigInt(0n, 2n ** 64n - 1n),
    ),
  }),
  fc.record({ kind: fc.constant("pointer" as const), at: word, to: page }),
  fc.record({ kind: fc.constant("all pointers" as const), to: page }),
  fc.record({ kind: fc.constant("lost" as const) }),
);

/** A copy of the capture in which one page is damaged or missing. */
function damaged({ pages }: Capture, number: number, damage: Damage): Pages {
  const addresses = pages.addresses();
  const address_of = (index: number) => addresses[index % addresses.length] ?? 0n;
  const victim = address_of(number);
  const out = new Pages();
  for (const address of addresses) {
    if (address === victim && damage.kind === "lost") continue;
    out.write(address, pages.page(address) ?? new Uint8Array());
  }
  if (damage.kind === "byte") out.write(victim + BigInt(damage.at), new Uint8Array([damage.value]));
  if (damage.kind === "word") out.write(victim + BigInt(damage.at), words(damage.value));
  if (damage.kind === "pointer") out.write(victim + BigInt(damage.at), words(address_of(damage.to)));
  if (damage.kind === "all pointers") {
    out.write(victim, words(...Array.from({ length: PAGE_SIZE / 8 }, () => address_of(damage.to))));
  }
  return out;
}

Deno.test("a damaged handover is reported, or refused with a KhoError that names a part", () => {
  const seen = { told: 0, refused: 0 };
  fc.assert(
    fc.property(fc.nat(FIXTURES.length - 1), page, damage, (which, number, damage) => {
      const capture = captures[which] ?? assert.fail();
      try {
        report_memory(damaged(capture, number, damage), capture.fdt);
        seen.told++;
      } catch (error) {
        assert.ok(error instanceof KhoError, String(error));
        assert.match(error.message, /^[^:]+: ./);
        seen.refused++;
      }
    }),
    { numRuns: 1500 },
  );
  assert.ok(seen.told > 50 && seen.refused > 50, JSON.stringify(seen));
});

Deno.test("any bytes are reported as a handover, or refused with a KhoError", async () => {
  const [{ pages, fdt }] = captures as [Capture];
  const tree = pages.page(fdt) ?? assert.fail();
  const cut = fc.tuple(fc.integer({ min: 1, max: PAGE_SIZE }), at, fc.integer({ min: 0, max: 255 })).map(
    ([length, where, value]) => {
      return tree.slice(0, length).with(Math.min(where, length - 1), value);
    },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.uint8Array({ maxLength: 200 }), cut),
      async (bytes) => {
        try {
          await report_bytes(bytes);
        } catch (error) {
          assert.ok(error instanceof KhoError, String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});

/** One damaged field in a handover that is otherwise intact. */
for (
  const [what, change, refusal] of [
    [
      "a cyclic chain of blocks",
      { page: "sessions", at: 0n, to: "sessions" },
      /the chain comes back/,
    ],
    ["a huge count", { page: "sessions", at: 8n, value: 2n ** 63n }, /a count of 9223372036854775808/],
    [
      "a missing block",
      { page: "sessions", at: 0n, value: 0x1234_5000n },
      /no memory at 0x12345000/,
    ],
    ["a map that is its own child", { page: "map", at: 0n, to: "map" }, /is in it twice/],
  ] as const
) {
  Deno.test(`refused: ${what}`, () => {
    const capture = captures[1] ?? assert.fail();
    const { kho, luo } = addresses(capture);
    const place = { sessions: luo, map: kho };
    const pages = damaged(capture, 0, { kind: "byte", at: PAGE_SIZE - 1, value: 0 });
    pages.write(place[change.page] + change.at, words("to" in change ? place[change.to] : change.value));
    assert.throws(() => report_memory(pages, capture.fdt), refusal);
  });
}

/** The addresses of the map's root and of the first block of sessions. */
function addresses({ pages, fdt }: Capture): { kho: bigint; luo: bigint } {
  const report = report_memory(pages, fdt);
  const blob = report.kho?.blobs.find(({ name }) => name === "LUO") ?? assert.fail();
  const luo = pages.page(BigInt(blob.address)) ?? assert.fail();
  return {
    kho: BigInt(report.kho?.map ?? 0),
    luo: new DataView(luo.buffer, luo.byteOffset).getBigUint64(16, true),
  };
}
