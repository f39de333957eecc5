/** Finds the command of a command line and loads only that one. */
import { buildRouteMap, type Command, type RouteMap } from "@stricli/core";
import type { Context } from "../base/context.ts";

type Load = () => Promise<{ readonly command: Command<Context> }>;

/** The file of each command, by the words that are typed. */
export const COMMAND_FILES: Readonly<Record<string, Load>> = {
  "status": () => import("../status.ts"),
  "losses": () => import("../losses.ts"),
  "session create": () => import("../session_create.ts"),
  "session list": () => import("../session_list.ts"),
  "session show": () => import("../session_show.ts"),
  "session keep": () => import("../session_keep.ts"),
  "session retrieve": () => import("../session_retrieve.ts"),
  "session finish": () => import("../session_finish.ts"),
  "session close": () => import("../session_close.ts"),
  "file preserve": () => import("../file_preserve.ts"),
  "file restore": () => import("../file_restore.ts"),
  "file list": () => import("../file_list.ts"),
  "put": () => import("../put.ts"),
  "get": () => import("../get.ts"),
  "keys": () => import("../keys.ts"),
  "drop": () => import("../drop.ts"),
  "kexec check": () => import("../kexec_check.ts"),
  "kexec load": () => import("../kexec_load.ts"),
  "kexec show": () => import("../kexec_show.ts"),
  "kexec unload": () => import("../kexec_unload.ts"),
  "kexec exec": () => import("../kexec_exec.ts"),
  "update run": () => import("../update_run.ts"),
  "update prepare": () => import("../update_prepare.ts"),
  "update freeze": () => import("../update_freeze.ts"),
  "update cancel": () => import("../update_cancel.ts"),
  "update finish": () => import("../update_finish.ts"),
  "update report": () => import("../update_report.ts"),
  "update history": () => import("../update_history.ts"),
  "update state": () => import("../update_state.ts"),
  "kho show": () => import("../kho_show.ts"),
  "agent start": () => import("../agent_start.ts"),
  "agent stop": () => import("../agent_stop.ts"),
  "agent status": () => import("../agent_status.ts"),
  "agent run": () => import("../agent_run.ts"),
  "batch": () => import("../batch.ts"),
  "emulate": () => import("../emulate.ts"),
  "doctor": () => import("../doctor.ts"),
  "rehearse": () => import("../rehearse.ts"),
  "completion": () => import("../completion.ts"),
  "man": () => import("../man.ts"),
  "schema": () => import("../schema.ts"),
  "machine run": () => import("../machine_run.ts"),
  "machine stop": () => import("../machine_stop.ts"),
};

/** The words of the command that a command line begins with; undefined when it begins with none. */
export function commandWords([first = "", second = ""]: readonly string[]): string | undefined {
  return [first, `${first} ${second}`].find((words) => Object.hasOwn(COMMAND_FILES, words));
}

/** The words that can follow the name of a group; none for a word that is no group. */
export function verbsOf(group: string): string[] {
  return Object.keys(COMMAND_FILES).flatMap((words) => {
    const [first, second] = words.split(" ");
    return first === group && second !== undefined ? [second] : [];
  });
}

/** Loads the command that these words name: an answer of `commandWords`. */
export async function commandAt(words: string): Promise<Command<Context>> {
  const load = COMMAND_FILES[words];
  if (load === undefined) throw new RangeError(`There is no command "${words}"`);
  return (await load()).command;
}

/** Commands for programs, which no list shows. */
const HIDDEN_FILES: Readonly<Record<string, Load>> = {
  "complete": () => import("../complete.ts"),
};

/**
 * The routes that a command line needs. When it begins with a command, only that command is loaded: loading all of them is
 * most of the cost of a start. Help and mistyped commands need all routes.
 */
export async function routesTo(args: readonly string[]): Promise<RouteMap<Context>> {
  const words = commandWords(args);
  if (words !== undefined) return routesOf(words, await commandAt(words));
  const [first = ""] = args;
  const hidden = Object.hasOwn(HIDDEN_FILES, first) ? HIDDEN_FILES[first] : undefined;
  return hidden === undefined ? await allRoutes() : map(first, (await hidden()).command);
}

/** The routes to one command. */
export function routesOf(words: string, command: Command<Context>): RouteMap<Context> {
  const [first = "", second] = words.split(" ");
  return map(first, second === undefined ? command : map(second, command));
}

/** All routes. This loads every command. */
export async function allRoutes(): Promise<RouteMap<Context>> {
  return (await import("./routes.ts")).routes;
}

function map(word: string, to: Command<Context> | RouteMap<Context>): RouteMap<Context> {
  return buildRouteMap<string, Context>({ docs: { brief: "" }, routes: { [word]: to } });
}
