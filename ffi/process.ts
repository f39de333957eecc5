/** Processes: each function a value >= 0 or -errno (see ffi/libc.ts). */
import type { Ret } from "./abi/values.ts";
import { addressOf, ARCH, cString, libc, ret } from "./libc.ts";

const SIG_SETMASK = 2;
const SIG_DFL = 0n;
const SIG_IGN = 1n;
const SIGPIPE = 13;
/** Bytes of glibc's `sigset_t`. */
const SIGSET_SIZE = 128;
/** glibc's `struct sigaction`, which begins with the handler on both architectures. */
const SIGACTION_SIZE = 152;

export function getpid(): number {
  return libc().getpid();
}

/** 0 when the parent is in another PID namespace. */
export function getppid(): number {
  return libc().getppid();
}

export function geteuid(): number {
  return libc().geteuid();
}

/** -ESRCH: no such process. The fd is O_CLOEXEC. */
export function pidfd_open(pid: number, flags = 0): Ret {
  return ret(libc().syscall_pidfd_open(BigInt(ARCH.pidfd_open), pid, flags));
}

/** A copy of another process's fd. -EPERM without the right to ptrace it, -EBADF when it has no such fd, -ESRCH when it is gone. */
export function pidfd_getfd(pidfd: number, fd: number, flags = 0): Ret {
  return ret(libc().syscall_pidfd_getfd(BigInt(ARCH.pidfd_getfd), pidfd, fd, flags));
}

/** Whether this process ignores the signal, as nohup(1) makes a program ignore SIGHUP. A program that is started inherits that. */
export function is_ignored(signal: number): boolean {
  const action = new BigUint64Array(SIGACTION_SIZE / 8);
  const answer = ret(libc().sigaction(signal, null, action));
  return answer === 0 && action[0] === SIG_IGN;
}

/** Ignores the signal from now on, as do programs that are started later. A listener of Deno for it is cut off. */
export function ignore(signal: number): void {
  libc().signal(signal, SIG_IGN);
}

/** The wait status (waitpid(2)) of a child, when it has ended; waits in a thread of its own. Negative: there is no such child. */
export async function child_status(pid: number): Promise<Ret> {
  const status = new Int32Array(1);
  const answer = await libc().waitpid_nonblocking(pid, status, 0);
  return answer === pid ? status[0] ?? 0 : -1;
}

/** `signal` 0 only asks: -ESRCH when nobody is there, -EPERM when somebody else's process is. */
export function kill(pid: number, signal: number): Ret {
  return ret(libc().kill(pid, signal));
}

/**
 * Becomes another program, found by PATH; only comes back, with -errno, when that failed. The signal mask and SIGPIPE are
 * set to what a program expects to find (Deno ignores SIGPIPE, and that would be inherited).
 */
export function execvp(argv: readonly string[], env: Readonly<Record<string, string>>): Ret {
  const [file, ...rest] = argv.map(cString);
  if (file === undefined) throw new TypeError("A program to execute needs a name");
  const args = [file, ...rest];
  const variables = Object.entries(env).map(([name, value]) => cString(`${name}=${value}`));
  const [argp, envp] = [pointers(args), pointers(variables)];
  libc().sigprocmask(SIG_SETMASK, new Uint8Array(SIGSET_SIZE), null);
  const before = libc().signal(SIGPIPE, SIG_DFL);
  const answer = ret(libc().execvpe(file, argp, envp));
  libc().signal(SIGPIPE, before);
  keep(args, variables);
  return answer;
}

/** A NULL-terminated array of addresses. */
function pointers(strings: readonly Uint8Array[]): BigUint64Array<ArrayBuffer> {
  return new BigUint64Array([...strings.map(addressOf), 0n]);
}

/** Strings that only an array of addresses points to must be reachable until the call is over. */
function keep(..._strings: Uint8Array[][]): void {}
