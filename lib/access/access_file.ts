/** Reads the file with the access rules, when no other user could have written it. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_RDONLY, S_IFMT, S_IFREG } from "../../ffi/abi/fcntl.ts";
import { close, fstat, open, read } from "../../ffi/file.ts";
import { geteuid } from "../../ffi/process.ts";
import { check, LuoError } from "../error.ts";
import type { Stat } from "../system_calls.ts";
import { type AccessRule, BadAccessRule, parseAccessRules, parseAccounts } from "./access_rules.ts";

const FILE_MAX_BYTES = 1 << 20;

/**
 * The rules in the file.
 *
 * @throws LuoError `configure`: no file, a file that another user may write, a line that is no rule
 */
export function readAccessFile(path: string): AccessRule[] {
  const accounts = {
    users: parseAccounts(textOf("/etc/passwd") ?? ""),
    groups: parseAccounts(textOf("/etc/group") ?? ""),
  };
  try {
    return parseAccessRules(trusted(path), accounts);
  } catch (error) {
    if (!(error instanceof BadAccessRule)) throw error;
    const what = `Cannot use the access rules in "${path}", line ${error.line}: ${error.problem}`;
    throw new LuoError("configure", `"${path}"`, Errno.EINVAL, what);
  }
}

/** The text of a file of root's or of our own that nobody else may write. */
function trusted(path: string): string {
  const subject = `"${path}"`;
  const fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw new LuoError("configure", subject, -fd, `Cannot read the access rules in ${subject}`);
  try {
    const stat = check<Stat>(fstat(fd), "configure", subject);
    const problem = distrust(stat);
    if (problem !== undefined) {
      throw new LuoError(
        "configure",
        subject,
        Errno.EPERM,
        `Cannot use the access rules in ${subject}: ${problem}`,
      );
    }
    return readAll(fd);
  } finally {
    close(fd);
  }
}

function distrust({ mode, uid, size }: Stat): string | undefined {
  if ((mode & S_IFMT) !== S_IFREG) return "it is no regular file";
  if (uid !== 0 && uid !== geteuid()) return `it belongs to uid ${uid}`;
  if ((mode & 0o022) !== 0) return "other users may write it; make that impossible (chmod go-w)";
  return size > BigInt(FILE_MAX_BYTES) ? `it has more than ${FILE_MAX_BYTES} bytes` : undefined;
}

function textOf(path: string): string | undefined {
  const fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return undefined;
  try {
    return readAll(fd);
  } finally {
    close(fd);
  }
}

function readAll(fd: number): string {
  const decoder = new TextDecoder();
  const piece = new Uint8Array(65536);
  let text = "";
  for (let got = read(fd, piece); got > 0; got = read(fd, piece)) {
    text += decoder.decode(piece.subarray(0, got), { stream: true });
  }
  return text + decoder.decode();
}
