/**
 * The hardware, which outlives every kernel. No object of a kernel may be reachable from here after its end; a test
 * checks that.
 */
import type { Disk } from "../fs/disk.ts";
import type { Faults } from "../faults/faults.ts";
import type { Host } from "../fs/host_interface.ts";
import type { Handover } from "../kho/kho.ts";
import type { Ram } from "../memory/ram.ts";

/** uname's `machine` of the kernels of the model. */
export type MachineArchitecture = "x86_64" | "aarch64";

export interface Hardware {
  readonly architecture: MachineArchitecture;
  readonly ram: Ram;
  readonly disk: Disk;
  readonly host: Host | undefined;
  /** Faults to inject, counted over all kernels. */
  readonly faults: Faults;
  /** Prints a line on the serial console. */
  console(line: string): void;
  /** The ways in which reboot(2) ends a kernel. No process returns from them: all have ended. */
  kexec(next: NextKernel): void;
  restart(): void;
  power_off(): void;
}

/** The values that a kexec passes to the next kernel. Everything else is in RAM. */
export interface NextKernel {
  /** uname's release. */
  readonly release: string;
  readonly command_line: string;
  /** Undefined when KHO was off. */
  readonly handover: Handover | undefined;
}
