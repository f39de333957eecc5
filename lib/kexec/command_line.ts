/** The next kernel's command line: its words, how it is put together, and why it would lose what is preserved. */
import { KEXEC_CMDLINE_MAX } from "../../ffi/abi/kexec.ts";
import { kstrtobool } from "../../ffi/abi/kstrtobool.ts";
import { type BuiltInLine, effectiveLine, LINE_MAX } from "./built_in_line.ts";
import type { Architecture } from "./file_kind.ts";

/** One word of a kernel command line: `text` as written, name and value without quotes. A word without `=` has no value. */
export interface Word {
  readonly text: string;
  readonly name: string;
  readonly value?: string;
}

/**
 * The words as next_arg() of lib/cmdline.c finds them. White space ends a word, except between double quotes. A word that
 * starts with a quote is quoted as a whole. A quote at each end of a value is removed.
 */
export function parseCommandLine(line: string): Word[] {
  return Array.from(line.matchAll(/(?:[^\s"]|"[^"]*(?:"|$))+/g), ([text]) => parseWord(text));
}

function parseWord(text: string): Word {
  const quoted = text.startsWith('"');
  let inner = quoted ? text.slice(1) : text;
  if (quoted && inner.endsWith('"')) inner = inner.slice(0, -1);
  const equals = inner.indexOf("=", 1);
  if (equals < 0) return { text, name: inner };
  const value = inner.slice(equals + 1);
  if (!value.startsWith('"')) return { text, name: inner.slice(0, equals), value };
  return { text, name: inner.slice(0, equals), value: value.replace(/^"/, "").replace(/"$/, "") };
}

/** Words that the boot loader adds with its own file names, for one boot only. kexec-tools drops BOOT_IMAGE= too. */
const OF_ONE_BOOT: readonly string[] = ["BOOT_IMAGE", "initrd"];

/** The sources of the next kernel's command line. */
export interface CommandLineChoice {
  /** /proc/cmdline of the running kernel. */
  readonly running: string;
  /** Start from `running`, without the words for that boot only. `commandLine` overrides this. */
  readonly reuse?: boolean;
  /** The whole command line, in place of `running`. */
  readonly commandLine?: string;
  /** Words to add to either line, unless the line has them already: see `appendWords`. */
  readonly append?: string;
}

/** The next kernel's command line, from what kexec-tools calls --reuse-cmdline, --command-line and --append. */
export function buildCommandLine({ running, reuse, commandLine, append = "" }: CommandLineChoice): string {
  const appended = parseCommandLine(append).map(({ text }) => text);
  const reused = () =>
    parseCommandLine(running).filter(({ name, text }) =>
      !OF_ONE_BOOT.includes(name) || appended.includes(text)
    );
  const base = commandLine?.trim() ?? (reuse ? join(reused()) : "");
  return append.trim() === "" ? base : appendWords(base, append);
}

/**
 * Adds words to a command line so that adding them once more changes nothing: a line that is reused from update to update
 * must not grow. The kernel goes through the line from left to right and often the last word of a name counts
 * (`liveupdate=on liveupdate=off`), so a word is left out only where the line's last words of that name are the added ones
 * already, in the same order. Words before `--` are the kernel's and go before the line's `--`; those after it are for init.
 */
function appendWords(line: string, append: string): string {
  const [base, added] = [sections(line), sections(append)];
  const kernel = [...base.kernel, ...missing(base.kernel, added.kernel)];
  const init = endsWith(base.init, added.init) ? base.init : [...base.init, ...added.init];
  return join(init.length === 0 ? kernel : [...kernel, ...parseCommandLine("--"), ...init]);
}

interface Sections {
  readonly kernel: readonly Word[];
  readonly init: readonly Word[];
}

/** The first `--` ends the kernel's own parameters (parse_args() of kernel/params.c). */
function sections(line: string): Sections {
  const words = parseCommandLine(closeQuote(line));
  const end = words.findIndex(isEnd);
  return end < 0 ? { kernel: words, init: [] } : { kernel: words.slice(0, end), init: words.slice(end + 1) };
}

function isEnd({ name, value }: Word): boolean {
  return name === "--" && value === undefined;
}

/** A quote that is never closed would swallow what is added. The kernel reads the closed word as the same value. */
function closeQuote(line: string): string {
  return line.split('"').length % 2 === 0 ? `${line}"` : line;
}

/** The words of `added`, without the names whose last words in the line are the added ones already. */
function missing(base: readonly Word[], added: readonly Word[]): Word[] {
  const named = (words: readonly Word[], name: string) => words.filter((word) => sameName(word.name, name));
  return added.filter(({ name }) => !endsWith(named(base, name), named(added, name)));
}

/** The kernel takes `-` and `_` in a name for the same (parameq()). */
function sameName(one: string, other: string): boolean {
  return one.replaceAll("-", "_") === other.replaceAll("-", "_");
}

function endsWith(words: readonly Word[], end: readonly Word[]): boolean {
  const tail = words.slice(Math.max(0, words.length - end.length));
  return tail.length === end.length && tail.every(({ text }, at) => text === end[at]?.text);
}

function join(words: readonly Word[]): string {
  return words.map(({ text }) => text).join(" ");
}

/**
 * The last value of a switch such as `liveupdate=`, or undefined when no word sets the switch. The kernel reads early
 * parameters with kstrtobool(): one letter decides, except in on and off. A word without a value, or with any other value,
 * changes nothing. Words after `--` are for init.
 */
export function readSwitch(words: readonly Word[], name: string): boolean | undefined {
  const end = words.findIndex(isEnd);
  const values = words.slice(0, end < 0 ? words.length : end)
    .filter((word) => word.name.replaceAll("-", "_") === name).map(({ value }) => kstrtobool(value ?? ""));
  return values.findLast((value) => value !== undefined);
}

/** Why the next kernel would not take over what is preserved. */
export interface CommandLineProblem {
  /** Stable. */
  readonly code: "liveupdate_off" | "kho_off" | "too_long" | "has_nul";
  /** A clause. */
  readonly reason: string;
}

/**
 * Judges the next kernel's command line; `running` is the one under which this kernel has live update. `khoDefault`: whether the
 * next kernel has KHO on without a word (CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT), where that is known. `builtIn`: the command line
 * in the image. `machine`: the architecture of the machine.
 */
export function commandLineProblems(
  next: string,
  running = "",
  khoDefault?: boolean,
  builtIn?: BuiltInLine,
  machine: Architecture = "x86_64",
): CommandLineProblem[] {
  const problems: CommandLineProblem[] = [];
  const words = parseCommandLine(effectiveLine(next, builtIn));
  const its = builtIn?.instead === undefined
    ? "its command line"
    : `the command line in the image, used in place of every other (${builtIn.instead}),`;
  const liveupdate = readSwitch(words, "liveupdate");
  if (liveupdate !== true) {
    const reason = liveupdate === false
      ? `${its} switches live update off (liveupdate=on is needed)`
      : `${its} lacks liveupdate=on`;
    problems.push({ code: "liveupdate_off", reason });
  }
  const kho = readSwitch(words, "kho");
  if (kho === false) {
    problems.push({ code: "kho_off", reason: `${its} switches kexec handover off (kho=off)` });
  } else if (kho === undefined && khoDefault === false) {
    const reason = `${its} lacks kho=on, and the kernel has KHO off by default`;
    problems.push({ code: "kho_off", reason });
  } else if (
    kho === undefined && khoDefault === undefined && readSwitch(parseCommandLine(running), "kho") === true
  ) {
    // The running kernel was told, so it was needed.
    problems.push({
      code: "kho_off",
      reason: `${its} lacks kho=on, which the running kernel was given`,
    });
  }
  const length = new TextEncoder().encode(next).length;
  // arm64 loads a longer line, and the next kernel would cut it off.
  const most = machine === "aarch64" ? LINE_MAX : KEXEC_CMDLINE_MAX - 1;
  if (length > most) {
    const reason = `its command line has ${length} bytes, the kernel takes ${most}`;
    problems.push({ code: "too_long", reason });
  }
  if (next.includes("\0")) {
    problems.push({ code: "has_nul", reason: "its command line holds a NUL, and would end there" });
  }
  return problems;
}
