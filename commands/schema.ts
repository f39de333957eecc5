/** `luo schema`: prints the JSON Schema of what `--json` prints. */
import { buildCommand } from "./base/build_command.ts";
import type { JsonSchema } from "../lib/schema/json_schema.ts";
import { docs, jsonFlag, perform } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import { nearest } from "./errors/nearest.ts";
import { Failure } from "./errors/failure.ts";

export interface Flags {
  readonly json: boolean;
}

export interface Result {
  readonly schema: JsonSchema;
}

/** Undefined: all of it. `session create` can be typed as two words or as one. */
export function parse(words: readonly string[]): string | undefined {
  return words.length === 0 ? undefined : words.join(" ");
}

export async function run(_context: Context, name: string | undefined): Promise<Result> {
  const { jsonSchema, schemaNames, wholeSchema } = await import("../lib/schema/json_schema.ts");
  if (name === undefined) return { schema: wholeSchema() };
  const schema = jsonSchema(name);
  if (schema !== undefined) return { schema };
  const known = schemaNames();
  const meant = nearest(name, known);
  throw new Failure("usage", `Cannot find a schema of "${name}"`, {
    known,
    hints: [
      meant === undefined
        ? "types begin with a capital, commands are typed as always: luo schema session create"
        : `did you mean ${meant}?`,
    ],
  });
}

export function format({ schema }: Result): string {
  return JSON.stringify(schema, undefined, 2);
}

export const command = buildCommand<Flags, string[], Context>({
  docs: docs(
    "Print the JSON Schema of what --json prints",
    "NAME is a type (Session, File, Status, Image, Handover, Failure ...) or a\n" +
      "command as it is typed. Without NAME all types and the answers of all commands\n" +
      "are the definitions ($defs) of one schema. Later versions may add keys, so the\n" +
      "schema allows keys that it does not describe. docs/json.md is the same for\n" +
      "people.",
    [
      ["luo schema", "all of it"],
      ["luo schema Session", "one type, with the types that it refers to"],
      ["luo schema session create", "the answer of one command"],
      ["luo schema error", "the error that --json writes to standard error"],
    ],
  ),
  parameters: {
    flags: {
      json: jsonFlag,
    },
    positional: {
      kind: "array",
      parameter: { parse: String, placeholder: "NAME", brief: "A type, or a command as it is typed" },
    },
  },
  func(flags, ...words) {
    return perform(this, flags, { parse: () => parse(words), run, format, onlyReads: true });
  },
});
