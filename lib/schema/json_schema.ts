/** The description of `--json` as JSON Schema (draft 2020-12): what `luo schema` prints. */
import { ALL_TYPES } from "./all_types.ts";
import { ANSWERS } from "./answers.ts";
import { namedType, type Shape, shapeOf } from "./shape.ts";

/** A JSON Schema as plain data. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const DRAFT = "https://json-schema.org/draft/2020-12/schema";

/** The names that `jsonSchema` takes: those of types (`Session`), then those of commands (`session create`). */
export function schemaNames(): readonly string[] {
  return [...Object.keys(definitions()), ...Object.keys(ANSWERS)];
}

/** The schema of one type or of one command's answer, with all that it refers to; undefined for an unknown name. */
export function jsonSchema(name: string): JsonSchema | undefined {
  const all = definitions();
  if (Object.hasOwn(all, name)) {
    return { $schema: DRAFT, $ref: reference(name), $defs: reachable(reference(name), all) };
  }
  const answer = Object.hasOwn(ANSWERS, name) ? ANSWERS[name] : undefined;
  if (answer === undefined) return undefined;
  const schema = schemaOf(shapeOf(answer.object));
  const $defs = reachable(JSON.stringify(schema), all);
  return { $schema: DRAFT, title: name, ...schema, ...Object.keys($defs).length === 0 ? {} : { $defs } };
}

/** All types and, by command, all answers, as the definitions of one schema. */
export function wholeSchema(): JsonSchema {
  const answers = Object.entries(ANSWERS).map((
    [command, { object }],
  ) => [command, schemaOf(shapeOf(object))]);
  return {
    $schema: DRAFT,
    title: "luo --json",
    $defs: { ...definitions(), ...Object.fromEntries(answers) },
  };
}

function definitions(): Record<string, JsonSchema> {
  return Object.fromEntries(
    ALL_TYPES.map(namedType).map(({ name, shape }) => [name, { title: name, ...schemaOf(shape) }]),
  );
}

function reference(name: string): string {
  return `#/$defs/${name}`;
}

/** The definitions that a text of JSON refers to, directly or by others. */
function reachable(text: string, all: Record<string, JsonSchema>): Record<string, JsonSchema> {
  const found = new Set<string>();
  const visit = (part: string) => {
    for (const [name, definition] of Object.entries(all)) {
      if (found.has(name) || !`"${part}"`.includes(`${reference(name)}"`)) continue;
      found.add(name);
      visit(JSON.stringify(definition));
    }
  };
  visit(text);
  return Object.fromEntries(Object.entries(all).filter(([name]) => found.has(name)));
}

function schemaOf(shape: Shape): JsonSchema {
  return { ...kindOf(shape), ...shape.about === undefined ? {} : { description: shape.about } };
}

function kindOf(shape: Shape): JsonSchema {
  switch (shape.kind) {
    case "string":
      return { type: "string", ...shape.pattern === undefined ? {} : { pattern: shape.pattern } };
    case "int":
      return { type: "integer" };
    case "bool":
      return { type: "boolean" };
    case "any":
      return {};
    case "words":
      return { type: "string", enum: shape.words };
    case "list":
      return { type: "array", items: schemaOf(shape.of) };
    case "map":
      return { type: "object", additionalProperties: schemaOf(shape.of) };
    case "name":
      return { $ref: reference(shape.name) };
    case "struct":
      return {
        type: "object",
        properties: Object.fromEntries(shape.fields.map(({ name, shape }) => [name, schemaOf(shape)])),
        required: shape.fields.filter(({ optional }) => !optional).map(({ name }) => name),
      };
  }
}
