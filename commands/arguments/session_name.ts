import { sessionNameProblem } from "../../lib/session.ts";
import { Failure } from "../errors/failure.ts";

/** The positional SESSION. */
export function sessionArgument(brief: string) {
  return { brief, parse: String, placeholder: "SESSION" } as const;
}

/** A name the kernel would take. */
export function parseSession(name: string): string {
  const problem = sessionNameProblem(name);
  if (problem !== undefined) throw new Failure("usage", `Cannot use "${name}": ${problem}`);
  return name;
}
