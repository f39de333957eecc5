/** The type of a file from its mode (`S_IFMT` of stat(2)), in the words of messages. */
import { S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK } from "../../ffi/abi/fcntl.ts";
import type { FileKind } from "./file_problem.ts";

export function kindOf(mode: number): FileKind {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "regular file";
    case S_IFDIR:
      return "directory";
    case S_IFIFO:
      return "FIFO";
    case S_IFSOCK:
      return "socket";
    default:
      return "device";
  }
}
