/** Types in TypeScript, written from their description: for programs that use them without the schema library. */
import { type Field, fieldsOf, type NamedType, type Shape } from "../../lib/schema/shape.ts";
import { wrap } from "../../lib/schema/wrap.ts";

/** Columns of a line in a comment. */
const WIDTH = 100;

/** The names of types in TypeScript, where they differ from those in JSON. */
export type TypeNames = Readonly<Record<string, string>>;

/** The exported declaration of a named type. */
export function declaration({ name, shape }: NamedType, names: TypeNames): string {
  const head = comment(shape.about);
  if (shape.kind !== "struct") {
    return `${head}export type ${called(name, names)} = ${typeText(shape, names)};\n`;
  }
  const fields = fieldsOf(shape).map((field) => fieldText(field, names, referred(field.shape, names)));
  return `${head}export interface ${called(name, names)} {\n${fields.join("\n")}\n}\n`;
}

/** A type as it stands after a colon. */
export function typeText(shape: Shape, names: TypeNames): string {
  switch (shape.kind) {
    case "string":
      return "string";
    case "int":
      return "number";
    case "bool":
      return "boolean";
    case "any":
      return "unknown";
    case "words":
      return shape.words.map((word) => JSON.stringify(word)).join(" | ");
    case "list":
      return `${element(shape.of, names)}[]`;
    case "map":
      return `Record<string, ${typeText(shape.of, names)}>`;
    case "name":
      return called(shape.name, names);
    case "struct":
      return structText(shape, names);
  }
}

/** A comment of one sentence or more, before a declaration. */
export function comment(words: string | undefined): string {
  if (words === undefined) return "";
  const lines = wrap(words.replaceAll("*/", "*\\/"), WIDTH);
  const [line = ""] = lines;
  return lines.length === 1
    ? `/** ${line} */\n`
    : `/**\n${lines.map((line) => ` * ${line}\n`).join("")} */\n`;
}

/** On one line where no field has a comment; `deno fmt` breaks it when that is too long. */
function structText(shape: Shape, names: TypeNames): string {
  const fields = fieldsOf(shape);
  if (fields.length === 0) return "Record<string, never>";
  const rows = fields.map((field) => fieldText(field, names));
  const bare = fields.every(({ shape }) => shape.about === undefined);
  return bare ? `{ ${rows.join(" ")} }` : `{\n${rows.join("\n")}\n}`;
}

function fieldText({ name, optional, shape }: Field, names: TypeNames, otherwise?: string): string {
  return `${comment(shape.about ?? otherwise)}${name}${optional ? "?" : ""}: ${typeText(shape, names)};`;
}

/** A field that is only a reference to a type: the meaning stands there. */
function referred(shape: Shape, names: TypeNames): string | undefined {
  if (shape.kind === "name") return `See \`${called(shape.name, names)}\`.`;
  return shape.kind === "list" ? referred(shape.of, names) : undefined;
}

function element(shape: Shape, names: TypeNames): string {
  const text = typeText(shape, names);
  return shape.kind === "words" ? `(${text})` : text;
}

/** The name of a type in TypeScript. */
export function called(name: string, names: TypeNames): string {
  return Object.hasOwn(names, name) ? names[name] ?? name : name;
}
