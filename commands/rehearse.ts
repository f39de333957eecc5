/** `luo rehearse -- CMD`: runs a program on a real kernel in a virtual machine. */
import { buildCommand } from "@stricli/core";
import { docs } from "./arguments/command.ts";
import { parseSeconds } from "./arguments/token.ts";
import type { Context } from "./base/context.ts";
import { EXIT } from "./base/exit_codes.ts";
import { Failure } from "./errors/failure.ts";
import { Ended } from "./errors/program_ended.ts";
import { toFailure } from "./errors/to_failure.ts";
import { interruptible } from "./processes/interrupt.ts";
import { parseMemory } from "./arguments/memory.ts";

export interface Flags {
  readonly program: boolean;
  readonly kernel?: string;
  readonly append?: string;
  readonly memory?: number;
  readonly timeout?: number;
}

/** The exit code of a shell for a program that SIGKILL ended, as `luo emulate` has it for a panic. */
const EXIT_KILLED = 128 + 9;

const STREAMS = {
  out: { fd: 1, name: "standard output" },
  err: { fd: 2, name: "standard error" },
} as const;

/** @returns the exit code of CMD */
export async function run(context: Context, flags: Flags, argv: readonly string[]): Promise<number> {
  const [name, ...args] = argv;
  if (!flags.program || name === undefined) {
    throw new Failure("usage", "Cannot rehearse nothing", { hints: ["luo rehearse -- CMD ARGS..."] });
  }
  const { rehearseProgram } = await import("../lib/rehearse/rehearse_program.ts");
  const { programSurroundings, requireProgram } = await import("./processes/program_to_start.ts");
  const { chosenImage, machineFailure } = await import("./processes/rehearsal.ts");
  const { lastWords } = await import("../lib/rehearse/console.ts");
  const { writeAll } = await import("../lib/files/transfer.ts");
  const { env, nofile, directory } = programSurroundings();
  const path = requireProgram(name, env);
  const kernel = chosenImage(context, flags.kernel);
  const result = await interruptible((signal) =>
    rehearseProgram({
      kernel,
      path,
      args,
      env,
      directory,
      nofile,
      append: flags.append,
      memory_mib: flags.memory,
      timeout_ms: flags.timeout === undefined || flags.timeout === 0 ? undefined : 1000 * flags.timeout,
      on_output: (stream, bytes) => writeAll(STREAMS[stream], bytes),
      signal,
    })
  );
  if (result.end === "exit") return result.status ?? EXIT.failed;
  if (result.end !== "panic") throw machineFailure(kernel, result);
  // The console of a kernel that panicked, as `luo emulate` shows it.
  for (const line of lastWords(result.lines)) context.process.stderr.write(`${line}\n`);
  return EXIT_KILLED;
}

export const command = buildCommand<Flags, string[], Context>({
  docs: docs(
    "Run a program on a real kernel, in a virtual machine",
    "CMD runs as root in a virtual machine of QEMU that sees the files of this host, read-only, with a layer of memory over them that\n" +
      "each boot begins anew. After a kexec CMD starts again with LUO_BOOT=2, 3 ... in its environment, as with luo emulate. For the\n" +
      "next boot it loads the files $LUO_KERNEL and $LUO_INITRD with the command line $LUO_CMDLINE. The rehearsal ends when a boot ends\n" +
      "without a kexec, with CMD's exit code. A kernel that panics: its console on standard error, exit code 137.\n\n" +
      "It needs QEMU and busybox, and no root; the host is not touched. The image is that of --kernel, the newest in the directory\n" +
      "LUO_TEST_KERNELS, or that of the running kernel.",
    [
      ["luo rehearse -- ./vmm --live-update", "a VMM, from its start to its end"],
      [
        "luo rehearse --kernel ./bzImage -- sh -c 'ls -l /dev/liveupdate'",
        "on a kernel of your own",
      ],
    ],
    ["[--kernel IMAGE] [--append WORDS] [--memory MIB] [--timeout SECONDS] -- CMD..."],
  ),
  parameters: {
    flags: {
      program: {
        kind: "boolean",
        default: false,
        withNegated: false,
        hidden: true,
        brief: "The words are a program and its arguments",
      },
      kernel: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "IMAGE",
        brief: "The image to boot: a path, or a name in LUO_TEST_KERNELS",
      },
      append: {
        kind: "parsed",
        parse: String,
        optional: true,
        placeholder: "WORDS",
        brief: "More words for the kernel's command line",
      },
      memory: {
        kind: "parsed",
        parse: parseMemory,
        optional: true,
        placeholder: "MIB",
        brief: "Memory of the machine in MiB (default 2048)",
      },
      timeout: {
        kind: "parsed",
        parse: parseSeconds,
        optional: true,
        placeholder: "SECONDS",
        brief: "How long all boots together may take; 0: no limit (default)",
      },
    },
    positional: {
      kind: "array",
      parameter: { brief: "The program and its arguments", parse: String, placeholder: "CMD" },
    },
  },
  async func(flags, ...argv) {
    try {
      return new Ended(await run(this, flags, argv));
    } catch (error) {
      return toFailure(error);
    }
  },
});
