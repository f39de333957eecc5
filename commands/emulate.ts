/** `luo emulate CMD`: runs a program, unmodified, on the software model. */
import { buildCommand } from "./base/build_command.ts";
import type { EmulateOptions } from "../lib/emulate/emulation.ts";
import { FAULT_SYNTAX } from "../lib/model/faults/fault_spec.ts";
import { docs } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import { Ended } from "./errors/program_ended.ts";
import { executeKind, toFailure } from "./errors/to_failure.ts";
import { Failure } from "./errors/failure.ts";
import { faultsFlag, parseFaults } from "./arguments/faults_flag.ts";
import type { onSignals } from "./processes/signals.ts";

export interface Flags {
  readonly strict: boolean;
  readonly trace: boolean;
  readonly faults?: string;
}

/** Signals that are sent to luo alone. luo forwards them to CMD. */
const FORWARDED = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;
/** Signals that the terminal sends to all foreground processes. CMD gets them too; luo ends when CMD ends. */
const IGNORED = ["SIGINT", "SIGQUIT"] as const;

/** @returns the exit code of CMD */
export async function run(context: Context, flags: Flags, argv: readonly string[]): Promise<number> {
  const [name] = argv;
  if (name === undefined) {
    throw new Failure("usage", "Cannot emulate nothing", { hints: ["luo emulate CMD ARGS..."] });
  }
  const { emulate, LaunchError } = await import("../lib/emulate/emulation.ts");
  const { inheritedEnvironment } = await import("../lib/files/inherited_environment.ts");
  const { hostAvailableMemory } = await import("../lib/files/free_memory.ts");
  const { onSignals } = await import("./processes/signals.ts");
  const { findProgram, startLimits } = await import("../lib/files/program_start.ts");
  const env = inheritedEnvironment();
  const path = findProgram(name, env);
  await checkArchitecture(name, path);
  const nofile = startLimits();
  checkFiles(nofile);
  const available = hostAvailableMemory();
  using signals = forwarding(onSignals);
  const say = (line: string) => context.process.stderr.write(`${line}\n`);
  try {
    return await emulate({
      path,
      argv,
      env,
      strict: flags.strict,
      nofile,
      memory_bytes: available === undefined ? undefined : Number(available),
      trace: flags.trace ? say : undefined,
      faults: parseFaults(flags.faults, context.settings.faults),
      on_panic: (lines) => lines.forEach(say),
      on_shared: (what) => say(`luo emulate: no namespace for ${what.join(" and ")}: shared with the host`),
      on_untraced: () =>
        say("luo emulate: no ptrace: with --strict all reads, writes and fstats take 10 us longer"),
      signals,
    });
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error;
    throw error.stage === "execve" ? notExecuted(name, error.code) : noSeccomp(error.stage, error.code);
  }
}

/**
 * Refuses a program of another architecture. The host would run it by binfmt_misc, and each call for live update would fail with
 * ENOSYS.
 */
async function checkArchitecture(name: string, path: string): Promise<void> {
  const { foreignProgram } = await import("../lib/emulate/program_architecture.ts");
  const why = foreignProgram(path, Deno.build.arch);
  if (why === undefined) return;
  throw new Failure("not-executable", `Cannot emulate "${name}": ${why}`, {
    operation: "execute",
    errno: "ENOEXEC",
    hints: ["run it on a real kernel of its architecture, or build it for this machine"],
  });
}

/** The guard of CMD speaks with luo by fd 255, which programs do not expect to be free. */
const FILES_MIN = 256n;

function checkFiles([, hard]: readonly [bigint, bigint]): void {
  // 0: the limit is unknown.
  if (hard >= FILES_MIN || hard === 0n) return;
  const why = `this process may open ${hard} files, and ${FILES_MIN} are needed`;
  throw new Failure("unavailable", `Cannot emulate here: ${why} (RLIMIT_NOFILE)`, {
    operation: "execute",
    errno: "EMFILE",
    hints: ["raise the limit, for example: ulimit -n 1024"],
  });
}

function notExecuted(name: string, errno: string): Failure {
  return new Failure(executeKind(errno), `Cannot execute "${name}" (${errno})`, {
    operation: "execute",
    errno,
  });
}

function noSeccomp(stage: string, errno: string): Failure {
  const why = errno === "EBUSY"
    ? "another seccomp listener already serves this process, and a process can have only one"
    : errno === "EINVAL"
    ? "this kernel is older than Linux 5.19"
    : "a container's seccomp profile may forbid it";
  return new Failure("unavailable", `Cannot serve system calls here (${stage}: ${errno})`, {
    operation: "seccomp",
    errno,
    hints: [why],
  });
}

/** Collects signals that arrive here; `pass` sends them on to the init. */
function forwarding(listen: typeof onSignals): Disposable & EmulateOptions["signals"] {
  const waiting: number[] = [];
  let came = () => {};
  const forward = (signal: number) => {
    waiting.push(signal);
    came();
  };
  const listening = listen({
    ...Object.fromEntries(FORWARDED.map((name) => [name, forward])),
    ...Object.fromEntries(IGNORED.map((name) => [name, () => {}])),
  });
  return {
    come: () => waiting.length > 0 ? Promise.resolve() : new Promise((resolve) => came = resolve),
    async pass(init) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (waiting.length === 0) return;
      const { kill } = await import("../ffi/process.ts");
      for (const signal of waiting.splice(0)) kill(init, signal);
    },
    [Symbol.dispose]: () => listening[Symbol.dispose](),
  };
}

export const command = buildCommand<Flags, string[], Context>({
  docs: docs(
    "Run a program on the software model, unmodified",
    "CMD is the init process of an emulated machine. The model answers what CMD and its descendants do with\n" +
      "/dev/liveupdate, their memfds, kexec_file_load and reboot. A kexec ends every process of the machine, and CMD\n" +
      "starts again with LUO_BOOT=2, 3 ... in its environment. The machine ends with CMD's exit code when a boot ends\n" +
      "without a kexec.\n\n" +
      "What CMD makes in /tmp, /run and /dev/shm is the machine's memory: it is gone after a kexec and at the end. What was\n" +
      "there before stays the host's.\n\n" +
      "luo emulate uses seccomp user notification: it needs Linux 5.19 or later, and no root. A call that opens, names or\n" +
      "looks at a file takes up to 20 us longer; most other calls take no longer. truncate and the like cannot change the\n" +
      "size of a preserved memfd, as on Linux. With --strict a write past its end fails too, and so do reads, writes and\n" +
      "mappings of sessions. luo traces the processes that hold sessions: gdb and strace cannot attach to them.\n" +
      "luo emulate is no security boundary.\n\n" +
      `With --faults the machine fails where SPEC says:\n${FAULT_SYNTAX}`,
    [
      ["luo emulate ./vmm --live-update", "a VMM, from its start to its end"],
      ["luo emulate --trace -- python3 test.py", "every served call on standard error"],
    ],
  ),
  parameters: {
    flags: {
      strict: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Serve read, write, mmap and similar calls too",
      },
      trace: { kind: "boolean", default: false, withNegated: false, brief: "Print each served call" },
      faults: faultsFlag,
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
