/** Writes the journal to its two places: the record beside the socket, and the manifest in the kernel. */
import { LuoError } from "../error.ts";
import type { Device, OutgoingSession } from "../session.ts";
import type { AgentPaths } from "./agent_place.ts";
import { MANIFEST_SESSION, ManifestWriter } from "./manifest.ts";
import { overwriteRecord, writeRecord } from "./record.ts";

export class JournalWriter implements Disposable {
  /** Why the last write failed, as a sentence; undefined after a write that reached both places. */
  problem: string | undefined;
  /** False: the record on the disk is of another boot, and may be overwritten in place. */
  recordIsOfThisBoot = false;
  #manifest: { session: OutgoingSession; writer: ManifestWriter } | undefined;

  /** @param device gives the device that the manifest's session is created with; undefined: write the record only */
  constructor(readonly paths: AgentPaths, readonly device: () => Device | undefined) {}

  /**
   * For changes that can be undone. The record is written first, because it fails more often (on a full disk). The manifest is
   * then as it was.
   *
   * @throws LuoError `record`; `create`, `write`, `preserve` the manifest
   */
  write(journal: Uint8Array): void {
    this.problem = undefined;
    this.#noted(() => this.#writeRecord(journal));
    this.#noted(() => this.#writeManifest(journal));
  }

  /** For changes that cannot be undone: both places are tried. Returns the errors. */
  tryWrite(journal: Uint8Array): LuoError[] {
    this.problem = undefined;
    return [() => this.#writeRecord(journal), () => this.#writeManifest(journal)].flatMap((write) => {
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

  #writeRecord(journal: Uint8Array): void {
    try {
      writeRecord(this.paths, journal);
    } catch (error) {
      const full = error instanceof LuoError && (error.is("ENOSPC") || error.is("EDQUOT"));
      if (!full || this.recordIsOfThisBoot || !overwriteRecord(this.paths, journal)) throw error;
    }
    this.recordIsOfThisBoot = true;
  }

  #writeManifest(journal: Uint8Array): void {
    const device = this.device();
    if (device === undefined) return;
    if (this.#manifest === undefined) {
      const session = device.create(MANIFEST_SESSION);
      this.#manifest = { session, writer: new ManifestWriter(session) };
    }
    this.#manifest.writer.write(journal);
  }

  [Symbol.dispose](): void {
    this.#manifest?.session.fd[Symbol.dispose]();
  }
}
