/** The answer to `--help`. */
import type { Command, RouteMap } from "@stricli/core";
import { EXIT_MEANING } from "../base/exit_codes.ts";
import type { Context } from "../base/context.ts";
import { commandInfo, type FlagInfo, signature } from "./route_tree.ts";
import { definitions, fill, HELP_COLUMNS, wrapText } from "./wrap.ts";

/** `usage` are the lines of stricli's USAGE section, without their indentation. */
export function helpText(target: Command<Context> | RouteMap<Context>, usage: readonly string[]): string {
  const sections = "getAllEntries" in target ? groupSections(target) : commandSections(target);
  return ["USAGE", ...usage.flatMap(usageLines), "", ...sections, ""].join("\n");
}

/** Breaks between words, not within brackets. */
function usageLines(line: string): string[] {
  const words = line.match(/\[[^\]]*\](?:\.\.\.)?|\S+/g) ?? [];
  return fill(words, HELP_COLUMNS - 2, "    ").map((part) => `  ${part}`);
}

function commandSections(command: Command<Context>): string[] {
  const { description, flags, parameters } = commandInfo(command, []);
  return [
    wrapText(description),
    "",
    "OPTIONS",
    ...definitions([...flags.map(flagRow), HELP_ROW]),
    ...parameters.length === 0 ? [] : ["", "ARGUMENTS", ...definitions(parameters)],
  ];
}

function groupSections(group: RouteMap<Context>): string[] {
  const entries = group.getAllEntries().filter(({ hidden }) => !hidden);
  const isRoot = entries.some(({ name }) => name.original === "man");
  return [
    `${wrapText(group.brief)}.`,
    "",
    "COMMANDS",
    ...definitions(entries.map(({ name, target }) => [name.original, target.brief])),
    "",
    "OPTIONS",
    ...definitions(isRoot ? [HELP_ROW, VERSION_ROW] : [HELP_ROW]),
    ...isRoot
      ? ["", "EXIT CODES", ...definitions(EXIT_MEANING.map(([code, text]) => [`${code}`, text]))]
      : [],
  ];
}

const HELP_ROW = ["-h, --help", "Print this help"] as const;
const VERSION_ROW = ["-v, --version", "Print the version; with --json also that of every part"] as const;

function flagRow(flag: FlagInfo): readonly [string, string] {
  return [signature(flag), flag.brief];
}
