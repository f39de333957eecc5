/** The argument SESSION. */
import { sessionNameProblem } from "../../lib/session.ts";
import { Failure } from "../errors/failure.ts";

/** The positional argument SESSION. */
export function sessionArgument(brief: string) {
  return { brief, parse: String, placeholder: "SESSION" } as const;
}

/** The name, when the kernel would take it. @throws Failure usage */
export function parseSession(name: string): string {
  const problem = sessionNameProblem(name);
  if (problem !== undefined) throw new Failure("usage", `Cannot use "${name}": ${problem}`);
  return name;
}
