/** The files of one session, from PRESERVE to FINISH (kernel/liveupdate/luo_file.c). */
import { Errno, errnoName } from "../../../ffi/abi/errno.ts";
import type { FileEntry } from "../../kho/luo_entries.ts";
import type { Ret } from "../../system_calls.ts";
import type { Room } from "../kho/block_set.ts";
import type { FileHandler, PreservedState } from "./file_handler.ts";
import type { OpenFile } from "../fs/file.ts";
import type { Handlers } from "./handler_registry.ts";

interface Outgoing {
  readonly token: bigint;
  readonly handler: FileHandler;
  readonly file: OpenFile;
  readonly state: PreservedState;
}

/** The files of an outgoing session, in order of preservation. */
export class OutgoingFiles {
  #files = new Map<bigint, Outgoing>();

  readonly handlers: Handlers;
  readonly room: Room<FileEntry>;

  constructor(handlers: Handlers, room: Room<FileEntry>) {
    this.handlers = handlers;
    this.room = room;
  }

  /**
   * luo_preserve_file(): checks, in this order, the token, room for one more, the fd, a handler, and whether the file
   * is preserved already.
   */
  preserve(token: bigint, file: OpenFile | undefined): Ret {
    if (this.#files.has(token)) return -Errno.EEXIST;
    const answer = this.room.grow(this.#files.size + 1) || this.#add(token, file);
    if (answer < 0) this.room.shrink(this.#files.size);
    return answer;
  }

  #add(token: bigint, file: OpenFile | undefined): Ret {
    if (file === undefined) return -Errno.EBADF;
    const handler = this.handlers.take(file);
    if (handler === undefined) return -Errno.ENOENT;
    const state = this.#preserve(handler, file);
    if (typeof state === "number") {
      this.handlers.put(handler);
      return state;
    }
    this.#files.set(token, { token, handler, file: file.get(), state });
    return 0;
  }

  /** Takes the identity, preserves the FLBs, then the file. Undoes this in reverse when a step fails. */
  #preserve(handler: FileHandler, file: OpenFile): Ret | PreservedState {
    if (!this.handlers.claim(handler, file)) return -Errno.EBUSY;
    let answer: Ret | PreservedState = this.handlers.flbs.file_preserve(handler);
    if (answer === 0) {
      const { faults } = this.handlers;
      answer = faults.errno("alloc") || faults.errno("preserve") || handler.preserve(file, this);
      if (typeof answer === "object") return answer;
      this.handlers.flbs.file_unpreserve(handler);
    }
    this.handlers.release(handler, file);
    return answer;
  }

  /** Descriptions with the same identity count as one file. */
  token_of(file: OpenFile): bigint | undefined {
    for (const { token, handler, file: other } of this.#files.values()) {
      if (other === file || (handler.identity?.(other) ?? other) === handler.identity?.(file)) return token;
    }
    return undefined;
  }

  /** Called when the session is closed: unpreserves every file, newest first. */
  unpreserve(): void {
    for (const { handler, file, state } of [...this.#files.values()].reverse()) {
      handler.unpreserve(file, state);
      this.handlers.flbs.file_unpreserve(handler);
      this.handlers.release(handler, file);
      this.handlers.put(handler);
      file.put();
    }
    this.#files.clear();
    this.room.shrink(0);
  }

  /** Freezes the files in order of preservation. When one fails, unfreezes those before it. */
  freeze(): Ret {
    for (const { token, handler, file, state } of this.#files.values()) {
      const answer = this.handlers.faults.errno("freeze") || (handler.freeze?.(file, state) ?? 0);
      if (answer < 0) {
        this.handlers.print(
          `luo: Freeze failed for token[0x${token.toString(16)}] handler[${handler.compatible}] err[-${
            errnoName(answer)
          }]`,
        );
        this.unfreeze(token);
        return answer;
      }
    }
    return 0;
  }

  /** Unfreezes the files in order of preservation, up to the one that failed. */
  unfreeze(failed?: bigint): void {
    for (const { token, handler, file, state } of this.#files.values()) {
      if (token === failed) return;
      handler.unfreeze?.(file, state);
    }
  }

  /** Writes the list for the next kernel. Returns the address of its first block, and the number of files. */
  serialize(): { files_pa: bigint; count: bigint } {
    const entries = [...this.#files.values()].map(({ handler, token, state }) => ({
      compatible: handler.compatible,
      data: state.data,
      token,
    }));
    return { files_pa: BigInt(this.room.write(entries)), count: BigInt(entries.length) };
  }

