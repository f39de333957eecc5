/** `--flag=` without a value, and values with newlines: stricli takes such words for arguments. */
import { Failure } from "../errors/failure.ts";
import { flagName, type Flags } from "./repeated_flags.ts";

/** The words with each such value as a word of its own. A failure: a switch takes no value. Words after `--` are no flags. */
export function withValuesApart(args: readonly string[], flags: Flags): readonly string[] | Failure {
  const apart = args.indexOf("--");
  const end = apart < 0 ? args.length : apart;
  const words: string[] = [];
  for (const word of args.slice(0, end)) {
    const [, flag, value = ""] = /^(--[A-Za-z][\w.-]*)=(.*)$/s.exec(word) ?? [];
    if (flag === undefined || (value !== "" && !value.includes("\n"))) {
      words.push(word);
      continue;
    }
    const kind = flags[flagName(flag, flags) ?? ""]?.kind;
    if (kind === "boolean") return switchWithValue(flag, value);
    // stricli says that it does not know the flag.
    words.push(...kind === undefined ? [flag] : [flag, value]);
  }
  return [...words, ...args.slice(end)];
}

function switchWithValue(flag: string, value: string): Failure {
  return new Failure("usage", `Cannot use "${value}" for ${flag}: it is a switch, which takes no value`);
}
