/**
 * Command lines without options but `--json`. They are most of those in scripts, and need no parser: to load it takes as long as to ask the
 * agent, and to call it half the time of a request in a batch.
 */
import type { Command } from "@stricli/core";
import type { Context } from "../base/context.ts";

type Parameters = Command<Context>["parameters"];
type Flag = NonNullable<Parameters["flags"]>[string];
type Positional = NonNullable<Parameters["positional"]>;

/**
 * What the command's function takes, for the words after the command. Undefined: the parser must read the line, or say what is wrong
 * with it.
 */
export function plainArguments(
  { flags = {}, positional }: Parameters,
  rest: readonly string[],
  context: Context,
): [flags: Record<string, unknown>, ...args: unknown[]] | undefined {
  const words = rest.filter((word) => word !== "--json");
  if (words.some((word) => word === "" || word.startsWith("-"))) return undefined;
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const value = unset(flag);
    if (value === PARSER) return undefined;
    values[name] = value;
  }
  if (words.length < rest.length) {
    if (flags.json?.kind !== "boolean") return undefined;
    values.json = true;
  }
  const args = positional === undefined ? none(words) : positionals(positional, words, context);
  return args && [values, ...args];
}

/** Stands for a value that only the parser can tell. */
const PARSER = Symbol("the parser");

/** The value of a flag that is not given, as stricli has it. */
function unset(flag: Flag): unknown {
  if ("default" in flag && flag.default !== undefined) return flag.kind === "boolean" ? flag.default : PARSER;
  if (flag.optional) return undefined;
  return flag.kind === "boolean" ? false : PARSER;
}

function none(words: readonly string[]): [] | undefined {
  return words.length === 0 ? [] : undefined;
}

function positionals(
  positional: Positional,
  words: readonly string[],
  context: Context,
): unknown[] | undefined {
  if (positional.kind !== "tuple" || words.length > positional.parameters.length) return undefined;
  const values: unknown[] = [];
  for (const [index, parameter] of positional.parameters.entries()) {
    const word = words[index];
    if (word === undefined && (parameter.default !== undefined || !parameter.optional)) return undefined;
    const value = word === undefined ? undefined : parsed(() => parameter.parse.call(context, word));
    if (value === PARSER || value instanceof Promise) return undefined;
    values.push(value);
  }
  return values;
}

/** The functions that read a word are pure: the parser can call them again, and shows their errors. */
function parsed(parse: () => unknown): unknown {
  try {
    return parse();
  } catch {
    return PARSER;
  }
}
