/** The interface as Varlink writes it (https://varlink.org/Interface-Definition): what `GetInterfaceDescription` serves. */
import { INTERFACE_NOTES, INTERFACE_TYPES } from "./agent_interface.ts";
import { ERRORS } from "./errors.ts";
import { METHODS } from "./methods.ts";
import { struct } from "./parts.ts";
import { type Field, namedType, type Shape, shapeOf } from "./shape.ts";
import { wrap } from "./wrap.ts";

/** Columns that no line of the description goes beyond, but for a long word. */
const WIDTH = 100;

/** The description of the interface called `name`. */
export function varlinkText(name: string): string {
  const types = INTERFACE_TYPES.map(namedType).map(({ name, shape }) =>
    [...comment(shape.about), `type ${name} ${typeText(shape)}`].join("\n")
  );
  const methods = Object.entries(METHODS).map(([name, { about, request, reply }]) =>
    [...comment(about), `method ${name}${typeText(shapeOf(struct(request)))} -> ${typeText(shapeOf(reply))}`]
      .join("\n")
  );
  const errors = Object.entries(ERRORS).map(([name, { about, parameters }]) =>
    [...comment(about), `error ${name} ${typeText(shapeOf(parameters))}`].join("\n")
  );
  const head = [...INTERFACE_NOTES.map((note) => `# ${note}`), `interface ${name}`].join("\n");
  return [head, ...types, ...methods, ...errors].join("\n\n") + "\n";
}

function typeText(shape: Shape): string {
  switch (shape.kind) {
    case "words":
      return `(${shape.words.join(", ")})`;
    case "list":
      return `[]${typeText(shape.of)}`;
    case "map":
      return `[string]${typeText(shape.of)}`;
    case "name":
      return shape.name;
    case "any":
      return "object";
    case "struct":
      return structText(shape.fields);
    default:
      return shape.kind;
  }
}

/** On one line when that is short and no field has a comment. */
function structText(fields: readonly Field[]): string {
  const texts = fields.map(({ name, optional, shape }) =>
    `${name}: ${optional ? "?" : ""}${typeText(shape)}`
  );
  const line = `(${texts.join(", ")})`;
  if (line.length <= WIDTH - 20 && fields.every(({ shape }) => shape.about === undefined)) return line;
  const rows = fields.map(({ shape }, at) => {
    const row = `${texts[at]}${at === fields.length - 1 ? "" : ","}`;
    return [...comment(shape.about), row].map((text) => `  ${text}`).join("\n");
  });
  return `(\n${rows.join("\n")}\n)`;
}

function comment(words: string | undefined): string[] {
  return words === undefined ? [] : wrap(words, WIDTH - 2).map((line) => `# ${line}`);
}
