/** The command line that is built into a kernel, and what becomes of the one that it is given. */
import type { Architecture } from "./file_kind.ts";

/** Bytes of a command line that a kernel reads: COMMAND_LINE_SIZE of both architectures, without the NUL. */
export const LINE_MAX = 2047;

/** A command line that is built into a kernel. */
export interface BuiltInLine {
  /** The words. */
  readonly text: string;
  /** The option by which the text is used in place of every other line; otherwise it comes before the given line. */
  readonly instead?: string;
}

/**
 * `option` gives the values of the kernel's configuration. x86 puts its text before the given line or takes it alone
 * (setup_arch() of arch/x86/kernel/setup.c); arm64 takes it alone, or only where no line is given (drivers/of/fdt.c).
 */
export function builtInLine(
  option: (name: string) => string | undefined,
  machine: Architecture,
): BuiltInLine | undefined {
  const text = option("CONFIG_CMDLINE")?.replaceAll('\\"', '"') ?? "";
  const [used, instead] = machine === "x86_64"
    ? [option("CONFIG_CMDLINE_BOOL") === "y", "CONFIG_CMDLINE_OVERRIDE"]
    : [option("CONFIG_CMDLINE_FORCE") === "y", "CONFIG_CMDLINE_FORCE"];
  if (!used) return undefined;
  if (option(instead) === "y") return { text, instead };
  return text === "" ? undefined : { text };
}

/** The line that the kernel reads. */
export function effectiveLine(given: string, builtIn: BuiltInLine | undefined): string {
  if (builtIn === undefined) return given;
  return builtIn.instead === undefined ? `${builtIn.text} ${given}`.slice(0, LINE_MAX) : builtIn.text;
}
