/** Starts a program, or becomes one, that gets a restored file as file descriptor 3. */
import { Errno } from "../../ffi/abi/errno.ts";
import { F_DUPFD, F_SETFD } from "../../ffi/abi/fcntl.ts";
import { access_executable, close, fcntl } from "../../ffi/file.ts";
import { child_status, execvp } from "../../ffi/process.ts";
import { spawn_with } from "../../ffi/spawn.ts";
import { check, LuoError } from "../error.ts";
import type { HostFd } from "./host_fd.ts";
import { inheritedEnvironment } from "./inherited_environment.ts";

/** The program finds the file here, as with systemd's socket activation. */
export const EXECUTE_FD = 3;

type Variables = Readonly<Record<string, string>>;

/**
 * Starts a program as a child, with the file as descriptor 3 and `extra` in its environment. The child inherits everything else,
 * ignored signals too.
 *
 * @returns its process number
 * @throws LuoError `execute`: ENOENT, EACCES ...
 */
export function startWith(argv: readonly string[], file: HostFd, extra: Variables): number {
  const [name = ""] = argv;
  const env = Object.entries(environmentWith(extra)).map(([key, value]) => `${key}=${value}`);
  const fds = [[file.number, EXECUTE_FD]] as const;
  const start = (path: string, argv: readonly string[]) =>
    spawn_with({ path, argv, env, fds, search: true, inheritIgnored: true });
  let pid = start(name, argv);
  // execvp(3): a file that is executable but no program is a script for the shell.
  if (pid === -Errno.ENOEXEC) pid = start("/bin/sh", ["sh", scriptPath(name, env), ...argv.slice(1)]);
  return check(pid, "execute", `"${name}"`);
}

/** The path of the script by PATH. The shell itself would look in the working directory first. */
function scriptPath(name: string, env: readonly string[]): string {
  if (name.includes("/")) return name;
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? "/bin:/usr/bin";
  return path.split(":").map((directory) => `${directory || "."}/${name}`).find(access_executable) ?? name;
}

/** Waits for the end of a child. @returns its exit code, or 128 and the signal that ended it, as shells have it */
export async function exitCodeOf(pid: number): Promise<number> {
  const status = await child_status(pid);
  if (status < 0) throw new LuoError("execute", `process ${pid}`, Errno.ECHILD);
  // WIFSIGNALED and WEXITSTATUS of <sys/wait.h>.
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

/**
 * Becomes another program, with the file as descriptor 3 and `extra` in its environment. Returns only by throwing: descriptor 3 is
 * then no longer what it was, so the caller can do nothing but report the error and exit.
 *
 * @throws LuoError `execute`: ENOENT, EACCES ...
 */
export function become(argv: readonly string[], file: HostFd, extra: Variables): never {
  const subject = `"${argv[0] ?? ""}"`;
  const env = environmentWith(extra);
  if (file.number === EXECUTE_FD) check(fcntl(file.number, F_SETFD, 0), "execute", subject);
  else place(file.number, subject);
  const answer = execvp(argv, env);
  throw new LuoError("execute", subject, -answer);
}

function environmentWith(extra: Variables): Record<string, string> {
  const env: Record<string, string> = {};
  for (const entry of inheritedEnvironment()) {
    const equals = entry.indexOf("=", 1);
    env[entry.slice(0, equals)] = entry.slice(equals + 1);
  }
  return { ...env, ...extra };
}

/**
 * dup2(2) by hand: after a close, the lowest free number from 3 on is 3. Another thread of the runtime may take it first; then the
 * loop tries again.
 */
function place(from: number, subject: string): void {
  for (let attempt = 0; attempt < 10; attempt++) {
    close(EXECUTE_FD);
    const number = check(fcntl(from, F_DUPFD, EXECUTE_FD), "execute", subject);
    if (number === EXECUTE_FD) return;
    close(number);
  }
  throw new LuoError("execute", subject, Errno.EBUSY);
}
