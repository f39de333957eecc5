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

/** The command that a command line begins with; undefined when it begins with none. */
export async function commandAt(args: readonly string[]): Promise<Command<Context> | undefined> {
  const [first = "", second = ""] = args;
  return (await (COMMAND_FILES[first] ?? COMMAND_FILES[`${first} ${second}`])?.())?.command;
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
  const [first = "", second = ""] = args;
  const one = COMMAND_FILES[first] ?? HIDDEN_FILES[first];
  if (one !== undefined) return map(first, (await one()).command);
  const two = COMMAND_FILES[`${first} ${second}`];
  if (two !== undefined) return map(first, map(second, (await two()).command));
  return await allRoutes();
}

/** All routes. This loads every command. */
export async function allRoutes(): Promise<RouteMap<Context>> {
  return (await import("./routes.ts")).routes;
}

function map(word: string, to: Command<Context> | RouteMap<Context>): RouteMap<Context> {
  return buildRouteMap<string, Context>({ docs: { brief: "" }, routes: { [word]: to } });
}
