/** `luo kexec load`: chooses the next kernel, its initramfs and its command line. */
import { buildCommand } from "./base/build_command.ts";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import { type KernelRequest, withKernel } from "./processes/next_kernel.ts";
import {
  initrdFlag,
  kernelArgument,
  type LineFlags,
  lineFlags,
  parseLine,
} from "./arguments/next_command_line.ts";
import type { Context } from "./base/context.ts";
import { visible } from "./base/text.ts";
import { imageText } from "./output/kexec_text.ts";
import { rebootLines } from "./output/store_text.ts";

export interface Flags extends CommonFlags, LineFlags {
  readonly initrd?: readonly string[];
  readonly force: boolean;
}

export interface Request extends KernelRequest {
  readonly force: boolean;
}

type Result = Methods["LoadImage"]["reply"];

export function parse(flags: Flags, kernel?: string): Request {
  const { initrd = [], force } = flags;
  return { kernel, initrds: initrd, ...parseLine(flags), force };
}

export async function run(context: Context, asked: Request, flags: CommonFlags): Promise<Result> {
  const request = await withKernel(context, asked);
  const { openImage, openInitrd } = await import("../lib/files/open_image.ts");
  using kernel = openImage(request.kernel);
  using initrd = openInitrd(request.initrds);
  const fds = initrd === undefined ? [kernel.number] : [kernel.number, initrd.number];
  // The agent takes these names as text to show: a path that is not UTF-8 is shown with \xHH.
  const { kernel: path, initrds, ...wish } = request;
  const names = { kernel: visible(path), initrd: initrds.map(visible).join(" + ") || undefined };
  const indexes = { kernelFd: 0, initrdFd: initrd === undefined ? undefined : 1 };
  const result = call(context, flags, "LoadImage", { ...wish, ...names, ...indexes }, fds);
  if (flags.json) return result;
  if (result.check?.verdict === "cannot_tell") {
    const { doubtText } = await import("./output/doubt_text.ts");
    context.process.stderr.write(`${doubtText(result.check)}\n`);
  }
  const { status } = call(context, flags, "GetStatus", {});
  for (const line of rebootLines(status)) context.process.stderr.write(`luo: ${line}\n`);
  return result;
}

export function format({ image }: Result): string {
  return imageText(image);
}

export const command = buildCommand<Flags, [string?], Context>({
  docs: docs(
    "Load the next kernel",
    "Replaces the image loaded before; a load that fails keeps it. The command line is yours: without liveupdate=on in it\n" +
      "the next kernel drops everything that was preserved. Without --command-line it is that of a unified kernel image, or\n" +
      "the running kernel's own; --append adds what is not there already. The image is checked first, as luo kexec check\n" +
      "does: one that does not fit is refused. A unified kernel image, an EFI zboot image and a compressed kernel are\n" +
      "unpacked. Kernel and initramfs are copied: the files may change afterwards.\n\n" +
      "Without KERNEL, luo takes the kernel, the initramfs and the command line of the settings in /etc/luo/luo.conf, or of\n" +
      "variables of the same names: LUO_KERNEL, LUO_INITRD, LUO_CMDLINE and LUO_APPEND. Options win over settings.",
    [
      [
        "luo kexec load /boot/vmlinuz --initrd /boot/initrd.img --reuse-cmdline",
        "the same command line again",
      ],
      ["luo kexec -l /boot/vmlinuz --initrd=/boot/initrd.img", "as kexec-tools spells it"],
      ["luo kexec load", "the kernel of the settings"],
      ['luo kexec load bzImage --command-line "liveupdate=on kho=on quiet"', "another one"],
    ],
  ),
  parameters: {
    flags: {
      initrd: initrdFlag,
      ...lineFlags,
      force: forceFlag("Load it even if the preserved data would not survive it"),
      ...commonFlags,
    },
    positional: kernelArgument,
  },
  func(flags, kernel) {
    return perform(this, flags, { parse: () => parse(flags, kernel), run, format });
  },
});
