/** The arguments of `kexec load` and `kexec check`: the next kernel, its initramfs and its command line. */
import { Failure } from "../errors/failure.ts";
import { textArgument } from "./text_argument.ts";

export interface LineFlags {
  readonly reuseCmdline: boolean;
  readonly commandLine?: string;
  readonly append?: string;
}

/** The choice, under the names of `LoadImage`. */
export interface LineChoice {
  readonly reuseCommandLine: boolean;
  readonly imageCommandLine: boolean;
  readonly commandLine?: string;
  readonly append?: string;
}

/** `--initrd`, as often as it is needed. */
export const initrdFlag = {
  kind: "parsed",
  parse: String,
  optional: true,
  variadic: true,
  placeholder: "FILE",
  brief: "Its initramfs; several are put one after the other",
} as const;

/** The positional KERNEL. */
export const kernelArgument = {
  kind: "tuple",
  parameters: [{
    parse: String,
    optional: true,
    placeholder: "KERNEL",
    brief: "A kernel image, wrapped or not; default: that of the settings, with its initramfs",
  }],
} as const;

export const lineFlags = {
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
} as const;

/** Without any flag: the command line in a unified kernel image, or else the running kernel's. */
export function parseLine({ reuseCmdline, commandLine, append }: LineFlags): LineChoice {
  if (commandLine !== undefined && reuseCmdline) {
    throw new Failure("usage", "Cannot take both --command-line and --reuse-cmdline", {
      hints: ["--reuse-cmdline --append=WORDS adds to the running kernel's command line"],
    });
  }
  const reuseCommandLine = commandLine === undefined;
  return { reuseCommandLine, imageCommandLine: reuseCommandLine && !reuseCmdline, commandLine, append };
}
