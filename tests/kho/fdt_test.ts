/** Device trees: decoding, encoding, and damaged ones. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { KhoError } from "../../lib/kho/kho_error.ts";
import { decode_fdt, type FdtNode } from "../../lib/kho/fdt.ts";
import { encode_fdt } from "../../lib/kho/fdt_encode.ts";

/** `/ { a = <1>; b { c = "x"; }; };`, written by hand from the specification's tables. */
const BY_HAND = Uint8Array.fromHex(
  [
    "d00dfeed 00000078 00000038 00000074 00000028 00000011 00000010 00000000 00000004 0000003c",
    "0000000000000000 0000000000000000",
    "00000001 00000000",
    "00000003 00000004 00000000 00000001",
    "00000001 62000000",
    "00000003 00000002 00000002 78000000",
    "00000002 00000002 00000009",
    "61006300",
  ].join("").replaceAll(" ", ""),
);

Deno.test("a tree is decoded and encoded as in the specification", () => {
  const fdt = decode_fdt(BY_HAND);
  assert.deepEqual(fdt.root, {
    name: "",
    properties: [{ name: "a", value: Uint8Array.of(0, 0, 0, 1) }],
    children: [{ name: "b", properties: [{ name: "c", value: Uint8Array.of(120, 0) }], children: [] }],
  });
  assert.deepEqual(encode_fdt(fdt), BY_HAND);
  assert.deepEqual(encode_fdt({ root: fdt.root }), BY_HAND);
});

const NAME = fc.stringMatching(/^[a-z][a-z0-9,.@_-]{0,30}$/);
const PROPERTIES = fc.array(
  fc.record({ name: NAME, value: fc.uint8Array({ maxLength: 20 }) }, { noNullPrototype: true }),
  {
    maxLength: 4,
  },
);
const NODE: fc.Arbitrary<FdtNode> = node(3);

function node(depth: number): fc.Arbitrary<FdtNode> {
  const children = depth === 0 ? fc.constant([]) : fc.array(node(depth - 1), { maxLength: 3 });
  return fc.record({ name: NAME, properties: PROPERTIES, children }, { noNullPrototype: true });
}

Deno.test("any tree is the same after encoding and decoding", () => {
  fc.assert(
    fc.property(NODE, (node) => {
      const root = { ...node, name: "" };
      const bytes = encode_fdt({ root });
      const again = decode_fdt(bytes);
      assert.deepEqual(again.root, root);
      assert.deepEqual(encode_fdt(again), bytes);
    }),
    { numRuns: 200 },
  );
});

Deno.test("a damaged tree gives a KhoError or a tree, never another error", () => {
  const damage = fc.record({
    node: NODE,
    cut: fc.nat(),
    flips: fc.array(fc.record({ at: fc.nat(), bit: fc.nat(7) }), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(damage, ({ node, cut, flips }) => {
      const bytes = encode_fdt({ root: { ...node, name: "" } });
      for (const { at, bit } of flips) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1 << bit;
      try {
        decode_fdt(bytes.subarray(0, bytes.length - cut % 3 * (cut % bytes.length)));
      } catch (error) {
        assert.ok(error instanceof KhoError, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("an error says what is wrong with the tree", () => {
  const good = encode_fdt({ root: { name: "", properties: [], children: [] } });
  const with_u32 = (offset: number, value: number) => {
    const bytes = good.slice();
    new DataView(bytes.buffer).setUint32(offset, value);
    return bytes;
  };
  for (
    const [bytes, message] of [
      [good.subarray(0, 39), /39 bytes: the header alone has 40/],
      [good.subarray(0, 60), /its header says 72 bytes, but there are 60/],
      [with_u32(0, 1), /magic 1/],
      [with_u32(20, 18), /version 18/],
      [with_u32(8, 0xffff_fff0), /structure .* outside/],
      [with_u32(8, 48), /reservations and structure overlap/],
      [with_u32(36, 4), /a name at 4 has no end/],
      [with_u32(56, 7), /token 7 at 0/],
      [with_u32(64, 1), /structure ends/],
    ] as const
  ) {
    assert.throws(
      () => decode_fdt(bytes),
      (error) => error instanceof KhoError && message.test(error.message),
    );
  }
});
