/** Runs a command whose arguments are known, and tells of its errors. */
import type { Command } from "@stricli/core";
import type { Context } from "../base/context.ts";
import { EXIT, type ExitCode } from "../base/exit_codes.ts";
import { Failure, failureJson, renderFailure } from "../errors/failure.ts";
import { Ended } from "../errors/program_ended.ts";

/** Runs a command as stricli would. */
export async function runPlainly(
  { loader }: Command<Context>,
  [flags, ...args]: readonly [Record<string, unknown>, ...unknown[]],
  context: Context,
  json: boolean,
): Promise<ExitCode | number> {
  const loaded = await loader();
  const func = typeof loaded === "function" ? loaded : loaded.default;
  try {
    const result = await func.call(context, flags, ...args);
    if (!(result instanceof Error)) return EXIT.done;
    context.process.stderr.write(`${commandError(result, json)}\n`);
    return exitOf(result);
  } catch (error) {
    context.process.stderr.write(`${shown(internal(error), json)}\n`);
    return EXIT.failed;
  }
}

/** The error that a command has returned. */
export function commandError(error: Error, json: boolean): string {
  return isSilent(error) ? "" : shown(asFailure(error), json);
}

export function shown(failure: Failure, json: boolean): string {
  return json ? failureJson(failure) : renderFailure(failure);
}

export function exitOf(error: unknown): ExitCode | number {
  return error instanceof Failure || error instanceof Ended ? error.exit : EXIT.failed;
}

/** A closed pipe needs no message: `cat` writes none either. */
function isSilent(error: Error): boolean {
  return error instanceof Ended || (error instanceof Failure && error.kind === "broken-pipe");
}

export function asFailure(error: unknown): Failure {
  return error instanceof Failure ? error : internal(error);
}

export function internal(error: unknown): Failure {
  const message = error instanceof Error ? error.stack ?? error.message : String(error);
  return new Failure("internal", `Cannot go on: ${message}`, { hints: ["this is a bug in luo"] });
}
