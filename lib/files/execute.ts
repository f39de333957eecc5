/** Executes a program that gets a restored file as file descriptor 3. */
import { Errno } from "../../ffi/abi/errno.ts";
import { F_DUPFD, F_SETFD } from "../../ffi/abi/fcntl.ts";
import { close, fcntl } from "../../ffi/file.ts";
import { execvp } from "../../ffi/process.ts";
import { check, LuoError } from "../error.ts";
import { inheritedEnvironment } from "./inherited_environment.ts";
import type { HostFd } from "./host_fd.ts";

/** Where the executed command finds the file, as with systemd's socket activation. */
export const EXECUTE_FD = 3;

/**
 * Becomes another program, which inherits the file as descriptor 3 and `extra` in its environment. Comes back only to
 * throw: descriptor 3 is then no longer what it was, so say what went wrong and exit.
 *
 * @throws LuoError `execute`: ENOENT, EACCES ...
 */
export function executeWith(
  argv: readonly string[],
  file: HostFd,
  extra: Readonly<Record<string, string>>,
): never {
  const subject = JSON.stringify(argv[0] ?? "");
  const env: Record<string, string> = {};
  for (const entry of inheritedEnvironment()) {
    const equals = entry.indexOf("=", 1);
    env[entry.slice(0, equals)] = entry.slice(equals + 1);
  }
  Object.assign(env, extra);
  if (file.number === EXECUTE_FD) check(fcntl(file.number, F_SETFD, 0), "execute", subject);
  else place(file.number, subject);
  const answer = execvp(argv, env);
  throw new LuoError("execute", subject, -answer);
}

/** dup2(2) by hand: the lowest free number from 3 on is 3 once it is closed. Another thread may take it first, then again. */
function place(from: number, subject: string): void {
  for (let attempt = 0; attempt < 10; attempt++) {
    close(EXECUTE_FD);
    const number = check(fcntl(from, F_DUPFD, EXECUTE_FD), "execute", subject);
    if (number === EXECUTE_FD) return;
    close(number);
  }
  throw new LuoError("execute", subject, Errno.EBUSY);
}
