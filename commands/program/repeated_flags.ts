/** A flag that is given twice: the last one wins, as with getopt_long(3) and so in kexec-tools. */
import type { Command } from "@stricli/core";
import type { Context } from "../base/context.ts";

/** The flags of a command, by their names in the code. */
export type Flags = NonNullable<Command<Context>["parameters"]["flags"]>;

/** A flag on the command line: its name, its first word, and how many words it has. */
interface Occurrence {
  readonly name: string;
  readonly at: number;
  readonly length: number;
}

/**
 * The words without the flags that come again later; flags that collect their values stay (`--initrd`). Words after `--` are
 * not flags.
 */
export function lastWins(args: readonly string[], flags: Flags): readonly string[] {
  const found = occurrences(args, flags);
  const dropped = new Set<number>();
  for (const [index, { name, at, length }] of found.entries()) {
    if (collects(flags, name) || !found.slice(index + 1).some((later) => later.name === name)) continue;
    for (let word = at; word < at + length; word++) dropped.add(word);
  }
  return dropped.size === 0 ? args : args.filter((_, at) => !dropped.has(at));
}

function occurrences(args: readonly string[], flags: Flags): Occurrence[] {
  const apart = args.indexOf("--");
  const end = apart < 0 ? args.length : apart;
  const found: Occurrence[] = [];
  for (let at = 0; at < end;) {
    const name = flagName(args[at], flags);
    const own = name !== undefined && takesNextWord(args[at], flags[name]?.kind) &&
      flagName(args[at + 1], flags) === undefined;
    const length = own ? Math.min(2, end - at) : 1;
    if (name !== undefined) found.push({ name, at, length });
    at += length;
  }
  return found;
}

/** The flag's name in the code; undefined for a word that is no flag of the command. */
export function flagName(word: string | undefined, flags: Flags): string | undefined {
  const [, typed] = /^--([A-Za-z][\w-]*)(?:=|$)/s.exec(word ?? "") ?? [];
  const name = typed?.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return name !== undefined && Object.hasOwn(flags, name) ? name : undefined;
}

function takesNextWord(word: string | undefined, kind: string | undefined): boolean {
  return kind !== "boolean" && kind !== "counter" && !word?.includes("=");
}

function collects(flags: Flags, name: string): boolean {
  const flag = flags[name];
  return flag !== undefined && "variadic" in flag && flag.variadic !== undefined && flag.variadic !== false;
}
