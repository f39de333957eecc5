/** What outlives a kernel. One kernel's objects must never be reachable from here once it is gone; a test walks it. */
import type { Disk } from "../fs/disk.ts";
import type { Faults } from "../faults/faults.ts";
import type { Host } from "../fs/host_interface.ts";
import type { Handover } from "../kho/kho.ts";
import type { Ram } from "../memory/ram.ts";

export interface Hardware {
  readonly ram: Ram;
  readonly disk: Disk;
  readonly host: Host | undefined;
  /** What is to go wrong, counted over all kernels. */
  readonly faults: Faults;
  /** A line on the serial console. */
  console(line: string): void;
  /** What reboot(2) ends in. None of them comes back to the caller: every process is gone. */
  kexec(next: NextKernel): void;
  restart(): void;
  power_off(): void;
}

/** All a kexec leaves to the next kernel, besides RAM. */
export interface NextKernel {
  /** uname's release. */
  readonly release: string;
  readonly command_line: string;
  /** Undefined when KHO was off. */
  readonly handover: Handover | undefined;
}
