/** Starts CMD under a seccomp filter through the launcher, and gets the filter's listener. */
import { MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { encodeOsText } from "../../ffi/abi/os_text.ts";
import { SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { errnoName } from "../../ffi/abi/errno.ts";
import { close, memfd_create, write } from "../../ffi/file.ts";
import { recvmsg, sendmsg, socketpair } from "../../ffi/socket.ts";
import { spawn_with } from "../../ffi/spawn.ts";
import { check } from "../error.ts";
import { killAll } from "./kill_descendants.ts";
import { filter } from "./seccomp_filter.ts";
import { MACHINE_CODE } from "./launcher/machine_code.ts";

/** The fd number of the launcher's end of the channel. It is closed when CMD is executed. */
const CHANNEL = 255;
/** sizeof(struct order) of launcher.c: u64 nofile[2], u32 instructions, u32 path. The filter and the path follow. */
const ORDER = 24;
const STAGES = ["no_new_privs", "seccomp", "sendmsg", "execve"] as const;
const [STARTED, ENDED, SHARED] = [100, 101, 102];
/** What a machine can share with the host, by the bits of SHARED. */
const SHAREABLE = [
  "the names in /tmp, /run and /dev/shm",
  "System V IPC and POSIX queues",
  "the clocks",
  "the host name",
] as const;

export interface Launch {
  /** The argument of execve(2). */
  readonly path: string;
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly strict: boolean;
  /** RLIMIT_NOFILE, soft and hard; zeros leave it as it is. */
  readonly nofile: readonly [bigint, bigint];
}

/** CMD could not be started; `stage` tells which step failed. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";

  constructor(readonly stage: (typeof STAGES)[number], readonly code: string) {
    super(`${stage} failed (${code})`);
  }
}

/** CMD, and its guard: the process that kills CMD and all its descendants when the channel is closed. */
export class Launched implements Disposable {
  /** CMD's process id; 0 until the guard has sent it. */
  init = 0;
  /** CMD's wait status, once it has ended. */
  status: number | undefined;
  readonly listener: number;
  /** What the machine shares with the host, because the host has no namespace for it. */
  shared: readonly string[] = [];

  constructor(readonly guard: number, readonly channel: number) {
    let listener: number | undefined;
    while (listener === undefined) listener = this.heard();
    this.listener = listener;
  }

  /**
   * Takes one message of the launcher. Returns the listener when the message carries it. @throws LaunchError CMD does
   * not run
   */
  heard(): number | undefined {
    const into = new Uint8Array(8);
    const got = recvmsg(this.channel, into, 1);
    if (typeof got === "number") check(got, "receive", "the launcher's message");
    if (typeof got === "number" || got.bytes === 0) throw new LaunchError("execve", "ESRCH");
    if (got.bytes === 1) return got.fds[0];
    const [what = 0, number = 0] = new Uint32Array(into.buffer);
    if (what === STARTED) this.init = number;
    else if (what === ENDED) this.status = number;
    else if (what === SHARED) this.shared = SHAREABLE.filter((_, bit) => (number & (1 << bit)) !== 0);
    else throw new LaunchError(STAGES[what] ?? "execve", errnoName(number));
  }

  /**
   * Closing the channel makes the guard kill all processes. The listener is closed last: without it, trapped calls
   * return ENOSYS.
   */
  [Symbol.dispose](): void {
    close(this.channel);
    killAll();
    close(this.listener);
  }
}

/** Starts CMD under a filter. @throws LaunchError seccomp is not available */
export function launch({ path, argv, env, strict, nofile }: Launch): Launched {
  const program = launcher();
  const [ours, theirs] = check(socketpair(SOCK_SEQPACKET), "socketpair", "the launcher");
  try {
    check(sendmsg(ours, order(filter(strict), path, nofile), []), "send", "the launcher's order");
    const guard = spawn_with({ path: `/proc/self/fd/${program}`, argv, env, fds: [[theirs, CHANNEL]] });
    check(guard, "start", "the launcher");
    close(theirs);
    return new Launched(guard, ours);
  } catch (error) {
    close(ours);
    throw error;
  } finally {
    close(program);
  }
}

function order(filter: Uint8Array, path: string, nofile: readonly [bigint, bigint]): Uint8Array {
  const name = encodeOsText(`${path}\0`);
  const bytes = new Uint8Array(ORDER + filter.length + name.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, nofile[0], true);
  view.setBigUint64(8, nofile[1], true);
  view.setUint32(16, filter.length / 8, true);
  view.setUint32(20, filter.length, true);
  bytes.set(filter, ORDER);
  bytes.set(name, ORDER + filter.length);
  return bytes;
}

/** An executable memfd with the launcher. */
function launcher(): number {
  // Before Linux 6.3 the flag is unknown.
  const exec = memfd_create("luo-emulate", MFD_CLOEXEC | MFD_EXEC);
  const fd = check(
    exec < 0 ? memfd_create("luo-emulate", MFD_CLOEXEC) : exec,
    "memfd_create",
    "the launcher",
  );
  check(write(fd, Uint8Array.fromBase64(MACHINE_CODE[Deno.build.arch])), "write", "the launcher");
  return fd;
}
