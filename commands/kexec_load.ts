/** `luo kexec load`: chooses the next kernel, its initramfs and its command line. */
import { buildCommand } from "@stricli/core";
import type { Methods } from "../lib/agent/protocol.ts";
import { type CommonFlags, commonFlags, docs, forceFlag, perform } from "./arguments/command.ts";
import { call } from "./processes/agent_calls.ts";
import { textArgument } from "./arguments/text_argument.ts";
import type { Context } from "./base/context.ts";
import { visible } from "./base/text.ts";
import { Failure } from "./errors/failure.ts";
import { imageText } from "./output/kexec_text.ts";

export interface Flags extends CommonFlags {
  readonly initrd?: readonly string[];
  readonly reuseCmdline: boolean;
  readonly commandLine?: string;
  readonly append?: string;
  readonly force: boolean;
}

export interface Request {
  readonly kernel: string;
  readonly initrds: readonly string[];
  readonly reuseCommandLine: boolean;
  readonly commandLine?: string;
  readonly append?: string;
  readonly force: boolean;
}

type Result = Methods["LoadImage"]["reply"];

export function parse(flags: Flags, kernel: string): Request {
  const { initrd = [], reuseCmdline, commandLine, append, force } = flags;
  if (commandLine !== undefined && reuseCmdline) {
    throw new Failure("usage", "Cannot take both --command-line and --reuse-cmdline", {
      hints: ["--reuse-cmdline --append=WORDS adds to the running kernel's command line"],
    });
  }
  return { kernel, initrds: initrd, reuseCommandLine: commandLine === undefined, commandLine, append, force };
}

export async function run(context: Context, request: Request, flags: CommonFlags): Promise<Result> {
  const { openImage, openInitrd } = await import("../lib/files/open_image.ts");
  using kernel = openImage(request.kernel);
  using initrd = openInitrd(request.initrds);
  const fds = initrd === undefined ? [kernel.number] : [kernel.number, initrd.number];
  // The agent takes these names as text to show: a path that is not UTF-8 is shown with \xHH.
  const { kernel: path, initrds, ...wish } = request;
  const names = { kernel: visible(path), initrd: initrds.map(visible).join(" + ") || undefined };
  const indexes = { kernelFd: 0, initrdFd: initrd === undefined ? undefined : 1 };
  return call(context, flags, "LoadImage", { ...wish, ...names, ...indexes }, fds);
}

export function format({ image }: Result): string {
  return imageText(image);
}

export const command = buildCommand<Flags, [string], Context>({
  docs: docs(
    "Load the next kernel",
    "Replaces the image loaded before; a load that fails keeps it. The command line is yours: without liveupdate=on in it\n" +
      "the next kernel drops everything that was preserved. Without --command-line it is the running kernel's own; --append\n" +
      "adds to either what is not there already. Kernel and initramfs are copied: the files may change afterwards.",
    [
      [
        "luo kexec load /boot/vmlinuz --initrd /boot/initrd.img --reuse-cmdline",
        "the same command line again",
      ],
      ['luo kexec load bzImage --command-line "liveupdate=on kho=on quiet"', "another one"],
    ],
  ),
  parameters: {
    flags: {
      initrd: {
        kind: "parsed",
        parse: String,
        optional: true,
        variadic: true,
        placeholder: "FILE",
        brief: "Its initramfs; several are put one after the other",
      },
      reuseCmdline: {
        kind: "boolean",
        default: false,
        withNegated: false,
        brief: "Take the running kernel's command line",
      },
      commandLine: {
        kind: "parsed",
        parse: textArgument,
        optional: true,
        placeholder: "S",
        brief: "Take this command line",
      },
      append: {
        kind: "parsed",
        parse: textArgument,
        optional: true,
        placeholder: "S",
        brief: "Add these words to it",
      },
      force: forceFlag("Load it even if the preserved data would not survive it"),
      ...commonFlags,
    },
    positional: {
      kind: "tuple",
      parameters: [{ parse: String, placeholder: "KERNEL", brief: "A bzImage (x86-64) or Image (arm64)" }],
    },
  },
  func(flags, kernel) {
    return perform(this, flags, { parse: () => parse(flags, kernel), run, format });
  },
});
