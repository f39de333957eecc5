/** The help of every command, made when the executable is built. */
import type { Outside } from "../../commands/base/context.ts";
import { plain } from "../../commands/base/text.ts";
import { routeTree } from "../../commands/help/route_tree.ts";
import { allRoutes } from "../../commands/program/route_to.ts";
import { runLine } from "../../commands/program/application.ts";
import { helpKey } from "../../commands/help/ready_help.ts";

/** Writes of up to PIPE_BUF bytes (limits.h) are whole or fail. A longer page is written by the command itself. */
const PIPE_BUF = 4096;

/** The pages by `helpKey` of the command lines that ask for them. */
export async function helpPages(): Promise<Record<string, string>> {
  const { groups, commands } = routeTree(await allRoutes());
  const lines = [
    ...groups.flatMap(({ path }) => [path, [...path, "--help"], [...path, "-h"]]),
    ...commands.flatMap(({ path }) => [[...path, "--help"], [...path, "-h"]]),
  ];
  const pages: Record<string, string> = {};
  for (const line of lines) {
    const page = await output(line);
    if (new TextEncoder().encode(page).length <= PIPE_BUF) pages[helpKey(line)] = page;
  }
  return pages;
}

async function output(line: readonly string[]): Promise<string> {
  let text = "";
  const stdout = { write: (part: string) => void (text += part) };
  const stderr = { write: (part: string) => void (text += part) };
  const outside: Outside = {
    process: { stdout, stderr },
    settings: {},
    mainModule: import.meta.url,
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    paint: plain,
  };
  const code = await runLine(line, outside);
  if (code !== 0) throw new Error(`Cannot make the help of "luo ${line.join(" ")}": ${text}`);
  return text;
}
