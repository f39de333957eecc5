/** lib/schema/types.ts and answer_types.ts, written from the description of every type and of every command's answer. */
import { INTERFACE_TYPES } from "../../lib/schema/agent_interface.ts";
import { ANSWER_TYPES } from "../../lib/schema/all_types.ts";
import { ANSWERS } from "../../lib/schema/answers.ts";
import { Journal, StoredValue } from "../../lib/schema/journal.ts";
import { REPORT_TYPES } from "../../lib/schema/report.ts";
import { UPDATE_TYPES } from "../../lib/schema/update.ts";
import { namedType, shapeOf } from "../../lib/schema/shape.ts";
import { NAMES } from "./type_names.ts";
import { called, comment, declaration, typeText } from "./typescript.ts";

/** The types of the agent's interface and of its journal, before `deno fmt`. */
export function types(): string {
  return [
    "/** The data of the agent as types of TypeScript: `deno task reference` writes this file from its neighbours. */",
    "",
    `export type * from "./update_types.ts";`,
    "",
    ...[...INTERFACE_TYPES.filter((schema) => !UPDATE_TYPES.includes(schema)), Journal, StoredValue]
      .map((schema) => declaration(namedType(schema), NAMES)),
  ].join("\n");
}

/** The types of a live update, before `deno fmt`. */
export function updateTypes(): string {
  return [
    "/** The data of a live update as types of TypeScript: `deno task reference` writes this file from its neighbours. */",
    `import type { FileState } from "./types.ts";`,
    "",
    ...UPDATE_TYPES.map((schema) => declaration(namedType(schema), NAMES)),
  ].join("\n");
}

/** The types of the report of a live update, before `deno fmt`. */
export function reportTypes(): string {
  return [
    "/** The data of a report as types of TypeScript: `deno task reference` writes this file from its neighbours. */",
    `import type { UpdateEventName, UpdateOutcome } from "./update_types.ts";`,
    "",
    ...REPORT_TYPES.map((schema) => declaration(namedType(schema), NAMES)),
  ].join("\n");
}

/** The types of the other data that commands print, before `deno fmt`. */
export function answerTypes(): string {
  const answers = Object.entries(ANSWERS).map(([command, { remark, object }]) =>
    `${comment([`The answer of \`${command}\`.`, remark].filter(Boolean).join(" "))}${
      JSON.stringify(command)
    }: ${typeText(shapeOf(object), NAMES)};`
  ).join("\n");
  const imported = INTERFACE_TYPES.map((schema) => called(namedType(schema).name, NAMES))
    .filter((name) => new RegExp(`\\b${name}\\b`).test(answers)).sort();
  const reported = REPORT_TYPES.map((schema) => called(namedType(schema).name, NAMES))
    .filter((name) => new RegExp(`\\b${name}\\b`).test(answers)).sort();
  const parts = ANSWER_TYPES.map((schema) => called(namedType(schema).name, NAMES))
    .filter((name) => new RegExp(`\\b${name}\\b`).test(answers)).sort();
  return [
    "/** The answers of commands as types of TypeScript: `deno task reference` writes this file from its neighbours. */",
    `import type { ${imported.join(", ")} } from "./types.ts";`,
    `import type { ${reported.join(", ")} } from "./report_types.ts";`,
    `import type { ${parts.join(", ")} } from "./answer_parts.ts";`,
    "",
    `export type * from "./answer_parts.ts";`,
    "",
    "/** The object that each command prints with `--json`. */",
    `export interface Answers {\n${answers}\n}`,
    "",
  ].join("\n");
}

/** The types that answers of commands refer to, apart from those of the agent, before `deno fmt`. */
export function answerParts(): string {
  return [
    "/** Data in the answers of commands as types of TypeScript: `deno task reference` writes this file from its neighbours. */",
    "",
    ...ANSWER_TYPES.map((schema) => declaration(namedType(schema), NAMES)),
  ].join("\n");
}
