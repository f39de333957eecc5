/** The cost of one check: processor time, and the most memory that the process had meanwhile. */
import { openKernelFile } from "../../lib/files/kernel_file.ts";
import type { ImageFile } from "../../lib/kexec/image/image_file.ts";
import process from "node:process";
import { checkFile } from "./check_image.ts";

export interface Cost {
  /** Processor time: on a busy machine more time passes. */
  readonly ms: number;
  /** The peak of the resident memory of the whole process. */
  readonly rss: number;
}

/** Checks one image. Throws when the result is not a verdict. */
export async function checkCost(image: Uint8Array | ImageFile): Promise<Cost> {
  forgetPeak();
  const start = process.cpuUsage();
  await checkFile(image instanceof Uint8Array ? fileOf(image) : image, {
    commandLine: "liveupdate=on kho=on",
  });
  const { user, system } = process.cpuUsage(start);
  return { ms: (user + system) / 1000, rss: peak() };
}

function fileOf(bytes: Uint8Array): ImageFile {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** The same in a process of its own, which has no garbage of other images. */
export async function checkCostApart(bytes: Uint8Array): Promise<Cost> {
  const path = await Deno.makeTempFile({ prefix: "luo-image-" });
  try {
    await Deno.writeFile(path, bytes);
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", import.meta.filename ?? "", path],
      stderr: "inherit",
    }).output();
    if (!success) throw new Error("the check of an image in a process of its own failed");
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(path);
  }
}

/** Linux: the peak (VmHWM) begins anew. proc_pid_clear_refs(5). */
function forgetPeak(): void {
  Deno.writeTextFileSync("/proc/self/clear_refs", "5");
}

function peak(): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1];
  return Number(kib) * 1024;
}

if (import.meta.main) {
  using file = openKernelFile(Deno.args[0] ?? "");
  console.log(JSON.stringify(await checkCost(file)));
}
