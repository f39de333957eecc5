/**
 * The registered handlers of a kernel, how many files use each, and which files are preserved already
 * (kernel/liveupdate/luo_file.c).
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import type { Ret } from "../../system_calls.ts";
import type { Faults } from "../faults/faults.ts";
import type { OpenFile } from "../fs/file.ts";
import { type FileHandler, has_callbacks } from "./file_handler.ts";
import type { Flb, Flbs } from "./flb.ts";

export class Handlers {
  /** Number of files that use each handler (the count of its module), in order of registration. */
  #registered = new Map<FileHandler, number>();
  /** luo_preserved_files: the identities of preserved files, over all sessions. */
  #preserved = new Set<object>();

  readonly flbs: Flbs;
  readonly faults: Faults;
  readonly print: (line: string, level?: number) => void;

  constructor(flbs: Flbs, faults: Faults, print: (line: string, level?: number) => void) {
    this.flbs = flbs;
    this.faults = faults;
    this.print = print;
  }

  /** liveupdate_register_file_handler(). */
  register(handler: FileHandler): Ret {
    if (!has_callbacks(handler)) return -Errno.EINVAL;
    for (const { compatible } of this.#registered.keys()) {
      if (compatible !== handler.compatible) continue;
      this.print(
        `luo: File handler registration failed: Compatible string '${compatible}' already registered.`,
      );
      return -Errno.EEXIST;
    }
    this.#registered.set(handler, 0);
    return 0;
  }

  /**
   * liveupdate_unregister_file_handler(), as rmmod calls it: EAGAIN while a file of the handler is preserved or waits
   * to be retrieved.
   */
  unregister(handler: FileHandler): Ret {
    const users = this.#registered.get(handler);
    if (users === undefined) return -Errno.ENOENT;
    if (users > 0) return -Errno.EAGAIN;
    this.flbs.unregister_all(handler);
    this.#registered.delete(handler);
    return 0;
  }

  /** liveupdate_register_flb(): from now on every preserved file of `handler` needs `flb`. */
  register_flb(handler: FileHandler, flb: Flb): Ret {
    return this.flbs.register(handler, flb, this.#registered.has(handler));
  }

  /** The first handler that accepts the file. Counts one use more. */
  take(file: OpenFile): FileHandler | undefined {
    return this.#use((handler) => handler.can_preserve(file));
  }

  /** The handler of that name. Counts one use more. */
  find(compatible: string): FileHandler | undefined {
    const found = this.#use((handler) => handler.compatible === compatible);
    if (found === undefined) this.print(`luo: No registered handler for compatible '${compatible}'`);
    return found;
  }

  put(handler: FileHandler): void {
    this.#registered.set(handler, (this.#registered.get(handler) ?? 0) - 1);
  }

  #use(fits: (handler: FileHandler) => boolean): FileHandler | undefined {
    for (const [handler, users] of this.#registered) {
      if (!fits(handler)) continue;
      this.#registered.set(handler, users + 1);
      return handler;
    }
    return undefined;
  }

  /** Marks the file as preserved. False when it is preserved already. */
  claim(handler: FileHandler, file: OpenFile): boolean {
    const identity = handler.identity?.(file) ?? file;
    if (this.#preserved.has(identity)) return false;
    this.#preserved.add(identity);
    return true;
  }

  release(handler: FileHandler, file: OpenFile): void {
    this.#preserved.delete(handler.identity?.(file) ?? file);
  }

  /** Replaces the identity of a preserved file, for a file that moved to the host. */
  rename(from: object, to: object): void {
    if (this.#preserved.delete(from)) this.#preserved.add(to);
  }
}
