/** The flags of `update run` and `update prepare`: the next kernel, and how the update is done. */
import { Failure } from "../errors/failure.ts";
import type { CommonFlags } from "./command.ts";
import { forceFlag } from "./command.ts";
import { initrdFlag, type LineChoice, type LineFlags, lineFlags, parseLine } from "./next_command_line.ts";
import { parseSeconds } from "./token.ts";

export interface UpdateFlags extends CommonFlags, LineFlags {
  readonly initrd?: readonly string[];
  readonly blackout?: number;
  readonly digest: boolean;
  readonly force: boolean;
}

/** The request. Without a kernel the image that is loaded is taken. */
export interface UpdateRequest {
  readonly image?: LineChoice & { readonly kernel: string; readonly initrds: readonly string[] };
  readonly blackoutSeconds?: number;
  readonly digest: boolean;
  readonly force: boolean;
}

export const updateFlags = {
  initrd: initrdFlag,
  ...lineFlags,
  blackout: {
    kind: "parsed",
    parse: parseSeconds,
    optional: true,
    placeholder: "SECONDS",
    brief: "The longest freeze of all participants together (60)",
  },
  digest: {
    kind: "boolean",
    default: false,
    withNegated: false,
    brief: "Compare digests of the files after the kexec",
  },
  force: forceFlag("Do it even if luo refuses the image: data may be lost"),
} as const;

/** The positional KERNEL, which may be left out. */
export const optionalKernel = {
  kind: "tuple",
  parameters: [{
    parse: String,
    placeholder: "KERNEL",
    optional: true,
    brief: "The next kernel; without it, the one that is loaded",
  }],
} as const;

export function parseUpdate(flags: UpdateFlags, kernel: string | undefined): UpdateRequest {
  const { initrd = [], reuseCmdline, commandLine, append, blackout, digest, force } = flags;
  if (
    kernel === undefined &&
    (initrd.length > 0 || reuseCmdline || commandLine !== undefined || append !== undefined)
  ) {
    throw new Failure("usage", "Cannot take an initramfs or a command line without a KERNEL", {
      hints: ["name the kernel, or load it before with: luo kexec load"],
    });
  }
  if (blackout !== undefined && !(Number.isInteger(blackout) && blackout >= 1)) {
    throw new Failure("usage", "Cannot use that blackout: a whole number of seconds is needed, 1 or more");
  }
  return {
    ...(kernel === undefined ? {} : { image: { kernel, initrds: initrd, ...parseLine(flags) } }),
    ...(blackout === undefined ? {} : { blackoutSeconds: blackout }),
    digest,
    force,
  };
}
