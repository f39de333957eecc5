/** Checks whether a kernel image can take over from the running kernel: all lines, and the verdict. */
import type { Check } from "../../schema/types.ts";
import type { SystemCalls } from "../../system_calls.ts";
import { type BuiltInLine, builtInLine } from "../built_in_line.ts";
import { checkImage, type ImageReport } from "../check_image.ts";
import type { Architecture } from "../file_kind.ts";
import type { KernelConfig } from "../image/embedded_config.ts";
import { ImageError } from "../image/image_error.ts";
import type { ImageFile } from "../image/image_file.ts";
import type { ReadImage } from "../image/read_kernel.ts";
import { commandLineLines } from "./command_line_lines.ts";
import { buildLines, formatLines, handlerLinesLater } from "./format_lines.ts";
import { hostLines, sizesOf } from "./host_lines.ts";
import { installedConfig } from "./kernel_config.ts";
import type { PreservedFiles } from "./preserved_files.ts";
import { type CheckLine, doesNotFit, type Fact, fits, verdictOf } from "./line.ts";
import { readFile } from "./read_file.ts";
import type { RunningKernel } from "./running_kernel.ts";

/** The update that is planned. */
export interface Plan {
  readonly image: ReadImage;
  /** The file, when the image is not wrapped. It may be larger than the part that was read. */
  readonly file: ImageFile;
  /** The path of the image, to find its configuration beside it. */
  readonly path?: string;
  readonly commandLine: string;
  readonly initrdBytes: number;
  /** The files that are preserved now. Undefined: there is no agent to tell. */
  readonly preserved?: PreservedFiles;
  readonly running: RunningKernel;
}

export interface Checked {
  readonly check: Check;
  /** The kernel's own headers. */
  readonly report: ImageReport;
  /** Why the kernel in the image cannot be read. */
  readonly unread?: ImageError;
  /** Whether the running kernel hands anything over: it has live update. */
  readonly handsOver: boolean;
  /** The configuration of the kernel in the image. */
  readonly config?: Fact<KernelConfig>;
  /** The command line in the image. */
  readonly builtIn?: BuiltInLine;
  readonly machine: Architecture;
  /** The lines about handlers again, for the files that are preserved when the image is executed. */
  readonly handlerLines: (preserved: PreservedFiles) => CheckLine[];
}

export function checkPlan(sys: SystemCalls, plan: Plan): Checked {
  const { image: { kernel, facts, wraps, uki }, running } = plan;
  const { read, size } = wraps.length === 0 ? plan.file : inMemory(kernel);
  const report = checkImage(read, size, running.machine);
  const known = facts instanceof ImageError ? undefined : facts;
  const release = known?.release ?? report.release ?? uki?.release;
  const config = known?.config === undefined
    ? release === undefined
      ? undefined
      : installedConfig((path, limit) => readFile(sys, path, limit), release, plan.path)
    : { value: known.config, source: "the configuration in the image" };
  const builtIn = config && builtInLine((name) => config.value.get(name), running.machine);
  const old = report.problems.some(({ code }) => code === "image_old");
  const sizes = sizesOf(kernel, plan.initrdBytes, plan.preserved?.bytes);
  const lines = [
    ...imageLines(report, release),
    // A kernel from before live update has no formats, so lines about them are left out.
    ...old ? [] : [...formatLines(facts, running, plan.preserved), ...buildLines(facts, config)],
    ...commandLineLines(plan.commandLine, running.commandLine, config, builtIn, running.machine),
    ...hostLines(kernel, sizes, running),
  ];
  const { banner, formats = [] } = known ?? {};
  return {
    check: { verdict: verdictOf(lines), release, banner, wraps: [...wraps], formats: [...formats], lines },
    report,
    unread: facts instanceof ImageError ? facts : undefined,
    handsOver: running.handedOver !== undefined,
    config,
    builtIn,
    machine: running.machine,
    handlerLines: handlerLinesLater(facts, running),
  };
}

function imageLines({ problems }: ImageReport, release: string | undefined): CheckLine[] {
  const source = "the image's header";
  const broken = problems.find(({ code }) => code !== "image_old");
  const old = problems.find(({ code }) => code === "image_old");
  return [
    broken === undefined
      ? fits("image", "kexec_file_load(2) takes it, and it is whole", source)
      : doesNotFit("image", broken.reason, source),
    old === undefined
      ? fits("release", release ?? "the image does not name its release", source)
      : doesNotFit("release", old.reason, source),
  ];
}

function inMemory(bytes: Uint8Array): ImageFile {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}
