/** A check of an image's bytes against a kernel of the model. */
import { type Checked, checkPlan } from "../../lib/kexec/check/check.ts";
import type { PreservedFiles } from "../../lib/kexec/check/preserved_files.ts";
import { readRunningKernel } from "../../lib/kexec/check/running_kernel.ts";
import { type ImageFile, readImageFile } from "../../lib/kexec/image/image_file.ts";
import { Machine, MemoryDisk } from "../../lib/testing.ts";

export interface Against {
  readonly running?: string;
  readonly runningLine?: string;
  readonly commandLine?: string;
  readonly machine?: string;
  readonly disk?: Readonly<Record<string, Uint8Array>>;
  readonly path?: string;
  readonly initrdBytes?: number;
  readonly preserved?: PreservedFiles;
}

export async function checkBytes(bytes: Uint8Array, against: Against = {}): Promise<Checked["check"]> {
  const read = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  return await checkFile({ size: bytes.length, read }, against);
}

export async function checkFile(file: ImageFile, against: Against = {}): Promise<Checked["check"]> {
  const {
    running = "7.3.4-luo",
    runningLine = "liveupdate=on kho=on",
    commandLine = "liveupdate=on kho=on",
  } = against;
  const machine = new Machine({
    release: running,
    commandLine: runningLine,
    disk: new MemoryDisk(against.disk ?? {}),
  });
  const sys = machine.init();
  const kernel = await readRunningKernel(sys);
  return checkPlan(sys, {
    image: await readImageFile(file),
    file,
    path: against.path,
    commandLine,
    initrdBytes: against.initrdBytes ?? 0,
    preserved: against.preserved,
    running: against.machine === "aarch64" ? { ...kernel, machine: "aarch64" } : kernel,
  }).check;
}

/** The codes of the lines with that verdict. */
export function codes({ lines }: Checked["check"], verdict: string): string[] {
  return lines.filter((line) => line.verdict === verdict).map(({ code }) => code);
}
