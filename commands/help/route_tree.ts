/** All commands and flags as plain data. */
import type { Command, RouteMap } from "@stricli/core";
import type { Context } from "../base/context.ts";

/** A flag, for documentation and completion. */
export interface FlagInfo {
  /** As typed, without dashes: `command-line`. */
  readonly name: string;
  readonly brief: string;
  /** Undefined: the flag takes no value. */
  readonly placeholder?: string;
  readonly values: readonly string[];
  readonly optional: boolean;
}

export interface CommandInfo {
  /** The words that are typed: `["session", "create"]`. */
  readonly path: readonly string[];
  readonly brief: string;
  readonly description: string;
  readonly flags: readonly FlagInfo[];
  /** The placeholders: `["SESSION"]`. */
  readonly positional: readonly string[];
  /** Placeholders with their briefs. */
  readonly parameters: readonly (readonly [placeholder: string, brief: string])[];
}

export interface GroupInfo {
  readonly path: readonly string[];
  readonly brief: string;
  /** Name and brief of each command and group directly below. */
  readonly entries: readonly { readonly name: string; readonly brief: string }[];
}

export interface RouteTree {
  readonly groups: readonly GroupInfo[];
  readonly commands: readonly CommandInfo[];
}

/** The route map as plain data, without hidden routes. */
export function routeTree(root: RouteMap<Context>): RouteTree {
  const groups: GroupInfo[] = [];
  const commands: CommandInfo[] = [];
  visit(root, []);
  return { groups, commands };

  function visit(map: RouteMap<Context>, path: readonly string[]): void {
    const entries = map.getAllEntries().filter((entry) => !entry.hidden);
    groups.push({
      path,
      brief: map.brief,
      entries: entries.map(({ name, target }) => ({ name: name.original, brief: target.brief })),
    });
    for (const { name, target } of entries) {
      const below = [...path, name.original];
      if ("getAllEntries" in target) visit(target, below);
      else commands.push(commandInfo(target, below));
    }
  }
}

export function commandInfo(command: Command<Context>, path: readonly string[]): CommandInfo {
  const { flags = {}, positional } = command.parameters;
  const parameters =
    (positional === undefined
      ? []
      : positional.kind === "tuple"
      ? positional.parameters
      : [positional.parameter]).map(({ placeholder = "ARG", brief }) => [placeholder, brief] as const);
  return {
    path,
    brief: command.brief,
    description: command.fullDescription ?? command.brief,
    flags: Object.entries(flags).filter(([, flag]) => !flag.hidden)
      .map(([name, flag]) => flagInfo(kebab(name), flag)),
    // A list of arguments has one placeholder with the names of all: `SESSION TOKEN`.
    positional: parameters.flatMap(([placeholder]) => placeholder.split(" ")),
    parameters,
  };
}

/** The flag as it is typed: `--socket PATH`. */
export function signature({ name, placeholder }: FlagInfo): string {
  return placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`;
}

type Flag = NonNullable<Command<Context>["parameters"]["flags"]>[string];

function flagInfo(name: string, flag: Flag): FlagInfo {
  const { brief, kind } = flag;
  const optional = kind === "boolean" || flag.optional === true ||
    ("default" in flag && flag.default !== undefined);
  if (kind === "boolean" || kind === "counter") return { name, brief, values: [], optional };
  const values = kind === "enum" ? flag.values : [];
  const placeholder = flag.placeholder ?? (kind === "enum" ? values.join("|") : "VALUE");
  return { name, brief, placeholder, values, optional };
}

/** The name as stricli shows and accepts it: `commandLine` is `--command-line`. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
