import { buildCommand } from "@stricli/core";
import { LuoError } from "../lib/error.ts";
import { docs } from "./command.ts";
import type { Context } from "./context.ts";
import { toFailure } from "./explain.ts";
import { Failure, ProgramEnded } from "./failure.ts";

interface Flags {
  readonly strict: boolean;
  readonly trace: boolean;
}

async function run(context: Context, flags: Flags, argv: readonly string[]): Promise<number> {
  const { emulate } = await import("../lib/emulate/supervisor.ts");
  const { availableMemory } = await import("../lib/files/memory.ts");
  const available = availableMemory();
  return await emulate({
    argv,
    strict: flags.strict,
    memory_bytes: available === undefined ? undefined : Number(available),
    on_trace: flags.trace ? (line) => context.process.stderr.write(`${line}\n`) : undefined,
    on_start: passSignals,
  });
}

/** Those of the terminal reach CMD by themselves: here they only must not end the supervisor. */
function passSignals(send: (number: number) => void): void {
  for (const name of ["SIGINT", "SIGQUIT"] as const) Deno.addSignalListener(name, () => undefined);
  const sent = [["SIGTERM", 15], ["SIGHUP", 1], ["SIGUSR1", 10], ["SIGUSR2", 12]] as const;
  for (const [name, number] of sent) Deno.addSignalListener(name, () => send(number));
}

function failure(error: unknown): Error {
  if (!(error instanceof LuoError) || error.operation !== "emulate") return toFailure(error);
  return new Failure("unavailable", error.message, {
    operation: error.operation,
    hints: [
      "it needs Linux 5.19 on x86-64, and a container that allows seccomp() with a listener of its own",
    ],
  });
}

export const command = buildCommand<Flags, string[], Context>({
  docs: docs(
    "Run a program as the init of a machine with live update, on the software model",
    "Whatever opens /dev/liveupdate runs unmodified, without root and without a kernel that has it. After a kexec every " +
      "process is gone and CMD starts again with LUO_BOOT=2, 3 ... in its environment. Ends with CMD's exit code. " +
      "This is no sandbox.",
    [
      ["luo emulate -- ./vmm --resume", "a program of yours"],
      ["luo emulate --trace -- ./selftest", "with every call that the model answers"],
      [
        "luo emulate --strict -- ./test",
        "writes past the end of a preserved memfd fail; about 10 us a write",
      ],
    ],
  ),
  parameters: {
    flags: {
      strict: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Also trap writes, so that a preserved memfd cannot grow by them (about 10 us each)",
      },
      trace: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Print every served call on standard error",
      },
    },
    positional: {
      kind: "array",
      parameter: { brief: "The program and its arguments", parse: String, placeholder: "CMD" },
      minimum: 1,
    },
  },
  async func(flags, ...argv) {
    try {
      const code = await run(this, flags, argv);
      if (code !== 0) return new ProgramEnded(code);
    } catch (error) {
      return failure(error);
    }
  },
});
