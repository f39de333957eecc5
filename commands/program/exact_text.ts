/** Arguments and variables as they were given: Deno replaces what is not UTF-8, or throws. /proc has the bytes. */
import { decodeOsText } from "../../ffi/abi/os_text.ts";
import { getppid } from "../../ffi/process.ts";
import { read_bytes } from "../../ffi/proc.ts";
import { Failure } from "../errors/failure.ts";

/** The files with the bytes of the arguments. The parent counts too: `deno task` passes arguments on with replacements. */
const COMMAND_LINES = [
  () => read_bytes(`/proc/${getppid()}/cmdline`),
  () => read_bytes("/proc/self/cmdline"),
];

/**
 * The arguments that Deno gave, without its replacements. A byte that is no UTF-8 is then a lone surrogate (ffi/abi/os_text.ts).
 *
 * @throws Failure `usage`: the bytes are not to be had
 */
export function exactArguments(
  args: readonly string[],
  commandLines: readonly (() => Uint8Array | undefined)[] = COMMAND_LINES,
): readonly string[] {
  const lossy = new TextDecoder("utf-8", { ignoreBOM: true });
  for (const commandLine of commandLines) {
    const all = split(commandLine() ?? new Uint8Array(0));
    // Words of Deno come first; in the single executable there are none.
    const words = all.slice(Math.max(0, all.length - args.length));
    if (args.length === words.length && args.every((word, index) => lossy.decode(words[index]) === word)) {
      return words.map(decodeOsText);
    }
  }
  throw new Failure("usage", "Cannot read the arguments: one of them is not UTF-8", {
    hints: ["the bytes are in /proc/self/cmdline: mount /proc"],
  });
}

/**
 * A variable's value, UTF-8 or not.
 *
 * @throws Failure `usage`: the bytes are not to be had
 */
export function exactVariable(
  name: string,
  environment: () => Uint8Array | undefined = () => read_bytes("/proc/self/environ"),
): string {
  const prefix = `${name}=`;
  const entry = split(environment() ?? new Uint8Array(0)).map(decodeOsText)
    .find((one) => one.startsWith(prefix));
  if (entry !== undefined) return entry.slice(prefix.length);
  throw new Failure("usage", `Cannot read ${name}: it is not UTF-8`, {
    hints: ["the bytes are in /proc/self/environ: mount /proc"],
  });
}

/** The words of a file of /proc, each ended by a NUL. */
function split(bytes: Uint8Array): Uint8Array[] {
  const words: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0, at);
    const stop = end < 0 ? bytes.length : end;
    words.push(bytes.subarray(at, stop));
    at = stop + 1;
  }
  return words;
}
