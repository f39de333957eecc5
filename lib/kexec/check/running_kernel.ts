/** The running kernel: the formats that it hands over, and its demands on the next kernel. */
import type { SystemCalls } from "../../system_calls.ts";
import type { Architecture } from "../file_kind.ts";
import type { KernelConfig } from "../image/embedded_config.ts";
import { type HandedOver, handedOver } from "./handed_over.ts";
import { runningConfig } from "./kernel_config.ts";
import type { Fact } from "./line.ts";
import { readFile, readText } from "./read_file.ts";

export interface RunningKernel {
  readonly release: string;
  readonly machine: Architecture;
  readonly commandLine: string;
  /** Undefined: it has no live update, and hands nothing over. */
  readonly handedOver?: HandedOver;
  readonly config?: Fact<KernelConfig>;
  readonly kexecDisabled: boolean;
  /** `none`, `integrity` or `confidentiality`; undefined when the kernel has no lockdown. */
  readonly lockdown?: string;
  /** Bytes of each scratch area, in which the next kernel is loaded and boots. Undefined: not known. */
  readonly scratch?: readonly number[];
  readonly memory?: number;
}

const SCRATCH = "/sys/kernel/debug/kho/out/scratch_len";
export const LOCKDOWN = "/sys/kernel/security/lockdown";
export const KEXEC_DISABLED = "/proc/sys/kernel/kexec_load_disabled";

export function architectureOf(sys: SystemCalls): Architecture {
  return sys.uname().machine === "aarch64" ? "aarch64" : "x86_64";
}

/** All of it is read through the system calls: a model answers as a host does. */
export async function readRunningKernel(sys: SystemCalls): Promise<RunningKernel> {
  const { release } = sys.uname();
  const scratch = readText(sys, SCRATCH)?.split("\n").filter((line) => /^0x[0-9a-f]{1,12}$/.test(line));
  const total = /^MemTotal:\s+(\d+) kB$/m.exec(readText(sys, "/proc/meminfo") ?? "")?.[1];
  return {
    release,
    machine: architectureOf(sys),
    commandLine: readText(sys, "/proc/cmdline") ?? "",
    handedOver: await handedOver(sys, release),
    config: await runningConfig((path, limit) => readFile(sys, path, limit), release),
    kexecDisabled: readText(sys, KEXEC_DISABLED) === "1",
    lockdown: /\[(\w+)\]/.exec(readText(sys, LOCKDOWN) ?? "")?.[1],
    scratch: scratch === undefined || scratch.length === 0 ? undefined : scratch.map(Number),
    memory: total === undefined ? undefined : Number(total) * 1024,
  };
}
