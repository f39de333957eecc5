/** The lines about formats: the next kernel reads what the running one writes, and has live update built in. */
import type { KernelConfig } from "../image/embedded_config.ts";
import { ImageError } from "../image/image_error.ts";
import type { KernelFacts } from "../image/read_kernel.ts";
import { cannotTell, type CheckCode, type CheckLine, doesNotFit, type Fact, fits } from "./line.ts";
import { otherHandlerLines } from "./handler_lines.ts";
import { fileCount, type PreservedFiles } from "./preserved_files.ts";
import { listed, versionsOf } from "./release_formats.ts";
import type { RunningKernel } from "./running_kernel.ts";

const IMAGE = "the image";

interface Format {
  readonly code: CheckCode;
  readonly name: string;
  readonly fact: "kho" | "luo" | "handlers";
  /** The consequence when the next kernel knows another format. */
  readonly otherwise: string;
}

/** A kernel that knows no format of a kind is built without the code that would read it. */
const NOT_LOOKED_AT = "it would not look at what is handed over, and all preserved data would be lost";

/** kernel/liveupdate/kexec_handover.c, luo_core.c and luo_file.c of Linux 7.3: there is no negotiation. */
const FORMATS: readonly Format[] = [
  {
    code: "kho_format",
    name: "kho",
    fact: "kho",
    otherwise: "it would boot as if nothing had been handed over, and all preserved data would be lost",
  },
  {
    code: "luo_format",
    name: "luo",
    fact: "luo",
    otherwise: "it would panic early in boot, and all preserved data would be lost",
  },
  {
    code: "file_handlers",
    name: "memfd",
    fact: "handlers",
    otherwise: "every open of /dev/liveupdate would give EIO, and all preserved data would be lost",
  },
];

type Formats = Pick<KernelFacts, "formats">;
type Writer = Pick<RunningKernel, "release" | "handedOver">;

/**
 * The lines about handlers, for files that are preserved later. The function lives as long as the image is loaded, so the names in it
 * are copies: a part of a text keeps the whole text in memory.
 */
export function handlerLinesLater(
  facts: Formats | ImageError,
  { release, handedOver }: Writer,
): (preserved: PreservedFiles) => CheckLine[] {
  const known = facts instanceof ImageError ? facts : copied({ formats: facts.formats });
  const running = copied({ release, handedOver });
  return (preserved) => formatLines(known, running, preserved).filter(({ code }) => code === "file_handlers");
}

function copied<T>(names: T): T {
  return JSON.parse(JSON.stringify(names));
}

/** @param preserved the files that are preserved now; undefined: there is no agent to tell */
export function formatLines(
  facts: Formats | ImageError,
  running: Writer,
  preserved?: PreservedFiles,
): CheckLine[] {
  const memfds = preserved?.counts.memfd ?? 0;
  return [
    ...FORMATS.map((format) => formatLine(format, facts, running, format.fact === "handlers" ? memfds : 0)),
    ...facts instanceof ImageError || running.handedOver === undefined
      ? []
      : otherHandlerLines(facts, running, preserved),
  ];
}

function formatLine(
  format: Format,
  facts: Formats | ImageError,
  running: Writer,
  files: number,
): CheckLine {
  const { code, name, otherwise } = format;
  if (running.handedOver === undefined) {
    return fits(
      code,
      `kernel ${running.release} has no live update and hands nothing over`,
      "/dev/liveupdate",
    );
  }
  const written = running.handedOver[format.fact];
  if (facts instanceof ImageError) return cannotTell(code, unread(facts), IMAGE);
  const known = versionsOf(facts.formats, name);
  if (written === undefined) {
    const reason = `the format that kernel ${running.release} hands over is not known; the image knows ${
      listed(known)
    }`;
    return cannotTell(code, reason, "no debugfs, no image of the running kernel, no entry in luo's table");
  }
  const now = files === 0 ? "" : ` (${fileCount(files)} now)`;
  const both = `${listed(written.value)} is handed over${now}, the image knows ${listed(known)}`;
  const source = `${files === 0 ? "" : "the agent; "}${written.source}; ${IMAGE}`;
  if (written.value.some((one) => known.includes(one))) return fits(code, both, source);
  return doesNotFit(code, `${both}: ${known.length === 0 ? NOT_LOOKED_AT : otherwise}`, source);
}

/** The lines about built-in options, by the configuration; without one, by the strings in the image. */
export function buildLines(
  facts: KernelFacts | ImageError,
  config: Fact<KernelConfig> | undefined,
): CheckLine[] {
  return [
    builtIn("liveupdate_built_in", "CONFIG_LIVEUPDATE", "luo", facts, config),
    builtIn("kho_built_in", "CONFIG_KEXEC_HANDOVER", "kho", facts, config),
  ];
}

function builtIn(
  code: CheckCode,
  option: string,
  format: string,
  facts: KernelFacts | ImageError,
  config: Fact<KernelConfig> | undefined,
): CheckLine {
  if (config !== undefined) {
    if (config.value.get(option) === "y") return fits(code, `${option}=y`, config.source);
    return doesNotFit(code, `${option} is not set: it cannot take anything over`, config.source);
  }
  if (facts instanceof ImageError) return cannotTell(code, unread(facts), IMAGE);
  const [name] = versionsOf(facts.formats, format);
  if (name !== undefined) return fits(code, `the kernel has the name ${name} in it`, IMAGE);
  return doesNotFit(code, `the kernel has no name ${format}-vN in it: it is built without ${option}`, IMAGE);
}

function unread({ reason }: ImageError): string {
  return `the kernel in the image cannot be read: ${reason}`;
}
