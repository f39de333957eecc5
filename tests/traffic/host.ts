/** What random traffic needs of the kernel that it runs on. */
import type { SystemCalls } from "../../lib/system_calls.ts";

/** What traffic needs of the place where it runs, besides the seam. */
export interface TrafficHost {
  readonly sys: SystemCalls;
  /** A directory on a tmpfs, empty at first. */
  readonly tmpfs: string;
  /** A bootable image, and what must be loaded with it. */
  readonly image: string;
  readonly initrd: string | undefined;
  /** A process that only holds `fds`, those of ours without FD_CLOEXEC, lowest first. Dead when `kill` returns. */
  spawn(fds: readonly number[]): Holder;
}

export interface Holder {
  kill(): void;
}
