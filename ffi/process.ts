/** This process and others: ids, signals, fds, exec. Functions return a value >= 0 or -errno (see ffi/libc.ts). */
import type { Ret } from "./abi/values.ts";
import { addresses, ARCH, cString, errno, keepAlive, libc, ret } from "./libc.ts";

const SIG_SETMASK = 2;
const SIG_DFL = 0n;
const SIG_IGN = 1n;
const SIGPIPE = 13;
/** Bytes of glibc's `sigset_t`. */
const SIGSET_SIZE = 128;
/** Bytes of glibc's `struct sigaction`. The handler is its first field on both architectures. */
const SIGACTION_SIZE = 152;

export function getpid(): number {
  return libc().getpid();
}

/** The parent's pid; 0 when the parent is in another PID namespace. */
export function getppid(): number {
  return libc().getppid();
}

export function geteuid(): number {
  return libc().geteuid();
}

/** -ESRCH: no such process. The fd is O_CLOEXEC. */
export function pidfd_open(pid: number, flags = 0): Ret {
  return ret(libc().syscall_pidfd_open(BigInt(ARCH.pidfd_open), pid, flags), errno[0]);
}

/**
 * A copy of another process's fd. -EPERM: this process may not ptrace the other one. -EBADF: the other process has no such fd.
 * -ESRCH: the other process has ended.
 */
export function pidfd_getfd(pidfd: number, fd: number, flags = 0): Ret {
  return ret(libc().syscall_pidfd_getfd(BigInt(ARCH.pidfd_getfd), pidfd, fd, flags), errno[0]);
}

/** Whether this process ignores the signal, for example SIGHUP under nohup(1). Programs that it starts inherit this. */
export function is_ignored(signal: number): boolean {
  const action = new BigUint64Array(SIGACTION_SIZE / 8);
  const answer = ret(libc().sigaction(signal, null, action), errno[0]);
  return answer === 0 && action[0] === SIG_IGN;
}

/** Ignores the signal from now on. Programs started later inherit this. Deno's listeners for the signal stop working. */
export function ignore(signal: number): void {
  libc().signal(signal, SIG_IGN);
}

/** Gives the signal its default action again. */
export function heed(signal: number): void {
  libc().signal(signal, SIG_DFL);
}

/** Waits, in another thread, until a child ends. The answer is its wait status (waitpid(2)); negative without such a child. */
export async function child_status(pid: number): Promise<Ret> {
  const status = new Int32Array(1);
  const answer = await libc().waitpid_nonblocking(pid, status, 0);
  return answer === pid ? status[0] ?? 0 : -1;
}

const P_PID = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;

/**
 * Waits, in another thread, until a child has ended. The child stays to be waited for with waitpid(2), so that its number cannot become
 * that of another process. Returns at once when there is no such child, and sometimes after a signal.
 */
export async function child_end(pid: number): Promise<void> {
  await libc().waitid_nonblocking(P_PID, pid, null, WEXITED | WNOWAIT);
}

/**
 * Sends a signal. Signal 0 only checks the process: -ESRCH when the process does not exist, -EPERM when this process may not
 * signal it.
 */
export function kill(pid: number, signal: number): Ret {
  return ret(libc().kill(pid, signal), errno[0]);
}

/**
 * Replaces this program by another one, searched in PATH. Returns only on failure. The new program starts with an empty signal
 * mask and the default action for SIGPIPE, because programs expect both; Deno ignores SIGPIPE.
 */
export function execvp(argv: readonly string[], env: Readonly<Record<string, string>>): Ret {
  const [file, ...rest] = argv.map(cString);
  if (file === undefined) throw new TypeError("A program to execute needs a name");
  const args = [file, ...rest];
  const variables = Object.entries(env).map(([name, value]) => cString(`${name}=${value}`));
  const [argp, envp] = [addresses(args), addresses(variables)];
  libc().sigprocmask(SIG_SETMASK, new Uint8Array(SIGSET_SIZE), null);
  const before = libc().signal(SIGPIPE, SIG_DFL);
  const answer = ret(libc().execvpe(file, argp, envp), errno[0]);
  libc().signal(SIGPIPE, before);
  keepAlive(args, variables);
  return answer;
}
