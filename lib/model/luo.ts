/** The Live Update Orchestrator of one kernel (kernel/liveupdate/luo_core.c): device, sessions, number, and the way out and in. */
import { Errno } from "../../ffi/abi/errno.ts";
import type { Ret } from "../kernel.ts";
import { LiveupdateDevice } from "./device.ts";
import type { FileHandler } from "./file_handler.ts";
import type { Inode } from "./file.ts";
import type { SerializedLuo } from "./handover.ts";
import { IncomingSession, key_of, type OutgoingSession, Sessions } from "./session.ts";

export class Luo {
  readonly device: LiveupdateDevice;
  readonly sessions: Sessions;
  readonly #handlers: FileHandler[] = [];
  /** Handed over and not read yet: the first open of the device does that. */
  #incoming: SerializedLuo | undefined;

  /** `number` is this boot's liveupdate number: live updates since the cold boot. */
  constructor(readonly number: bigint, incoming: SerializedLuo | undefined, ino: bigint) {
    this.sessions = new Sessions({ handlers: this.#handlers, preserved: new Set<Inode>() });
    this.device = new LiveupdateDevice(this.sessions, () => this.#deserialize(), ino);
    this.#incoming = incoming;
  }

  /** liveupdate_register_file_handler(). */
  register(handler: FileHandler): Ret {
    if (this.#handlers.some(({ compatible }) => compatible === handler.compatible)) return -Errno.EEXIST;
    this.#handlers.push(handler);
    return 0;
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
      const session = new IncomingSession(name, this.sessions.shared);
      for (const { compatible, token, data } of files) {
        const handler = this.#handlers.find((handler) => handler.compatible === compatible);
        if (handler === undefined) return -Errno.EIO;
        session.files.add(token, handler, data);
      }
      this.sessions.incoming.set(key_of(name), session);
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
      number: this.number + 1n,
      sessions: sessions.map(({ name, files }) => ({ name, files: [...files.serialize()] })),
    };
  }

  *frames(): Iterable<{ base: number; count: number }> {
    for (const { files } of this.sessions.outgoing.values()) yield* files.frames();
  }
}
