/** The lines about the next kernel's command line. */
import { type BuiltInLine, effectiveLine } from "../built_in_line.ts";
import { commandLineProblems, parseCommandLine, readSwitch, type Word } from "../command_line.ts";
import type { Architecture } from "../file_kind.ts";
import type { KernelConfig } from "../image/embedded_config.ts";
import { cannotTell, type CheckLine, doesNotFit, type Fact, fits } from "./line.ts";

const LINE = "the next kernel's command line";
const DEFAULT = "CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT";

/** Whether KHO is on in the image without a word on the command line. Undefined: not known. */
export function khoDefault(config: Fact<KernelConfig> | undefined): boolean | undefined {
  return config && config.value.get(DEFAULT) === "y";
}

export function commandLineLines(
  next: string,
  running: string,
  config: Fact<KernelConfig> | undefined,
  builtIn?: BuiltInLine,
  machine?: Architecture,
): CheckLine[] {
  const words = parameters(effectiveLine(next, builtIn));
  const problems = commandLineProblems(next, running, khoDefault(config), builtIn, machine);
  const live = problems.find(({ code }) => code === "liveupdate_off");
  const whole = problems.find(({ code }) => code === "too_long" || code === "has_nul");
  return [
    live === undefined
      ? fits("liveupdate_on", "liveupdate=on", LINE)
      : doesNotFit("liveupdate_on", live.reason, LINE),
    khoLine(words, problems.find(({ code }) => code === "kho_off")?.reason, config),
    ...whole === undefined ? [] : [doesNotFit("command_line", whole.reason, LINE)],
    ...builtInLines(builtIn),
    ...duplicates(words),
    ...reservations(words),
  ];
}

/** Words after `--` are for init. */
function parameters(line: string): Word[] {
  const words = parseCommandLine(line);
  const end = words.findIndex(({ text }) => text === "--");
  return end < 0 ? words : words.slice(0, end);
}

function khoLine(
  words: readonly Word[],
  problem: string | undefined,
  config: Fact<KernelConfig> | undefined,
): CheckLine {
  if (problem !== undefined) return doesNotFit("kho_on", problem, config?.source ?? LINE);
  if (readSwitch(words, "kho") === true) return fits("kho_on", "kho=on", LINE);
  if (config !== undefined) return fits("kho_on", `${DEFAULT}=y`, config.source);
  const reason = "no kho=on, and whether KHO is on by default in the image is not known: add kho=on";
  return cannotTell("kho_on", reason, "no configuration of the image");
}

function builtInLines(builtIn: BuiltInLine | undefined): CheckLine[] {
  if (builtIn === undefined) return [];
  const { text, instead } = builtIn;
  const reason = instead === undefined
    ? `the image puts its own words before this line: ${text}`
    : `the image uses its own command line in place of every other (${instead}): ${text}`;
  return [fits("built_in_line", reason, "CONFIG_CMDLINE")];
}

/** The kernel goes through the line from left to right. */
function duplicates(words: readonly Word[]): CheckLine[] {
  return ["kho", "liveupdate"].flatMap((name) => {
    const count = words.filter((word) => word.name.replaceAll("-", "_") === name).length;
    if (count < 2) return [];
    const value = readSwitch(words, name) === true ? "on" : "off";
    return [fits("duplicates", `${name}= is given ${count} times: the last one counts, ${value}`, LINE)];
  });
}

function reservations(words: readonly Word[]): CheckLine[] {
  const lines: CheckLine[] = [];
  if (words.some(({ name }) => name === "kho_scratch")) {
    const reason = "kho_scratch= changes nothing after a handover: the areas of the running kernel stay";
    lines.push(fits("kho_scratch", reason, LINE));
  }
  if (words.some(({ name }) => name === "crashkernel")) {
    const reason =
      "whether crashkernel= finds room beside preserved memory is not known: without it there are no " +
      "crash dumps, and nothing is lost";
    lines.push(cannotTell("crashkernel", reason, LINE));
  }
  return lines;
}
