/** The published JSON Schema: it is one, it is complete, and it tells right from wrong. */
import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { COMMAND_FILES } from "../../commands/program/route_to.ts";
import { ANSWERS } from "../../lib/schema/answers.ts";
import { jsonSchema, schemaNames, wholeSchema } from "../../lib/schema/json_schema.ts";
import { assertAnswer } from "./assert_answer.ts";

/** Commands that print no object: they run until they end, or give the terminal to another program. */
const WITHOUT_ANSWER = ["agent run", "machine run", "emulate"];

Deno.test("schema: every command that prints an object has one", () => {
  const commands = [
    ...Object.keys(COMMAND_FILES).filter((name) => !WITHOUT_ANSWER.includes(name)),
    "--version",
    "error",
  ];
  assert.deepEqual(Object.keys(ANSWERS).sort(), commands.sort());
});

Deno.test("schema: each is JSON Schema by itself, and the whole has them all", () => {
  for (const name of schemaNames()) {
    const schema = jsonSchema(name);
    assert.ok(schema);
    new Ajv2020().compile(schema);
  }
  const whole = wholeSchema();
  new Ajv2020().compile(whole);
  assert.deepEqual(Object.keys(whole.$defs as object), schemaNames());
  for (const name of ["session", "session  create", "toString", "__proto__", "SESSION", ""]) {
    assert.equal(jsonSchema(name), undefined, name);
  }
});

const file = { token: "1", size: 1, seals: 0, preservedAt: "now", state: "restored" };
const session = { name: "s", state: "outgoing", createdAt: "now", files: [file] };

Deno.test("schema: keys of a later version are allowed, in tests they are not", () => {
  const later = { session: { ...session, colour: "red" }, more: 1 };
  const schema = jsonSchema("session show");
  assert.ok(schema && new Ajv2020().validate(schema, later));
  assert.throws(() => assertAnswer("session show", later), /additional properties/);
  assertAnswer("session show", { session });
});

const wrong: { what: string; object: unknown }[] = [
  { what: "nothing", object: {} },
  { what: "an unknown state", object: { session: { ...session, state: "lost" } } },
  { what: "a token that is a number", object: { session: { ...session, files: [{ ...file, token: 1 }] } } },
  { what: "half a byte", object: { session: { ...session, files: [{ ...file, size: 0.5 }] } } },
  { what: "null for nothing", object: { session: { ...session, filesKnown: null } } },
];
for (const { what, object } of wrong) {
  Deno.test(`schema: a session with ${what} is none`, () => {
    assert.throws(() => assertAnswer("session show", object), assert.AssertionError);
  });
}
