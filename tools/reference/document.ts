/** The reference parts of docs/json.md, written from the description of types, answers and failures. */
import { EXIT_OF_KIND } from "../../commands/errors/failure.ts";
import { ALL_TYPES } from "../../lib/schema/all_types.ts";
import { ANSWERS } from "../../lib/schema/answers.ts";
import { FAILURE_KINDS } from "../../lib/schema/failure.ts";
import { type Field, type NamedType, namedType, type Shape, shapeOf } from "../../lib/schema/shape.ts";

/** The document with its reference parts as the description has them. @throws TypeError a part is missing */
export function document(text: string): string {
  return Object.entries({ answers, objects, kinds }).reduce((text, [name, part]) => {
    const [begin, end] = [`<!-- ${name}: written by deno task reference -->`, `<!-- end of ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new TypeError(`Cannot find where "${name}" stands in the document`);
    return `${text.slice(0, from)}${begin}\n\n${part()}\n\n${text.slice(to)}`;
  }, text);
}

function answers(): string {
  return Object.entries(ANSWERS).map(([command, { object, remark }]) => {
    const shape = shapeOf(object);
    const fields = shape.kind === "struct"
      ? shape.fields.filter(({ shape }) => shape.about !== undefined)
      : [];
    const meanings = fields.map(({ name, shape }) => `\`${name}\`: ${sentence(shape.about)}`);
    return `- \`${command}\`: ${
      [`${code(shape)}.`, ...remark === undefined ? [] : [remark], ...meanings].join(" ")
    }`;
  }).join("\n");
}

/** An object as one reads it in a line: `{"session": Session}`. */
function code(shape: Shape): string {
  if (shape.kind !== "struct") return kind(shape);
  const fields = shape.fields.map(({ name, optional, shape }) =>
    `"${name}"${optional ? "?" : ""}: ${short(shape)}`
  );
  return `\`{${fields.join(", ")}}\``;
}

function short(shape: Shape): string {
  switch (shape.kind) {
    case "list":
      return `[${short(shape.of)} ...]`;
    case "name":
      return shape.name;
    case "string":
    case "words":
      return "TEXT";
    case "int":
      return "NUMBER";
    case "bool":
      return "BOOLEAN";
    default:
      return "OBJECT";
  }
}

function objects(): string {
  return ALL_TYPES.map(namedType).map(section).join("\n\n");
}

function section({ name, shape }: NamedType): string {
  if (shape.kind === "words" && shape.meanings !== undefined) {
    return `### ${name}\n\n${meanings(shape.meanings)}`;
  }
  const head = `### ${name}\n\n${shape.about ?? ""}`;
  return shape.kind === "struct" ? `${head}\n\n${rows(shape.fields, "")}` : head;
}

function meanings(words: Readonly<Record<string, string>>): string {
  return Object.entries(words).map(([word, meaning]) => `- \`${word}\`: ${meaning}.`).join("\n");
}

function rows(fields: readonly Field[], indent: string): string {
  return fields.map(({ name, optional, shape }) => {
    const words = [`${kind(shape)}${optional ? ", optional" : ""}.`, sentence(shape.about)].filter(Boolean)
      .join(" ");
    const below = inner(shape);
    return `${indent}- \`${name}\`: ${words}${below.length === 0 ? "" : `\n${rows(below, `${indent}  `)}`}`;
  }).join("\n");
}

/** The fields of an object that has no name of its own. */
function inner(shape: Shape): readonly Field[] {
  if (shape.kind === "list") return inner(shape.of);
  return shape.kind === "struct" ? shape.fields : [];
}

function kind(shape: Shape): string {
  switch (shape.kind) {
    case "string":
      return "text";
    case "int":
      return "number";
    case "bool":
      return "boolean";
    case "any":
    case "struct":
      return "object";
    case "words":
      return shape.words.map((word) => `\`${word}\``).join(" or ");
    case "list":
      return `list of ${kind(shape.of)}`;
    case "map":
      return `object of ${kind(shape.of)} by key`;
    case "name":
      return `[${shape.name}](#${shape.name.toLowerCase()})`;
  }
}

function sentence(words: string | undefined): string {
  return words === undefined ? "" : words.endsWith(".") ? words : `${words}.`;
}

function kinds(): string {
  const exits: Readonly<Record<string, number>> = EXIT_OF_KIND;
  const lines = Object.entries(FAILURE_KINDS).map(([kind, meaning]) =>
    `| \`${kind}\` | ${exits[kind]} | ${meaning} |`
  );
  return ["| kind | exit | |", "| --- | --- | --- |", ...lines].join("\n");
}
