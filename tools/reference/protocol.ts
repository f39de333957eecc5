/** lib/agent/protocol.ts, written from the description of the agent's interface. */
import { INTERFACE_NOTES, INTERFACE_TYPES } from "../../lib/schema/agent_interface.ts";
import { ERRORS } from "../../lib/schema/errors.ts";
import { type Method, METHODS } from "../../lib/schema/methods.ts";
import { UPDATE_METHODS } from "../../lib/schema/update_methods.ts";
import { struct } from "../../lib/schema/parts.ts";
import { namedType, shapeOf } from "../../lib/schema/shape.ts";
import { NAMES } from "./type_names.ts";
import { called, comment, typeText } from "./typescript.ts";

/** The whole file, before `deno fmt`. */
export function protocol(): string {
  const methods = Object.entries(METHODS).filter(([name]) => !Object.hasOwn(UPDATE_METHODS, name)).map(
    methodText,
  );
  const types = INTERFACE_TYPES.map((schema) => called(namedType(schema).name, NAMES)).sort();
  return [
    "/**",
    " * What is said on the agent's socket: the Varlink interface `io.luo.Agent` as types of TypeScript. `deno task reference` writes",
    " * this file from lib/schema; edit the description there.",
    " *",
    ...INTERFACE_NOTES.slice(1).map((note) => ` * ${note}`),
    " *",
    " * @module",
    " */",
    `import type { ${types.join(", ")} } from "../schema/types.ts";`,
    `import type { UpdateMethods } from "./protocol_updates.ts";`,
    "",
    "export type { UpdateMethods };",
    "",
    "/** The name of the interface. */",
    `export const INTERFACE = "io.luo.Agent";`,
    "",
    `export type { ${types.join(", ")} };`,
    "",
    "/** Request and answer of every method. `force` overrides what is answered with `Refused`. */",
    `export interface Methods extends UpdateMethods {\n${methods.join("\n")}\n}`,
    "",
    "/** The name of a method. */",
    "export type MethodName = keyof Methods;",
    "",
    `export type { ErrorName, Errors } from "./protocol_errors.ts";`,
    "",
  ].join("\n");
}

/** lib/agent/protocol_errors.ts, before `deno fmt`. */
export function protocolErrors(): string {
  const errors = Object.entries(ERRORS).map(([name, { about, parameters }]) =>
    `${comment(about)}${name}: ${typeText(shapeOf(parameters), NAMES)};`
  );
  const text = errors.join("\n");
  return [
    "/** The errors of the Varlink interface `io.luo.Agent` as types of TypeScript: `deno task reference` writes this file. */",
    `import type { ${typesIn(text).join(", ")} } from "../schema/types.ts";`,
    "",
    "/** Errors of `io.luo.Agent`, with their parameters. Those of `org.varlink.service` are used as that interface defines them. */",
    `export interface Errors {\n${text}\n}`,
    "",
    "/** The name of an error. */",
    "export type ErrorName = keyof Errors;",
    "",
  ].join("\n");
}

function methodText([name, { about, request, reply }]: [string, Method]): string {
  const sent = typeText(shapeOf(struct(request)), NAMES);
  return `${comment(about)}${name}: { request: ${sent}; reply: ${typeText(shapeOf(reply), NAMES)} };`;
}

/** lib/agent/protocol_updates.ts, before `deno fmt`. */
export function protocolUpdates(): string {
  const text = Object.entries(UPDATE_METHODS).map(methodText).join("\n");
  return [
    "/** The methods of `io.luo.Agent` about live updates as types of TypeScript: `deno task reference` writes this file. */",
    `import type { ${typesIn(text).join(", ")} } from "../schema/types.ts";`,
    "",
    "/** Request and answer of each of these methods. */",
    `export interface UpdateMethods {\n${text}\n}`,
    "",
  ].join("\n");
}

/** The types of the interface that a text names. */
function typesIn(text: string): string[] {
  return INTERFACE_TYPES.map((schema) => called(namedType(schema).name, NAMES))
    .filter((name) => new RegExp(`\\b${name}\\b`).test(text)).sort();
}
