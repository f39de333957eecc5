/** The files of one session, from PRESERVE to FINISH (kernel/liveupdate/luo_file.c). */
import { Errno } from "../../ffi/abi/errno.ts";
import type { Ret } from "../kernel.ts";
import type { FileHandler, PreservedState } from "./file_handler.ts";
import type { Inode, OpenFile } from "./file.ts";

/** 10,000 blocks of 63 files (kernel/liveupdate/luo_block.c). */
const FILES_MAX = 630_000;

/** What all sessions of a kernel share: handlers in order of registration, and which inodes are preserved already. */
export interface LuoShared {
  readonly handlers: readonly FileHandler[];
  readonly preserved: Set<Inode>;
}

interface Outgoing {
  readonly token: bigint;
  readonly handler: FileHandler;
  readonly file: OpenFile;
  readonly state: PreservedState;
}

/** A file on its way out, as the handover lists it. */
export interface SerializedFile {
  readonly compatible: string;
  readonly token: bigint;
  readonly data: Uint8Array;
}

/** The files of an outgoing session, in order of preservation. */
export class OutgoingFiles {
  #files = new Map<bigint, Outgoing>();

  constructor(readonly shared: LuoShared) {}

  /** luo_preserve_file(): the token first, then the fd, a handler, and whether the inode is preserved already. */
  preserve(token: bigint, file: OpenFile | undefined): Ret {
    if (this.#files.has(token)) return -Errno.EEXIST;
    if (file === undefined) return -Errno.EBADF;
    const handler = this.shared.handlers.find((handler) => handler.can_preserve(file));
    if (handler === undefined) return -Errno.ENOENT;
    if (this.shared.preserved.has(file.inode)) return -Errno.EBUSY;
    if (this.#files.size === FILES_MAX) return -Errno.ENOSPC;
    const state = handler.preserve(file);
    if (typeof state === "number") return state;
    this.shared.preserved.add(file.inode);
    this.#files.set(token, { token, handler, file: file.get(), state });
    return 0;
  }

  /** The session was closed: newest first. */
  unpreserve(): void {
    for (const { handler, file, state } of [...this.#files.values()].reverse()) {
      handler.unpreserve(file, state);
      this.shared.preserved.delete(file.inode);
      file.put();
    }
    this.#files.clear();
  }

  /** In order of preservation; when one fails, those before it are unfrozen again. */
  freeze(): Ret {
    for (const { token, handler, file, state } of this.#files.values()) {
      const answer = handler.freeze?.(file, state) ?? 0;
      if (answer < 0) {
        this.unfreeze(token);
        return answer;
      }
    }
    return 0;
  }

  /** In order of preservation, up to the file that failed. */
  unfreeze(failed?: bigint): void {
    for (const { token, handler, file, state } of this.#files.values()) {
      if (token === failed) return;
      handler.unfreeze?.(file, state);
    }
  }

  *serialize(): Iterable<SerializedFile> {
    for (const { token, handler, state } of this.#files.values()) {
      yield { compatible: handler.compatible, token, data: state.serialize() };
    }
  }

  *frames(): Iterable<{ base: number; count: number }> {
    for (const { state } of this.#files.values()) yield* state.frames();
  }

  get size(): number {
    return this.#files.size;
  }
}

interface Incoming {
  readonly handler: FileHandler;
  readonly data: Uint8Array;
  /** Undefined until retrieved; an errno of the handler sticks. */
  result?: OpenFile | Ret;
}

/** The files of an incoming session, until FINISH. */
export class IncomingFiles {
  #files = new Map<bigint, Incoming>();

  constructor(readonly shared: LuoShared) {}

  add(token: bigint, handler: FileHandler, data: Uint8Array): void {
    this.#files.set(token, { handler, data });
  }

  /** luo_retrieve_file(): the same description every time. LUO keeps a reference of its own; the caller gets another. */
  retrieve(token: bigint, uid: number): OpenFile | Ret {
    const incoming = this.#files.get(token);
    if (incoming === undefined) return -Errno.ENOENT;
    if (incoming.result === undefined) {
      incoming.result = incoming.handler.retrieve(incoming.data, uid);
      // A retrieved file cannot be preserved anew before FINISH.
      if (typeof incoming.result === "object") this.shared.preserved.add(incoming.result.inode);
    }
    return typeof incoming.result === "number" ? incoming.result : incoming.result.get();
  }

  /** luo_file_finish(): all handlers agree, or nothing happens; what was never retrieved is freed. */
  finish(): Ret {
    for (const { handler, data, result } of this.#files.values()) {
      if (handler.can_finish?.(data, typeof result === "object") === false) return -Errno.EBUSY;
    }
    for (const { handler, data, result } of [...this.#files.values()].reverse()) {
      handler.finish(data, result !== undefined);
      if (typeof result !== "object") continue;
      this.shared.preserved.delete(result.inode);
      result.put();
    }
    this.#files.clear();
    return 0;
  }
}
