/** What the last word of a command line is: the value of a flag, or an argument. */
import type { CommandInfo } from "./route_tree.ts";

/** The place of a word that is to be completed. */
export interface Place {
  /** The command: `session create`. */
  readonly command: string;
  /** The name of a flag, or the placeholder of an argument. */
  readonly name: string;
  /** The part of the word that is there. */
  readonly word: string;
  /** The arguments before it. */
  readonly given: readonly string[];
  /** The values of the flags before it. */
  readonly flags: ReadonlyMap<string, string>;
}

/** @param words all after the command's own words; the last one is to be completed */
export function placeOf(info: CommandInfo, words: readonly string[]): Place | undefined {
  const command = info.path.join(" ");
  const takesValue = new Set(info.flags.filter(({ placeholder }) => placeholder).map(({ name }) => name));
  const given: string[] = [];
  const flags = new Map<string, string>();
  let flag: string | undefined;
  for (const word of words.slice(0, -1)) {
    const [, name = "", value] = /^--([\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (flag !== undefined) {
      flags.set(flag, word);
      flag = undefined;
    } else if (word === "--") return undefined;
    else if (name === "") given.push(word);
    else if (value !== undefined) flags.set(name, value);
    else if (takesValue.has(name)) flag = name;
  }
  const last = words.at(-1) ?? "";
  const [, own, value = ""] = /^--([\w-]+)=(.*)$/s.exec(last) ?? [];
  if (flag !== undefined) return { command, name: flag, word: last, given, flags };
  if (own !== undefined) return { command, name: own, word: value, given, flags };
  if (last.startsWith("-")) return undefined;
  const name = info.positional[Math.min(given.length, info.positional.length - 1)];
  return name === undefined ? undefined : { command, name, word: last, given, flags };
}