  get size(): number {
    return this.#files.size;
  }
}

interface Incoming {
  readonly handler: FileHandler;
  readonly data: bigint;
  /** Undefined until retrieved. An errno of the handler stays. */
  result?: OpenFile | Ret;
}

/** The files of an incoming session, until FINISH. */
export class IncomingFiles {
  #files = new Map<bigint, Incoming>();

  readonly handlers: Handlers;
  readonly release: () => void;

  /** `release` frees the list that the files came in. The list stays as long as the files do. */
  constructor(handlers: Handlers, release: () => void = () => {}) {
    this.handlers = handlers;
    this.release = release;
  }

  /** luo_file_deserialize_one(): false when no handler fits. */
  add({ compatible, token, data }: FileEntry): boolean {
    const handler = this.handlers.find(compatible);
    if (handler === undefined) return false;
    this.#files.set(token, { handler, data });
    return true;
  }

  /** Leaks the files of a session that could not be read, as Linux does. */
  abandon(): void {
    for (const { handler } of this.#files.values()) this.handlers.put(handler);
    this.#files.clear();
    this.release();
  }

  /**
   * luo_retrieve_file(): returns the same description every time. LUO keeps a reference of its own; the caller gets
   * another.
   */
  retrieve(token: bigint, uid: number): OpenFile | Ret {
    const incoming = this.#files.get(token);
    if (incoming === undefined) return -Errno.ENOENT;
    if (incoming.result === undefined) {
      incoming.result = this.#retrieve(incoming, uid);
      // A retrieved file cannot be preserved again before FINISH.
      if (typeof incoming.result === "object") this.handlers.claim(incoming.handler, incoming.result);
    }
    return typeof incoming.result === "number" ? incoming.result : incoming.result.get();
  }

  #retrieve({ handler, data }: Incoming, uid: number): OpenFile | Ret {
    const fault = this.handlers.faults.errno("retrieve");
    if (fault === 0) return handler.retrieve(data, uid, { file_of: (token) => this.#borrow(token, uid) });
    // Free the data, as a handler that fails does: it is never called for this data again.
    handler.finish(data, undefined);
    return fault;
  }

  /** Retrieves a file for another one of the session. The caller gets no reference. */
  #borrow(token: bigint, uid: number): OpenFile | Ret {
    const file = this.retrieve(token, uid);
    if (typeof file === "object") file.put();
    return file;
  }

  /**
   * luo_file_finish(): when a handler refuses, nothing happens. Else the session ends, and files that were never
   * retrieved are freed.
   */
  finish(): Ret {
    if (this.#files.size === 0) return 0;
    for (const { handler, data, result } of this.#files.values()) {
      const refused = this.handlers.faults.errno("can_finish") < 0;
      if (refused || handler.can_finish?.(data, result) === false) return -Errno.EBUSY;
    }
    for (const { handler, data, result } of [...this.#files.values()].reverse()) {
      handler.finish(data, result);
      this.handlers.flbs.file_finish(handler);
      if (typeof result === "object") {
        this.handlers.release(handler, result);
        result.put();
      }
      this.handlers.put(handler);
    }
    this.#files.clear();
    this.release();
    return 0;
  }

  /** Files that are retrieved and not finished. LUO holds a reference to each, even when all fds are closed. */
  *held(): Iterable<OpenFile> {
    for (const { result } of this.#files.values()) if (typeof result === "object") yield result;
  }
}
