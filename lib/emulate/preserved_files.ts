/** Which files of the host are preserved, and how large they are: nothing may change their size. */
import { stat } from "../../ffi/file.ts";
import type { Ret, Stat, SystemCalls } from "../system_calls.ts";
import type { CallAnswer } from "./call_answer.ts";
import { type EmulatedFds, identityOf } from "./emulated_fds.ts";
import type { Ioctls } from "./ioctls.ts";
import { statOfFd } from "./program_fds.ts";

export class PreservedFiles {
  constructor(
    readonly sys: SystemCalls,
    readonly objects: EmulatedFds,
    readonly ioctls: Ioctls,
    /** Whether the host's inode `dev:ino` is preserved. */
    readonly isPreserved: (identity: string) => boolean,
  ) {}

  /** No session is open, so no file is preserved: most programs, most of the time. */
  get none(): boolean {
    return this.objects.empty;
  }

  /** The size of the preserved file at `path`, which luo can open; undefined for all other files. */
  size(path: string): bigint | undefined {
    return this.none ? undefined : this.#preserved(stat(path))?.size;
  }

  sizeOfFd(tid: number, fd: number): bigint | undefined {
    return fd < 0 || this.none ? undefined : this.#preserved(statOfFd(tid, fd))?.size;
  }

  /** Runs a call on the model when `fd` is a preserved file; undefined for every other file. */
  ask(tid: number, fd: number, run: (model_fd: number) => Ret): CallAnswer {
    if (this.sizeOfFd(tid, fd) === undefined) return undefined;
    const model_fd = this.ioctls.adopt(tid, fd);
    if (model_fd < 0) return undefined;
    try {
      return run(model_fd);
    } finally {
      this.sys.close(model_fd);
    }
  }

  #preserved(found: Stat | Ret): Stat | undefined {
    return typeof found !== "number" && this.isPreserved(identityOf(found)) ? found : undefined;
  }
}
