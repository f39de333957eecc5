/** The data of a live update as types of TypeScript: `deno task reference` writes this file from its neighbours. */
import type { FileState } from "./types.ts";

/**
 * normal: no update is under way. preparing: participants are called with prepare. prepared: bulk
 * memory is preserved, and workloads run. freezing: participants are called with freeze: the blackout
 * has begun. frozen: the last state is preserved: only the kexec is missing. cancelling: participants
 * are called with cancel. updating: the next kernel runs, and participants are called with updated.
 * updated: the next kernel runs, and all participants were called with updated. finishing:
 * participants are called with finish.
 */
export type UpdateState =
  | "normal"
  | "preparing"
  | "prepared"
  | "freezing"
  | "frozen"
  | "cancelling"
  | "updating"
  | "updated"
  | "finishing";

/**
 * prepare: preserve bulk memory; workloads run. freeze: stop, and preserve the last state. cancel: the
 * update does not happen: go on as before. updated: the next kernel runs: take back what was
 * preserved, and go on. finish: all is well: what is left of the update can go. check: luo checks the
 * image, the sessions and the participants. load: luo loads the image. digest: luo takes digests of
 * preserved files, before the kexec. kexec: from the reboot call to the first instruction of the agent
 * in the next kernel. start: the agent of the next kernel starts and finds the update. verify: luo
 * compares digests, after the kexec.
 */
export type UpdateEventName =
  | "prepare"
  | "freeze"
  | "cancel"
  | "updated"
  | "finish"
  | "check"
  | "load"
  | "digest"
  | "kexec"
  | "start"
  | "verify";

/**
 * done: it worked. veto: the participant said no. late: the deadline came first. died: the participant
 * was killed, or its connection ended. failed: it could not be done: the participant cannot be
 * started, prints too much, or luo itself failed. skipped: not called, because a participant that
 * comes before it did not do its part.
 */
export type UpdateOutcome = "done" | "veto" | "late" | "died" | "failed" | "skipped";

/** A point in time on three clocks. */
export interface Moment {
  /** CLOCK_REALTIME as RFC 3339, in UTC, with microseconds */
  at: string;
  /** CLOCK_BOOTTIME in microseconds: it counts from the start of the kernel named in boot */
  boottime: number;
  /** CLOCK_MONOTONIC in microseconds: as boottime, without the time of suspends */
  monotonic: number;
  /** from: the clocks of the kernel before. to: the clocks of the next kernel. */
  boot: "from" | "to";
}

/** An event of an update: a phase, or one participant's part in it. */
export interface UpdateEvent {
  /** See `UpdateEventName`. */
  event: UpdateEventName;
  /** Missing: the whole phase, which contains the parts of all participants */
  participant?: string;
  /** See `Moment`. */
  started: Moment;
  /** Missing: it is under way, or the agent ended in it */
  ended?: Moment;
  /** See `UpdateOutcome`. */
  outcome?: UpdateOutcome;
  /** Why it is not done */
  reason?: string;
  /** The process of the participant */
  pid?: number;
  /** How far luo is with the digests, of digest and verify */
  progress?: {
    /** Bytes */
    done: number;
    /** Bytes */
    total: number;
  };
}

/** A participant of an update. */
export interface UpdateParticipant {
  /** The name of its executable, or the one it gave to Participate */
  name: string;
  /** executable: started by the agent for each event. subscriber: a program that called Participate. */
  kind: "executable" | "subscriber";
  /** The participants that are called before it with prepare and freeze */
  after: string[];
  /** The deadline of each event */
  seconds: {
    /** By default 300 */
    prepare?: number;
    /** By default 10 */
    freeze?: number;
    /** By default 30 */
    cancel?: number;
    /** By default 300 */
    updated?: number;
    /** By default 60 */
    finish?: number;
  };
  /** The session that the agent made for it */
  session: string;
  /** Whether this update made the session, and closes it when it is cancelled */
  sessionMade?: boolean;
  /** What it printed at its last event, with which it is called again */
  answer?: string;
  /** Whether it was sent the session's descriptor: its word stands for the files that luo does not know */
  holdsSession?: boolean;
  /** The events that it did, in this update */
  done: UpdateEventName[];
}

