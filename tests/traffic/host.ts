/** The kernel under random traffic: its system calls, and what the seam cannot give. */
import type { SystemCalls } from "../../lib/system_calls.ts";

export interface TrafficHost {
  readonly sys: SystemCalls;
  /** A directory on a tmpfs, empty at first. */
  readonly tmpfs: string;
  /** A bootable image. */
  readonly image: string;
  /** The initramfs that the image needs. */
  readonly initrd: string | undefined;
  /** Starts a process that only holds `fds`, which are our fds without FD_CLOEXEC, lowest first. */
  spawn(fds: readonly number[]): Holder;
}

export interface Holder {
  /** Kills the process. It has exited when this returns. */
  kill(): void;
}
