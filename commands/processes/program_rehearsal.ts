/** `luo rehearse -- CMD`: from the program's name to its exit code. */
import { lastWords } from "../../lib/rehearse/console.ts";
import { rehearseProgram } from "../../lib/rehearse/rehearse_program.ts";
import { writeAll } from "../../lib/files/transfer.ts";
import type { Context } from "../base/context.ts";
import { EXIT } from "../base/exit_codes.ts";
import { interruptible } from "./interrupt.ts";
import { programSurroundings, requireProgram } from "./program_to_start.ts";
import { firstImage, machineFailure } from "./rehearsal.ts";

export interface ProgramRequest {
  readonly name: string;
  readonly args: readonly string[];
  readonly kernel?: string;
  readonly append?: string;
  readonly memory_mib: number;
  readonly timeout_ms?: number;
}

/** The exit code of a shell for a program that SIGKILL ended, as `luo emulate` has it for a panic. */
const EXIT_KILLED = 128 + 9;

const STREAMS = {
  out: { fd: 1, name: "standard output" },
  err: { fd: 2, name: "standard error" },
} as const;

/** @returns the exit code of CMD */
export async function runProgram(context: Context, request: ProgramRequest): Promise<number> {
  const { env, nofile, directory } = programSurroundings();
  const path = requireProgram(request.name, env);
  const kernel = await firstImage(context, request.kernel);
  const result = await interruptible((signal) =>
    rehearseProgram({
      ...request,
      kernel,
      path,
      env,
      directory,
      nofile,
      on_output: (stream, bytes) => writeAll(STREAMS[stream], bytes),
      signal,
    })
  );
  if (result.end === "exit") return result.status ?? EXIT.failed;
  if (result.end !== "panic") throw machineFailure(kernel.path, result);
  // The console of a kernel that panicked, as `luo emulate` shows it.
  for (const line of lastWords(result.lines)) context.process.stderr.write(`${line}\n`);
  return EXIT_KILLED;
}
