/** One test of a live update, on the model and on a real kernel. */
import { linux } from "../linux/system_calls.ts";
import { SHARED } from "../rehearse/places.ts";
import { ProcessKilled, type SystemCalls } from "../system_calls.ts";
import { type Guest, guest, record } from "./guest.ts";
import { Machine, type MachineOptions, type NextKernel } from "./machine.ts";

/** The argument of each half of a test. */
export interface Half {
  /** The process that the half runs as. It lives until the kexec, and so do its sessions. */
  readonly sys: SystemCalls;
  /** The machine, on the model. Undefined on a real kernel. */
  readonly machine?: Machine | undefined;
  /** The directory that host and guest share, on a real kernel. Undefined on the model. */
  readonly directory?: string | undefined;
}

/** One half of a test: before the kexec, or after it. */
export type HalfOfTest = (half: Half) => void | Promise<void>;

/** The machine of the model that a test runs on; without meaning on a real kernel. */
export interface LiveUpdateTestOptions extends MachineOptions {
  /** The kernel after the kexec. Default: of the same release. */
  readonly next?: NextKernel | undefined;
}

/**
 * Registers a test with two halves and a kexec between them. On the model both run in one process. In a virtual machine of `testOnLinux`
 * `before` runs in the first boot and `after` in the second, in a process of its own. So the halves may share constants and no
 * variables. All tests of a file share the kexec, and names of sessions must differ. Close the device at the end of each half:
 * one process at a time has it open.
 *
 * ```ts ignore
 * liveUpdateTest("the cache is warm", ({ sys }) => saveCache(sys), ({ sys }) => assert(loadCache(sys).warm));
 * ```
 */
export function liveUpdateTest(
  name: string,
  before: HalfOfTest,
  after: HalfOfTest,
  options: LiveUpdateTestOptions = {},
): void {
  const here = guest();
  if (here === undefined) return Deno.test(name, () => onModel(before, after, options));
  // Sessions that the first half leaves open are handed over; everything else ends with the kernel.
  const open = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  Deno.test({ name, ...open, fn: () => onLinux(name, here, here.boot === 1 ? before : after) });
}

async function onModel(
  before: HalfOfTest,
  after: HalfOfTest,
  { next, ...options }: LiveUpdateTestOptions,
): Promise<void> {
  const machine = new Machine(options);
  const release = next?.release ?? options.release;
  try {
    await before({ sys: machine.init(), machine });
  } catch (error) {
    // The half may execute the kexec itself.
    if (!(error instanceof ProcessKilled) || machine.boots === 1) throw error;
  }
  if (machine.boots === 1) {
    const { end } = machine.kexec({ release, commandLine: next?.commandLine });
    if (end !== "kexec") {
      throw new Error(`The machine did not reach the next kernel: ${machine.panic ?? end}`);
    }
  }
  await after({ sys: machine.init(), machine });
}

async function onLinux(name: string, { boot }: Guest, half: HalfOfTest): Promise<void> {
  try {
    await half({ sys: linux(), directory: SHARED });
  } catch (error) {
    record({ name, boot, error: error instanceof Error ? error.stack ?? error.message : String(error) });
    throw error;
  }
  record({ name, boot });
}
