/** `luo`: argv -> exit code. The only place that reads the arguments and the environment, and that exits. */
import { run } from "@stricli/core";
import { application, exitCode, separated, wantsJson } from "./commands/application.ts";
import type { Context } from "./commands/context.ts";
import { EXIT } from "./commands/exit.ts";
import { Failure } from "./commands/failure.ts";
import { colour, plain } from "./commands/text.ts";

const args = separated(Deno.args);
const json = wantsJson(args);
const stdoutIsTerminal = Deno.stdout.isTerminal();
const context: Context & { process: { exitCode?: number | string | null } } = {
  process: { stdout: stream(Deno.stdout), stderr: stream(Deno.stderr) },
  settings: {
    backend: Deno.env.get("LUO_BACKEND"),
    socket: Deno.env.get("LUO_SOCKET"),
    exe: Deno.env.get("LUO_EXE"),
    runtimeDir: Deno.env.get("XDG_RUNTIME_DIR"),
  },
  mainModule: import.meta.url,
  stdoutIsTerminal,
  stderrIsTerminal: Deno.stderr.isTerminal(),
  // https://no-color.org: set and not empty.
  paint: stdoutIsTerminal && !Deno.env.get("NO_COLOR") && !json ? colour : plain,
};
await run(application(json), args, context);
Deno.exit(exitCode(context.process.exitCode));

/** Writes all of it, now: nothing may be lost by the exit. */
function stream(to: { writeSync(bytes: Uint8Array): number }) {
  return {
    write(text: string): void {
      // stricli ends every message with a newline, an empty one too.
      if (text === "\n") return;
      let rest = new TextEncoder().encode(text);
      try {
        while (rest.length > 0) rest = rest.subarray(to.writeSync(rest));
      } catch (error) {
        if (error instanceof Deno.errors.BrokenPipe) Deno.exit(EXIT.broken_pipe);
        throw writeFailure(error);
      }
    },
  };
}

/** A full disk behind `>` is no bug of ours. */
function writeFailure(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return error;
  return new Failure("file-error", `Cannot write the result (${error.code})`, {
    operation: "write",
    errno: error.code,
    hints: ["what was asked for was done all the same: see luo status"],
  });
}
