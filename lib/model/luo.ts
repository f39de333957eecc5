/** The Live Update Orchestrator of one kernel (kernel/liveupdate/luo_core.c): device, sessions, number, and the way out and in. */
import { Errno } from "../../ffi/abi/errno.ts";
import type { Ret } from "../kernel.ts";
import { LiveupdateDevice } from "./device.ts";
import type { Faults } from "./faults.ts";
import { Flbs } from "./flb.ts";
import { Handlers } from "./handlers.ts";
import type { SerializedLuo } from "./handover.ts";
import type { Release } from "./releases.ts";
import { IncomingSession, key_of, type OutgoingSession, Sessions } from "./session.ts";

/** What a kernel tells its LUO at boot. */
export interface LuoBoot {
  readonly release: Release;
  /** Undefined: none was handed over. */
  readonly incoming: SerializedLuo | undefined;
  readonly ino: bigint;
  readonly faults: Faults;
  readonly print: (line: string) => void;
}

export class Luo {
  readonly device: LiveupdateDevice;
  readonly sessions: Sessions;
  readonly handlers: Handlers;
  /** This boot's liveupdate number: live updates since the cold boot. */
  readonly number: bigint;
  readonly #release: Release;
  /** Handed over and not read yet: the first open of the device does that. */
  #incoming: SerializedLuo | undefined;

  constructor({ release, incoming, ino, faults, print }: LuoBoot) {
    this.number = incoming?.number ?? 0n;
    this.#release = release;
    this.handlers = new Handlers(new Flbs(incoming?.flbs, print), faults, print);
    this.sessions = new Sessions(this.handlers, release);
    this.device = new LiveupdateDevice(this.sessions, () => this.#deserialize(), ino);
    this.#incoming = incoming;
  }

  /** Sessions are here that were handed over and are not finished. */
  get waiting(): boolean {
    return this.sessions.incoming.size > 0 || (this.#incoming?.sessions.length ?? 0) > 0;
  }

  /** luo_session_deserialize(): a file nobody has a handler for makes the device give EIO until the next kexec. */
  #deserialize(): Ret {
    const incoming = this.#incoming;
    this.#incoming = undefined;
    for (const { name, files } of incoming?.sessions ?? []) {
      const session = new IncomingSession(name, this.handlers);
      this.sessions.incoming.set(key_of(name), session);
      if (files.every((file) => session.files.add(file))) continue;
      session.files.abandon();
      return -Errno.EIO;
    }
    return 0;
  }

  /** luo_session_serialize(), first half: freezes in creation order, and unfreezes in reverse when one refuses. */
  freeze(): Ret {
    const frozen: OutgoingSession[] = [];
    for (const session of this.sessions.outgoing.values()) {
      const answer = session.files.freeze();
      if (answer < 0) {
        for (const done of frozen.reverse()) done.files.unfreeze();
        return answer;
      }
      frozen.push(session);
    }
    return 0;
  }

  /** Second half: only outgoing sessions go on; an incoming one that was not finished is lost. */
  serialize(): SerializedLuo {
    const sessions = [...this.sessions.outgoing.values()];
    return {
      format: this.#release.formats.luo,
      number: this.number + 1n,
      flbs: this.handlers.flbs.serialize(),
      sessions: sessions.map(({ name, files }) => ({ name, files: [...files.serialize()] })),
    };
  }

  *frames(): Iterable<{ base: number; count: number }> {
    for (const { files } of this.sessions.outgoing.values()) yield* files.frames();
  }
}
