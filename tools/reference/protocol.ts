/** lib/agent/protocol.ts, written from the description of the agent's interface. */
import { INTERFACE_NOTES, INTERFACE_TYPES } from "../../lib/schema/agent_interface.ts";
import { ERRORS } from "../../lib/schema/errors.ts";
import { METHODS } from "../../lib/schema/methods.ts";
import { struct } from "../../lib/schema/parts.ts";
import { namedType, shapeOf } from "../../lib/schema/shape.ts";
import { NAMES } from "./type_names.ts";
import { called, comment, typeText } from "./typescript.ts";

/** The whole file, before `deno fmt`. */
export function protocol(): string {
  const methods = Object.entries(METHODS).map(([name, { about, request, reply }]) =>
    `${comment(about)}${name}: { request: ${typeText(shapeOf(struct(request)), NAMES)}; reply: ${
      typeText(shapeOf(reply), NAMES)
    } };`
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
    "",
    "/** The name of the interface. */",
    `export const INTERFACE = "io.luo.Agent";`,
    "",
    `export type { ${types.join(", ")} };`,
    "",
    "/** Request and answer of every method. `force` overrides what is answered with `Refused`. */",
    `export interface Methods {\n${methods.join("\n")}\n}`,
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
  const types = INTERFACE_TYPES.map((schema) => called(namedType(schema).name, NAMES))
    .filter((name) => new RegExp(`\\b${name}\\b`).test(text)).sort();
  return [
    "/** The errors of the Varlink interface `io.luo.Agent` as types of TypeScript: `deno task reference` writes this file. */",
    `import type { ${types.join(", ")} } from "../schema/types.ts";`,
    "",
    "/** Errors of `io.luo.Agent`, with their parameters. Those of `org.varlink.service` are used as that interface defines them. */",
    `export interface Errors {\n${text}\n}`,
    "",
    "/** The name of an error. */",
    "export type ErrorName = keyof Errors;",
    "",
  ].join("\n");
}
