/** pidfd_open(2), and what pidfd_getfd(2) needs of it (kernel/pid.c). */
import { O_NONBLOCK, O_RDWR, POLLIN } from "../../ffi/abi/fcntl.ts";
import { type FileOperations, OpenFile, stat } from "./file.ts";
import type { Process } from "./process.ts";

export function pidfd_file(target: Process, ino: bigint, flags: number): OpenFile {
  const inode = { stat: () => stat({ dev: 9n, ino, mode: 0o600 }) };
  const operations = new PidfdOperations(target);
  return new OpenFile(inode, operations, O_RDWR | (flags & O_NONBLOCK), () => "anon_inode:[pidfd]");
}

/** The process behind a pidfd, undefined for any other file. */
export function pidfd_target(file: OpenFile): Process | undefined {
  return file.operations instanceof PidfdOperations ? file.operations.target : undefined;
}

class PidfdOperations implements FileOperations {
  constructor(readonly target: Process) {}

  /** Readable once the process has ended. */
  poll(_file: OpenFile, events: number): number {
    return this.target.ended ? events & POLLIN : 0;
  }
}
