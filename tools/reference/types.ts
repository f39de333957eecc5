/** lib/schema/types.ts, written from the description of every type and of every command's answer. */
import { ALL_TYPES } from "../../lib/schema/all_types.ts";
import { ANSWERS } from "../../lib/schema/answers.ts";
import { Journal } from "../../lib/schema/journal.ts";
import { namedType, shapeOf } from "../../lib/schema/shape.ts";
import { NAMES } from "./type_names.ts";
import { comment, declaration, typeText } from "./typescript.ts";

/** The whole file, before `deno fmt`. */
export function types(): string {
  const answers = Object.entries(ANSWERS).map(([command, { remark, object }]) =>
    `${comment(remark)}${JSON.stringify(command)}: ${typeText(shapeOf(object), NAMES)};`
  );
  return [
    "/** All data that luo tells of, as types of TypeScript: `deno task reference` writes this file from its neighbours. */",
    "",
    ...[...ALL_TYPES, Journal].map((schema) => declaration(namedType(schema), NAMES)),
    "/** The object that each command prints with `--json`. */",
    `export interface Answers {\n${answers.join("\n")}\n}`,
    "",
  ].join("\n");
}
