/** The argument KEY. */
import { keyProblem } from "../../lib/agent/value_limits.ts";
import { Failure } from "../errors/failure.ts";

/** The positional argument KEY. */
export function keyArgument(brief: string) {
  return { brief, parse: String, placeholder: "KEY" } as const;
}

/** The key, when the agent would take it. @throws Failure usage */
export function parseKey(key: string): string {
  const problem = keyProblem(key);
  if (problem !== undefined) throw new Failure("usage", `Cannot use "${key}": ${problem}`);
  return key;
}
