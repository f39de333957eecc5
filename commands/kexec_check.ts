/** `luo kexec check`: says whether a kernel can take over from the running one. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import type { SessionInfo } from "../lib/schema/types.ts";
import type { SystemCalls } from "../lib/system_calls.ts";
import { type CommonFlags, commonFlags, docs, perform } from "./arguments/command.ts";
import {
  initrdFlag,
  kernelArgument,
  type LineFlags,
  lineFlags,
  parseLine,
} from "./arguments/next_command_line.ts";
import type { Context } from "./base/context.ts";
import { EXIT, type ExitCode } from "./base/exit_codes.ts";
import { checkText } from "./output/check_text.ts";
import { sessionsIfAny } from "./processes/agent_calls.ts";
import { type KernelRequest, withKernel } from "./processes/next_kernel.ts";
import { kernelProcess } from "./processes/kernel_process.ts";

export interface Flags extends CommonFlags, LineFlags {
  readonly initrd?: readonly string[];
}

export type Request = KernelRequest;

export type Result = Answers["kexec check"];

export function parse(flags: Flags, kernel?: string): Request {
  return { kernel, initrds: flags.initrd ?? [], ...parseLine(flags) };
}

export async function run(context: Context, asked: Request, flags: CommonFlags): Promise<Result> {
  const request = await withKernel(context, asked);
  using sys = await kernelProcess(context, flags);
  return await checkFiles(sys, request, sessionsIfAny(context, flags));
}

async function checkFiles(
  sys: SystemCalls,
  request: Request & { readonly kernel: string },
  sessions: readonly SessionInfo[] | undefined,
): Promise<Result> {
  const { readImageFile } = await import("../lib/kexec/image/image_file.ts");
  const { checkPlan } = await import("../lib/kexec/check/check.ts");
  const { preservedFiles } = await import("../lib/kexec/check/preserved_files.ts");
  const { readRunningKernel } = await import("../lib/kexec/check/running_kernel.ts");
  const { buildCommandLine } = await import("../lib/kexec/command_line.ts");
  const { openInitrdFile, openKernelFile } = await import("../lib/files/kernel_file.ts");
  using file = openKernelFile(request.kernel);
  const image = await readImageFile(file);
  const running = await readRunningKernel(sys);
  const own = request.imageCommandLine ? image.uki?.commandLine : undefined;
  const commandLine = buildCommandLine({
    commandLine: request.commandLine ?? own,
    append: request.append,
    running: running.commandLine,
    reuse: request.reuseCommandLine,
  });
  let initrdBytes = image.uki?.initrd?.length ?? 0;
  for (const path of request.initrds) {
    using initrd = openInitrdFile(path);
    initrdBytes += initrd.size;
  }
  const plan = {
    image,
    file,
    path: request.kernel,
    commandLine,
    initrdBytes,
    preserved: sessions && preservedFiles(sessions),
    running,
  };
  return { check: checkPlan(sys, plan).check };
}

const EXIT_OF_VERDICT: Readonly<Record<Result["check"]["verdict"], ExitCode>> = {
  fits: EXIT.done,
  does_not_fit: EXIT.refused,
  cannot_tell: EXIT.failed,
};

export const command = buildCommand<Flags, [string?], Context>({
  docs: docs(
    "Say whether a kernel can take over from this one",
    "Reads the kernel, also in a gzip file, a unified kernel image or an EFI zboot image, and compares it with the running\n" +
      "kernel, the command line that it would get and the memory. Nothing is loaded. Each line has a verdict, the reason and\n" +
      "where the fact comes from (docs/check.md). Exit code 0: fits, 4: does not fit, 1: cannot tell. Without KERNEL, the one of\n" +
      "the settings is checked (see luo kexec load).",
    [
      [
        "luo kexec check /boot/vmlinuz --initrd /boot/initrd.img",
        "with the command line of the running kernel",
      ],
      ['luo kexec check bzImage --command-line "liveupdate=on kho=on"', "with another one"],
    ],
  ),
  parameters: {
    flags: {
      initrd: initrdFlag,
      ...lineFlags,
      ...commonFlags,
    },
    positional: kernelArgument,
  },
  func(flags, kernel) {
    return perform(this, flags, {
      parse: () => parse(flags, kernel),
      run,
      format: ({ check }, paint) => checkText(check, paint),
      exit: ({ check }) => EXIT_OF_VERDICT[check.verdict],
      onlyReads: true,
    });
  },
});
