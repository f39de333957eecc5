/** The data of a report as types of TypeScript: `deno task reference` writes this file from its neighbours. */
import type { UpdateEventName, UpdateOutcome } from "./update_types.ts";

/** An event of an update on its time axis. */
export interface TimelineBar {
  /** See `UpdateEventName`. */
  event: UpdateEventName;
  /** Missing: the whole phase */
  participant?: string;
  /** Microseconds since the update began */
  from: number;
  /** Missing: it was not over when the record was written */
  to?: number;
  /** See `UpdateOutcome`. */
  outcome?: UpdateOutcome;
  reason?: string;
}

/** The kernel's share of an update, in microseconds since the update began. */
export interface KernelShare {
  /** The reboot call */
  from: number;
  /** The next kernel's clocks start */
  clock: number;
  /** The first instruction of its agent */
  to: number;
  /**
   * wall: the clocks of both kernels are joined by their wall clocks; that of a kernel can start with
   * whole seconds, so that clock - from is right to a second. unknown: the wall clocks contradict each
   * other: nothing is known about clock - from, and it is taken as 0. same: both kernels have one clock:
   * those of the model.
   */
  basis: "wall" | "unknown" | "same";
}

/** The events of both kernels on one time axis. */
export interface Timeline {
  /** RFC 3339, in UTC: the wall clock when the update began */
  startedAt: string;
  /** Microseconds from the first event to the end of the last */
  total: number;
  /** In the order of their beginnings, each phase before its parts */
  bars: TimelineBar[];
  /** From the first freeze to the last workload that runs again; missing when nothing was frozen */
  blackout?: {
    /** Microseconds since the update began */
    from: number;
    /** Now, as far as the record knows, when it is not over */
    to: number;
    /** False: a participant that was frozen does not run again yet */
    over: boolean;
  };
  /** Missing when there was no kexec, or its moment is not known */
  kernel?: KernelShare;
  /** The blackout of each participant */
  participants: {
    name: string;
    /** When its freeze began; missing when it was not frozen */
    from?: number;
    /** When its workload ran again; missing when it does not yet */
    to?: number;
  }[];
  /** Moments that systemd noted, in microseconds since the update began */
  marks: { name: string; at: number }[];
  /** What the times cannot say, a sentence each */
  notes: string[];
}
