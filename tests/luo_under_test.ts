/** The `luo` that tests start: the checkout, or the single executable that LUO_TEST_BINARY names. */
import { PERMISSIONS } from "../commands/processes/own_command.ts";

const MAIN = new URL("../main.ts", import.meta.url).pathname;

/** The single executable under test; undefined when the checkout is under test. */
export const BINARY: string | undefined = Deno.env.get("LUO_TEST_BINARY") || undefined;

/** Program and first arguments of `luo`, as a shell would write them before luo's own arguments. */
export const LUO: readonly [program: string, ...args: string[]] = BINARY === undefined
  ? [Deno.execPath(), "run", "--quiet", ...PERMISSIONS, MAIN]
  : [BINARY];

/** A `luo` command with these arguments, not started yet. */
export function luoCommand(args: readonly string[], options: Deno.CommandOptions = {}): Deno.Command {
  const [program, ...first] = LUO;
  return new Deno.Command(program, { ...options, args: [...first, ...args] });
}
