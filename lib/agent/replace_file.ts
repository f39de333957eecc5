/** Replaces a small file as a whole: a reader finds the old contents or the new ones. */
import { O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } from "../../ffi/abi/fcntl.ts";
import { close, open, rename, unlink, write } from "../../ffi/file.ts";
import { check } from "../error.ts";

/** @throws LuoError `record`: the file is as it was */
export function replaceFile(path: string, bytes: Uint8Array, mode = 0o600): void {
  const [aside, subject] = [`${path}.new`, `"${path}"`];
  unlink(aside);
  const fd = check(
    open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode),
    "record",
    subject,
  );
  try {
    try {
      for (let at = 0; at < bytes.length;) at += check(write(fd, bytes.subarray(at)), "record", subject);
    } finally {
      // Before the rename: a program that is open for writing cannot be executed (ETXTBSY).
      close(fd);
    }
    check(rename(aside, path), "record", subject);
  } catch (error) {
    unlink(aside);
    throw error;
  }
}
