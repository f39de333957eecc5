/** The arguments of commands that work on one session or, with `--all`, on many. */
import { Failure } from "../errors/failure.ts";
import { parseSession } from "./session_name.ts";

/** `--all`; its brief says which sessions. */
export function allFlag(brief: string) {
  return { kind: "boolean", default: false, withNegated: false, brief } as const;
}

/** The positional argument SESSION that `--all` stands in for. */
export function optionalSession(brief: string) {
  return {
    kind: "tuple",
    parameters: [{ brief, parse: String, placeholder: "SESSION", optional: true }],
  } as const;
}

/** The name; undefined for all sessions. @throws Failure usage: neither is given, or both */
export function parseOneOrAll(all: boolean, name: string | undefined): string | undefined {
  if (all && name !== undefined) throw new Failure("usage", "Cannot take both SESSION and --all");
  if (all) return undefined;
  if (name === undefined) throw new Failure("usage", "Cannot go on without SESSION or --all");
  return parseSession(name);
}
