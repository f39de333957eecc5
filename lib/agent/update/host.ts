/** The part of the agent that the coordination of an update uses: sessions, the image, the kexec, and a place for its record. */
import type { FileVerdict, Moment, SessionInfo, UpdateRecord } from "../../schema/types.ts";
import type { Found } from "./participant_files.ts";
import type { Callee } from "./callee.ts";

/** The agent, as the coordinator sees it. Every method may throw `ProcessKilled` on the model. */
export interface UpdateHost {
  readonly release: string;
  readonly bootId: string;
  /** The first instruction of this agent in this kernel. */
  readonly started: Moment;
  readonly log: (line: string) => void;

  /** The participants that can be called now. */
  findParticipants(): Found;
  /** The subscribers that are connected now. */
  readonly subscribers: readonly Subscriber[];
  /** The way to call a participant. Undefined: it is not here. */
  callee(participant: UpdateRecord["participants"][number]): Callee | undefined;

  session(name: string): SessionInfo | undefined;
  /** @throws VarlinkError the name is taken or reserved; LuoError `create` */
  createSession(name: string): Promise<void>;
  /** Closes an outgoing session with its files. A session that is not there is closed already. */
  closeSession(name: string): void;
  /** Takes an incoming session over. False: there is none. @throws LuoError, VarlinkError */
  retrieveSession(name: string): Promise<boolean>;
  /** Why finishing the session would lose data, a sentence each. */
  unfinished(name: string, filesUnknown: "may be gone" | "are restored"): string[];
  /** Finishes a retrieved session, and with it what was not restored. @throws LuoError */
  finishSession(name: string): Promise<void>;

  /** Whether an image is loaded, and its release as far as it is known. */
  image(): { loaded: boolean; release?: string };
  unloadImage(): void;
  /** Everything that can be done before the kexec: checks all that is held, loads the image again, syncs. @throws VarlinkError, LuoError */
  readyToExec(force: boolean): void;
  /** The checks that participants may have made wrong since `readyToExec`, of these sessions alone. @throws VarlinkError */
  checkAgain(sessions: readonly string[]): void;
  /** The reboot call. @throws LuoError the kernel refuses; ProcessKilled it has ended */
  exec(): never;

  /** Takes digests of the files of these sessions. @throws LuoError */
  takeDigests(
    sessions: readonly string[],
    which: "sealed" | "all",
    progress: (done: number, total: number) => void,
  ): Promise<void>;
  /** Compares digests of the files of a retrieved session. */
  verify(session: string, progress: (done: number, total: number) => void): Promise<FileVerdict[]>;
  /** Tells those who watch that the record has changed, without keeping it. */
  show(): void;

  /**
   * Keeps the record for the next agent and the next kernel, and shows its state.
   *
   * @param how where the kexec follows at once, the record in this kernel's file system may be as it was
   * @throws LuoError it cannot be kept
   */
  save(record: UpdateRecord, how?: "for the next kernel"): void;
}

/** A program that listens for events. */
export interface Subscriber {
  readonly name: string;
  readonly after: readonly string[];
  readonly seconds: UpdateRecord["participants"][number]["seconds"];
  /** Whether it gets the session's descriptor. */
  readonly holdsSession?: boolean;
}
