/** The help that the single executable has ready, so that it need not load the commands. */
import { inBinary } from "../../lib/version.ts";

/** The name of a help page: the words of the command line. A word may have spaces in it. */
export function helpKey(args: readonly string[]): string {
  return args.join("\n");
}

/** The help that this command line asks for. Undefined in a checkout, and for every other command line. */
export function readyHelp(args: readonly string[]): string | undefined {
  return inBinary()?.help(helpKey(args));
}
