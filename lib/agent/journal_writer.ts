/** Writes the journal to its two places: the record beside the socket, and the manifest in the kernel. */
import { LuoError } from "../error.ts";
import type { OutgoingSession } from "../session.ts";
import { ManifestWriter, UPDATE_TOKEN } from "./manifest.ts";
import { replaceFile } from "./replace_file.ts";
import { overwriteRecord, type RecordLog, type RecordPaths, writeRecord } from "./record.ts";

/** The journal, and the change since it was written last, when it is the change of one session. */
export interface JournalSource {
  readonly change: Uint8Array | undefined;
  /** The same bytes each time. */
  readonly whole: () => Uint8Array;
}

/** The session that the manifest is written to. */
export interface OwnOutgoing {
  /** An earlier agent of this boot made it. */
  readonly adopted: OutgoingSession | undefined;
  /** Makes it. Undefined without a device: then only the record is written. @throws LuoError `open`, `create` */
  make(): OutgoingSession | undefined;
}

export class JournalWriter implements Disposable {
  /** Why the last write failed, as a sentence; undefined after a write that reached both places. */
  problem: string | undefined;
  /** False: the record on the disk is of another boot, and may be overwritten in place. */
  recordIsOfThisBoot = false;
  #recordLog: RecordLog | undefined;
  /** Whether the last write of the manifest succeeded. */
  #manifestIsSound = false;
  #manifest: { session: OutgoingSession; writer: ManifestWriter; update: ManifestWriter } | undefined;

  /**
   * @param own the session of the manifest
   */
  constructor(readonly paths: RecordPaths, readonly own: OwnOutgoing) {}

  /**
   * Writes a change that can be undone. The record is written first, because it fails more often (on a full disk). When it fails, the
   * manifest is as it was.
   *
   * @throws LuoError `record`; `create`, `write`, `preserve` the manifest
   */
  write(journal: JournalSource): void {
    this.problem = undefined;
    this.#noted(() => this.#writeRecord(journal));
    this.#noted(() => this.#writeManifest(journal));
  }

  /** Writes a change that cannot be undone: tries both places. Returns the errors. */
  tryWrite(journal: JournalSource): LuoError[] {
    return this.#try([() => this.#writeRecord(journal), () => this.#writeManifest(journal)]);
  }

  /**
   * Writes the manifest without a log, when it has one. The record is for this kernel, and is left as it is. Both are written anew
   * after a write that failed. Returns the errors.
   */
  tryWriteForNextKernel(journal: JournalSource): LuoError[] {
    if (this.problem !== undefined || this.#recordLog === undefined) return this.tryWrite(journal);
    if (this.#manifestIsSound && this.#manifest?.writer.hasLog === false) return [];
    return this.#try([() => this.#writeManifest(journal)]);
  }

  #try(writes: readonly (() => void)[]): LuoError[] {
    this.problem = undefined;
    return writes.flatMap((write) => {
      try {
        this.#noted(write);
        return [];
      } catch (error) {
        if (error instanceof LuoError) return [error];
        throw error;
      }
    });
  }

  #noted(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (error instanceof LuoError) this.problem ??= error.summary;
      throw error;
    }
  }

  /** A place takes a change only after a write that succeeded: after any other it may lack an earlier change. */
  #writeRecord({ change, whole }: JournalSource): void {
    const log = this.#recordLog;
    this.#recordLog = undefined;
    try {
      this.#recordLog = change !== undefined && log?.append(change) ? log : this.#replaceRecord(whole());
    } finally {
      if (this.#recordLog !== log) log?.[Symbol.dispose]();
    }
    this.recordIsOfThisBoot = true;
  }

  /** Undefined: the record was overwritten in place, and takes no log. */
  #replaceRecord(journal: Uint8Array): RecordLog | undefined {
    try {
      return writeRecord(this.paths, journal);
    } catch (error) {
      const full = error instanceof LuoError && (error.is("ENOSPC") || error.is("EDQUOT"));
      if (!full || this.recordIsOfThisBoot || !overwriteRecord(this.paths, journal)) throw error;
      return undefined;
    }
  }

  #writeManifest({ change, whole }: JournalSource): void {
    const manifest = this.#opened();
    if (manifest === undefined) return;
    const { writer } = manifest;
    const sound = this.#manifestIsSound;
    this.#manifestIsSound = false;
    if (!sound || change === undefined || !writer.append(change)) writer.write(whole());
    this.#manifestIsSound = true;
  }

  /**
   * Writes the record of a live update to the manifest's session, and to its file when there is one.
   *
   * @throws LuoError `record`; `create`, `write`, `preserve` the manifest
   */
  writeUpdate(record: Uint8Array, file: string | undefined): void {
    this.#opened()?.update.write(record);
    if (file !== undefined) replaceFile(file, record);
  }

  /** The manifest's session. Undefined: without a device there is none. */
  #opened() {
    if (this.#manifest !== undefined) return this.#manifest;
    const { adopted } = this.own;
    const session = adopted ?? this.own.make();
    if (session === undefined) return undefined;
    const writer = new ManifestWriter(session, 0n, adopted !== undefined);
    const update = new ManifestWriter(session, UPDATE_TOKEN, adopted !== undefined);
    this.#manifest = { session, writer, update };
    return this.#manifest;
  }

  [Symbol.dispose](): void {
    this.#recordLog?.[Symbol.dispose]();
    this.#recordLog = undefined;
    this.#manifest?.session.fd[Symbol.dispose]();
  }
}
