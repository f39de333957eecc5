/** The part of `liveUpdateTest` that runs on a real kernel, in a virtual machine: which boot it is, and the way into the next one. */
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { Fd } from "../fd.ts";
import { exec, loadImage } from "../kexec/load.ts";
import { SHARED } from "../rehearse/places.ts";
import type { SystemCalls } from "../system_calls.ts";

/** The files by which host and guest tell each other about the tests, below the directory that they share. */
export const TALK = ".luo-tests";
const GUEST_FILE = `${SHARED}/${TALK}/guest.json`;

/** How a half of a test ended, a line of JSON each. */
export interface HalfResult {
  readonly name: string;
  readonly boot: number;
  /** Undefined: it passed. */
  readonly error?: string | undefined;
}

/** A boot of the guest of `testOnLinux`, and what it loads for the next one. */
export interface Guest {
  /** From 1. */
  readonly boot: number;
  readonly kernel: string;
  readonly initrd: string;
  readonly commandLine: string;
}

/** Undefined on a host. No permission is asked for: the guest has all. */
export function guest(): Guest | undefined {
  if (Deno.permissions.querySync({ name: "read", path: GUEST_FILE }).state !== "granted") return undefined;
  try {
    return JSON.parse(Deno.readTextFileSync(GUEST_FILE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Notes the result of a half for the host, which sees it also when the kernel ends next. */
export function record(result: HalfResult): void {
  Deno.writeTextFileSync(`${SHARED}/${TALK}/results.jsonl`, `${JSON.stringify(result)}\n`, { append: true });
}

/** Loads the next kernel and executes it. Every session that this process has open is handed over. */
export function enterNextKernel(sys: SystemCalls, { kernel, initrd, commandLine }: Guest): never {
  const open = (path: string) => Fd.of(sys, sys.open(path, O_RDONLY | O_CLOEXEC), "open", path);
  {
    using image = open(kernel);
    using initramfs = open(initrd);
    loadImage(sys, { kernel: image, initrd: initramfs, commandLine });
  }
  sys.sync();
  return exec(sys);
}

/**
 * The module that a boot runs, as text: notes which boot it is, registers the tests of `module`, and in the first boot, as the last
 * test, the kexec.
 */
export function bootModule(module: string): string {
  return `import { env } from "node:process";
const guest = {
  boot: Number(env.LUO_BOOT),
  kernel: env.LUO_KERNEL,
  initrd: env.LUO_INITRD,
  commandLine: env.LUO_CMDLINE,
};
Deno.writeTextFileSync(${JSON.stringify(GUEST_FILE)}, JSON.stringify(guest));
await import(${JSON.stringify(module)});
if (guest.boot === 1) {
  const { enterNextKernel } = await import(${JSON.stringify(import.meta.url)});
  const { linux } = await import(${JSON.stringify(import.meta.resolve("../linux/system_calls.ts"))});
  const open = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  Deno.test({ name: "the kexec into the next kernel", ...open, fn: () => enterNextKernel(linux(), guest) });
}
`;
}
