/** The compiled checks of schemas agree with valibot's, whatever the value. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { is } from "valibot";
import { ALL_TYPES } from "../../lib/schema/all_types.ts";
import { compiled } from "../../lib/schema/compiled.ts";
import { StoredChange, StoredJournal } from "../../lib/schema/journal.ts";
import { int, list, map, maybe, oneOf, struct, text, token } from "../../lib/schema/parts.ts";

const FILE = {
  token: "1",
  size: 4096,
  seals: 0,
  preservedAt: "2026-01-01T00:00:00.000Z",
  state: "preserved",
};
const SESSION = { name: "a", state: "outgoing", createdAt: "2026-01-01T00:00:00.000Z", files: [FILE] };
const JOURNAL = {
  version: 1,
  bootId: "b",
  release: "7.3.4",
  pid: 1,
  updates: 0,
  sessions: [SESSION, { ...SESSION, name: "b", files: [] }],
  losses: [],
  ended: false,
};

const SCHEMAS = [
  ...ALL_TYPES,
  StoredJournal,
  StoredChange,
  struct({
    one: text,
    other: maybe(int),
    words: maybe(oneOf("a", "b")),
    tokens: list(token),
    map: maybe(map(int)),
  }),
];

const VALUES: readonly unknown[] = [
  JOURNAL,
  { session: SESSION },
  { gone: { name: "a", outgoing: true } },
  { one: "x", tokens: ["1"], map: { x: 1 } },
];

/** The places in a value: each is a list of keys. */
function paths(value: unknown): string[][] {
  if (typeof value !== "object" || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, inner]) => paths(inner).map((path) => [key, ...path]))];
}

function changed(value: unknown, [key, ...rest]: readonly string[], put: unknown): unknown {
  if (key === undefined) return put;
  const copy = structuredClone(value) as Record<string, unknown>;
  // A list of JSON has no holes.
  if (rest.length === 0 && put === undefined && Array.isArray(copy)) copy.splice(Number(key), 1);
  else if (rest.length === 0 && put === undefined) delete copy[key];
  else copy[key] = changed(copy[key], rest, put);
  return copy;
}

const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(undefined, null, NaN, Infinity, -0, 1.5, 2 ** 53, "", "12", "x", "a", "preserved", [], {}),
);

Deno.test("schemas: the compiled checks accept what is described", () => {
  assert.equal(compiled(StoredJournal)(JOURNAL), true);
  assert.equal(compiled(StoredChange)({ session: SESSION }), true);
});

Deno.test("schemas: any value, whole or with one place changed, passes both checks or neither", () => {
  const cases = fc.constantFrom(...VALUES).chain((value) =>
    fc.tuple(fc.constant(value), fc.constantFrom(...paths(value)), odd).map((args) => changed(...args))
  );
  fc.assert(
    fc.property(fc.oneof(cases, odd), (value) => {
      for (const schema of SCHEMAS) {
        assert.equal(compiled(schema)(value), is(schema, value), `${JSON.stringify(schema).slice(0, 80)}`);
      }
    }),
    { numRuns: 200 },
  );
});
