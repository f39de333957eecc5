/** Holds what `--json` prints to the JSON Schema that `luo schema` publishes. */
import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { jsonSchema, schemaNames } from "../../lib/schema/json_schema.ts";

/** The command of an argument list, as `luo schema` names it. @throws AssertionError none of them has a schema */
export function commandOf(args: readonly string[]): string {
  const names = schemaNames().toSorted((a, b) => b.length - a.length);
  const found = names.find((name) => name.split(" ").every((word, at) => args[at] === word));
  assert.ok(found !== undefined, `no schema for luo ${args.join(" ")}`);
  return found;
}

/** Fails unless the object is what the schema of the command says, with no key that the schema does not describe. */
export function assertAnswer(command: string, object: unknown): void {
  const schema = jsonSchema(command);
  assert.ok(schema !== undefined, `no schema for ${command}`);
  const ajv = new Ajv2020({ allErrors: true });
  assert.ok(ajv.validate(closed(schema), object), `${command}: ${ajv.errorsText()}`);
}

/** The schema with no room for keys that are not described: the published one allows them, because newer versions add some. */
function closed(schema: unknown): object {
  return JSON.parse(
    JSON.stringify(
      schema,
      (_key, value) =>
        value?.type === "object" && value.properties !== undefined
          ? { ...value, additionalProperties: false }
          : value,
    ),
  );
}
