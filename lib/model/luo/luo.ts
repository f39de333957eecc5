/**
 * The Live Update Orchestrator of one kernel (kernel/liveupdate/luo_core.c): the device, the sessions, and the handover
 * in both directions.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import type { SessionEntry } from "../../kho/luo_entries.ts";
import type { Ret } from "../../system_calls.ts";
import { LiveupdateDevice } from "./device.ts";
import type { Faults } from "../faults/faults.ts";
import { Flbs } from "./flb.ts";
import { Handlers } from "./handler_registry.ts";
import type { IncomingLuo, OutgoingLuo } from "./handover.ts";
import { IncomingFiles } from "./session_files.ts";
import type { Release } from "../ground/releases.ts";
import { IncomingSession, key_of, type OutgoingSession, Sessions } from "./session.ts";

/** The parts of the kernel that LUO gets at boot. */
export interface LuoBoot {
  readonly release: Release;
  readonly outgoing: OutgoingLuo;
  /** Undefined when no LUO data was handed over. */
  readonly incoming: IncomingLuo | undefined;
  readonly ino: bigint;
  readonly faults: Faults;
  readonly print: (line: string, level?: number) => void;
}

export class Luo {
  readonly device: LiveupdateDevice;
  readonly sessions: Sessions;
  readonly handlers: Handlers;
  /** The liveupdate number: live updates since the cold boot. */
  readonly number: bigint;
  readonly #outgoing: OutgoingLuo;
  /** The handed-over data, until the first open of the device reads it. */
  #incoming: IncomingLuo | undefined;

  constructor({ release, outgoing, incoming, ino, faults, print }: LuoBoot) {
    this.number = incoming?.number ?? 0n;
    this.#outgoing = outgoing;
    this.#incoming = incoming;
    this.handlers = new Handlers(new Flbs(incoming?.flbs, print), faults, print);
    this.sessions = new Sessions(this.handlers, release, outgoing.rooms);
    this.device = new LiveupdateDevice(this.sessions, () => this.#deserialize(), ino);
  }

  /** True while a handed-over session is not finished. */
  get waiting(): boolean {
    return this.sessions.incoming.size > 0 || (this.#incoming?.sessions.entries.length ?? 0) > 0;
  }

  /**
   * luo_session_deserialize(): a file without a handler makes every open of the device fail with EIO until the next
   * kexec.
   */
  #deserialize(): Ret {
    const incoming = this.#incoming;
    this.#incoming = undefined;
    if (incoming === undefined) return 0;
    const good = incoming.sessions.entries.every((entry) => this.#deserialize_one(incoming, entry));
    incoming.sessions.free();
    return good ? 0 : -Errno.EIO;
  }

  /** Reads one session. When that fails, the memory that was restored so far is leaked until the next kexec. */
  #deserialize_one(incoming: IncomingLuo, entry: SessionEntry): boolean {
    const key = key_of(entry.name);
    if (this.sessions.incoming.has(key)) return false;
    const list = incoming.files(entry);
    const files = new IncomingFiles(this.handlers, list?.free);
    this.sessions.incoming.set(key, new IncomingSession(entry.name, files));
    const failed = list === undefined ? "-EINVAL" : "-ENOENT";
    if (list?.entries.every((file) => files.add(file))) return true;
    files.abandon();
    const name = new TextDecoder().decode(entry.name);
    this.handlers.print(`luo: Failed to deserialize files for session [${name}] ${failed}`);
    return false;
  }

  /**
   * luo_session_serialize(), first half: freezes sessions in creation order. When one refuses, unfreezes the others in
   * reverse.
   */
  freeze(): Ret {
    const frozen: OutgoingSession[] = [];
    for (const session of this.sessions.outgoing.values()) {
      const answer = session.files.freeze();
      if (answer < 0) {
        this.unfreeze(frozen);
        return answer;
      }
      frozen.push(session);
    }
    return 0;
  }

  /** Unfreezes the given sessions in reverse. */
  unfreeze(frozen: readonly OutgoingSession[] = [...this.sessions.outgoing.values()]): void {
    for (const session of frozen.toReversed()) session.files.unfreeze();
  }

  /** Second half: writes the outgoing sessions. An incoming session that is not finished is lost. */
  serialize(): void {
    this.#outgoing.serialize([...this.sessions.outgoing.values()], this.handlers.flbs.serialize());
  }
}