/** What became of a preserved file. */
export interface FileVerdict {
  /** The name of the session */
  session: string;
  /** A u64 in decimal */
  token: string;
  /** Words that were given with the file */
  label?: string;
  /**
   * same: the bytes are those of the digest. changed: other bytes; the file was not sealed against
   * writing, so that it may have changed after the digest was taken. damaged: other bytes, although the
   * file was sealed against writing. missing: the kernel does not have the file. unknown: no digest was
   * taken, or the file could not be read.
   */
  verdict: "same" | "changed" | "damaged" | "missing" | "unknown";
  /** Why the verdict is unknown, in words */
  reason?: string;
}

/** A file in the session of a participant. */
export interface ParticipantFile {
  /** A u64 in decimal */
  token: string;
  /** Words that were given with the file */
  label?: string;
  /** Bytes */
  size: number;
  /** See `FileState`. */
  state: FileState;
}

/** What a participant is told with an event. */
export interface ParticipantEvent {
  /** The id of the update */
  update: string;
  /** prepare, freeze, cancel, updated or finish */
  event: UpdateEventName;
  /** The name of the participant */
  participant: string;
  /** The session that the agent made for it */
  session: string;
  /** The kernels of the update */
  kernel: {
    /** The release of the kernel before */
    from: string;
    /** That of the next kernel, when it is known */
    to?: string;
  };
  /** RFC 3339, in UTC */
  deadline: string;
  /** The seconds that are left until then */
  seconds: number;
  /** What the participant printed before, over the kexec too */
  answer?: string;
  /** The files in the session */
  files: ParticipantFile[];
}

/** A live update from its first step to its last. */
export interface UpdateRecord {
  /** 1 */
  version: number;
  /** A UUID */
  id: string;
  /** See `UpdateState`. */
  state: UpdateState;
  /**
   * done: the next kernel runs, and every participant finished. cancelled: it was cancelled by hand.
   * failed: it was cancelled because something failed; by and reason say what. lost: the machine ended
   * without a kexec.
   */
  outcome?: "done" | "cancelled" | "failed" | "lost";
  /** The participant that failed first; missing when it was luo or the kernel */
  by?: string;
  /** Why the update failed */
  reason?: string;
  /** The kernel before */
  from: { release: string; bootId: string };
  /** The next kernel, as far as it is known */
  to?: {
    release?: string;
    /** Missing before the kexec */
    bootId?: string;
  };
  /** Whether it finishes by itself in the next kernel: the update of luo update run */
  finishes: boolean;
  /** Whether this update loaded the image, and unloads it when it is cancelled */
  loaded: boolean;
  /** Whether digests are taken of all files at freeze */
  digest: boolean;
  /** The most seconds from the first freeze to the kexec */
  blackoutSeconds: number;
  /** See `UpdateParticipant`. */
  participants: UpdateParticipant[];
  /** See `UpdateEvent`. */
  events: UpdateEvent[];
  /** See `FileVerdict`. */
  verdicts?: FileVerdict[];
  /** What was lost in it, a sentence each */
  losses?: string[];
}

/** The live update that is under way, or the last one. */
export interface UpdateNow {
  /** See `UpdateState`. */
  state: UpdateState;
  /** Missing: there was none yet */
  update?: UpdateRecord;
}

/** One update of the history. */
export interface UpdateSummary {
  /** A UUID */
  id: string;
  /** RFC 3339, in UTC */
  startedAt: string;
  /** The release of the kernel before */
  from: string;
  /** The release of the next kernel */
  to?: string;
  /** done, cancelled, failed or lost; missing while it is under way */
  outcome?: string;
  /** The participant that failed first */
  by?: string;
  /** Why the update failed */
  reason?: string;
  /** How many took part */
  participants: number;
  /** Microseconds from the first event to the end of the last */
  total: number;
  /** Microseconds from the first freeze to the last workload that ran again */
  blackout?: number;
}
