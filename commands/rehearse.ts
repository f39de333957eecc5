/** `luo rehearse`: a live update, or a program, on real kernels in a virtual machine. */
import { buildCommand } from "./base/build_command.ts";
import { type CommonFlags, commonFlags, docs } from "./arguments/command.ts";
import { parseMemory } from "./arguments/memory.ts";
import type { Context } from "./base/context.ts";
import { EXIT } from "./base/exit_codes.ts";
import { Failure } from "./errors/failure.ts";
import { Ended } from "./errors/program_ended.ts";
import { toFailure } from "./errors/to_failure.ts";
import type { ImageRequest } from "./processes/image_rehearsal.ts";
import type { ProgramRequest } from "./processes/program_rehearsal.ts";

export interface Flags extends CommonFlags {
  /** `--` was given: the words are a program. The application sets it. */
  readonly program: boolean;
  /** The file with the order of the host: this process does the guest's part. */
  readonly inGuest?: string;
  readonly kernel?: string;
  readonly from?: string;
  readonly initrd?: readonly string[];
  readonly append?: string;
  readonly root?: string;
  readonly memory?: number;
}

export type Request =
  | { readonly kind: "program"; readonly program: ProgramRequest }
  | { readonly kind: "image"; readonly image: ImageRequest }
  | { readonly kind: "guest"; readonly order: string };

const DEFAULT_MEMORY_MIB = 2048;
const USAGE = ["luo rehearse IMAGE", "luo rehearse -- CMD ARGS..."];

export function parse(flags: Flags, words: readonly string[]): Request {
  const { append, memory: memory_mib = DEFAULT_MEMORY_MIB } = flags;
  const timeout_ms = flags.timeout === undefined || flags.timeout === 0 ? undefined : 1000 * flags.timeout;
  if (flags.inGuest !== undefined) return { kind: "guest", order: flags.inGuest };
  const [first, ...rest] = words;
  if (first === undefined || first === "") {
    throw new Failure("usage", "Cannot rehearse nothing", { hints: USAGE });
  }
  const common = { append, memory_mib, timeout_ms };
  if (flags.program) {
    refuse(
      { "--from": flags.from, "--initrd": flags.initrd, "--root": flags.root },
      "go with an image: the program loads its own files",
    );
    if (flags.json) refuse({ "--json": true }, "goes with an image: the program has the output to itself");
    return { kind: "program", program: { name: first, args: rest, kernel: flags.kernel, ...common } };
  }
  if (rest.length > 0) {
    throw new Failure("usage", "Cannot rehearse more than one image", { hints: USAGE });
  }
  refuse({ "--kernel": flags.kernel }, "goes with a program: the kernel that runs before IMAGE is --from");
  const { from, initrd: initrds = [], root } = flags;
  return { kind: "image", image: { image: first, from, initrds, root, ...common } };
}

function refuse(given: Readonly<Record<string, unknown>>, why: string): void {
  const wrong = Object.keys(given).filter((name) => given[name] !== undefined);
  if (wrong.length > 0) {
    throw new Failure("usage", `Cannot take ${wrong.join(" and ")} here`, { hints: [`it ${why}`] });
  }
}

/** Runs it and returns the exit code. */
async function perform(context: Context, flags: Flags, words: readonly string[]): Promise<number> {
  const request = parse(flags, words);
  if (request.kind === "program") {
    const { runProgram } = await import("./processes/program_rehearsal.ts");
    return await runProgram(context, request.program);
  }
  const { runImage, runInGuest } = await import("./processes/image_rehearsal.ts");
  if (request.kind === "guest") return runInGuest(context, request.order);
  const { rehearsalText } = await import("./output/rehearsal_text.ts");
  const rehearsal = await runImage(context, request.image, flags);
  const text = flags.json ? JSON.stringify({ rehearsal }) : rehearsalText(rehearsal, context.paint);
  context.process.stdout.write(`${text}\n`);
  return EXIT_OF_VERDICT[rehearsal.verdict];
}

const EXIT_OF_VERDICT = { fits: EXIT.done, does_not_fit: EXIT.refused, cannot_tell: EXIT.failed } as const;

const text = { kind: "parsed", parse: String, optional: true } as const;

export const command = buildCommand<Flags, string[], Context>({
  docs: docs(
    "Rehearse a live update, or run a program, on real kernels in a virtual machine",
    "With IMAGE: boots the running kernel's image, preserves sessions and files like those that the agent holds in number, size\n" +
      "and seals, executes IMAGE, restores everything and compares every byte. Exit code 0: it fits. 4: it does not fit (the next\n" +
      "kernel panics, hangs, or lost something). 1: the rehearsal itself did not work.\n\n" +
      "With CMD: CMD runs as root in a machine that sees the files of this host, read-only, with a layer of memory over them that\n" +
      "each boot begins anew. After a kexec CMD starts again with LUO_BOOT=2, 3 ... in its environment, as with luo emulate. For\n" +
      "the next boot it loads the files $LUO_KERNEL and $LUO_INITRD with the command line $LUO_CMDLINE. The rehearsal ends when a\n" +
      "boot ends without a kexec, with CMD's exit code; a kernel that panics gives 137.\n\n" +
      "It needs QEMU and busybox, and no root. The host is not touched.",
    [
      ["luo rehearse /boot/vmlinuz-7.3.4", "will the update to this kernel work"],
      ["luo rehearse new/bzImage --from old/bzImage --json", "from another kernel than the running one"],
      ["luo rehearse -- ./vmm --live-update", "a VMM, from its start to its end"],
      [
        "luo rehearse --kernel ./bzImage -- sh -c 'ls -l /dev/liveupdate'",
        "on a kernel of your own",
      ],
    ],
    [
      "[--from IMAGE] [--initrd FILE]... [--append WORDS] [--memory MIB] [--root DIR] IMAGE",
      "[--kernel IMAGE] [--append WORDS] [--memory MIB] -- CMD...",
    ],
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
      inGuest: { ...text, hidden: true, placeholder: "FILE", brief: "Do the guest's part" },
      from: {
        ...text,
        placeholder: "IMAGE",
        brief:
          "With IMAGE: the kernel to begin with (default: the running one's, or the newest in LUO_TEST_KERNELS)",
      },
      initrd: {
        ...text,
        variadic: true,
        placeholder: "FILE",
        brief: "With IMAGE: an initramfs that the next kernel unpacks too; may be repeated",
      },
      root: {
        ...text,
        placeholder: "DIR",
        brief: "With IMAGE of another architecture: a directory with luo, busybox and the C library for it",
      },
      kernel: {
        ...text,
        placeholder: "IMAGE",
        brief: "With CMD: the kernel (default: the newest in LUO_TEST_KERNELS, or the running one's)",
      },
      append: {
        ...text,
        placeholder: "WORDS",
        brief: "More words for the command line (with IMAGE: of the next kernel)",
      },
      memory: {
        kind: "parsed",
        parse: parseMemory,
        optional: true,
        placeholder: "MIB",
        brief: "Memory of the machine in MiB (default 2048)",
      },
      ...commonFlags,
      timeout: {
        ...commonFlags.timeout,
        brief: "How long all boots may take (default: 600 with IMAGE, no limit with CMD)",
      },
    },
    positional: {
      kind: "array",
      parameter: {
        brief: "The next kernel; after -- a program and its arguments",
        parse: String,
        placeholder: "IMAGE",
      },
    },
  },
  async func(flags, ...words) {
    try {
      const code = await perform(this, flags, words);
      if (code !== EXIT.done) return new Ended(code);
    } catch (error) {
      return toFailure(error);
    }
  },
});
