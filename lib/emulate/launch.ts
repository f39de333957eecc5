import { MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { errnoName } from "../../ffi/abi/errno.ts";
import { close, memfd_create, write } from "../../ffi/file.ts";
import { recvmsg, socketpair } from "../../ffi/socket.ts";
import { spawn_with } from "../../ffi/spawn.ts";
import { check } from "../error.ts";
import { filter } from "./filter.ts";
import { CHANNEL, STAGES, stub } from "./stub.ts";

export interface Launch {
  /** Absolute. */
  readonly path: string;
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly strict: boolean;
  readonly nofile: readonly [bigint, bigint];
}

/** CMD could not be started as the init of a machine: `stage` says whether it was seccomp, or the program. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";

  constructor(readonly stage: (typeof STAGES)[number], readonly code: string) {
    super(`${stage} failed (${code})`);
  }
}

/** Starts CMD below a filter. @returns its process number, and the listener that its calls come to */
export function launch({ path, argv, env, strict, nofile }: Launch): { pid: number; listener: number } {
  const program = memfdOf(stub({ path, filter: filter(strict), nofile }));
  const pair = check(socketpair(SOCK_SEQPACKET), "socketpair", "the launcher");
  const [ours, theirs] = pair;
  try {
    const pid = spawn_with({ path: `/proc/self/fd/${program}`, argv, env, channel: [theirs, CHANNEL] });
    check(pid, "start", path);
    close(theirs);
    return { pid, listener: listen(ours) };
  } finally {
    close(program);
    close(ours);
  }
}

/** The listener; and then nothing more, because CMD runs, or what went wrong. */
function listen(channel: number): number {
  let listener: number | undefined;
  for (;;) {
    const into = new Uint8Array(8);
    const got = recvmsg(channel, into, 1);
    if (typeof got === "number") check(got, "receive", "the launcher's answer");
    if (typeof got === "number" || got.bytes === 0) break;
    if (got.fds[0] !== undefined) listener = got.fds[0];
    if (got.bytes !== 8) continue;
    if (listener !== undefined) close(listener);
    const [stage = 0, errno = 0] = new Uint32Array(into.buffer);
    throw new LaunchError(STAGES[stage] ?? "execve", errnoName(errno));
  }
  if (listener === undefined) throw new LaunchError("seccomp", "ESRCH");
  return listener;
}

function memfdOf(bytes: Uint8Array): number {
  // Before Linux 6.3 the flag is unknown.
  const exec = memfd_create("luo-emulate", MFD_CLOEXEC | MFD_EXEC);
  const fd = check(
    exec < 0 ? memfd_create("luo-emulate", MFD_CLOEXEC) : exec,
    "memfd_create",
    "the launcher",
  );
  check(write(fd, bytes), "write", "the launcher");
  return fd;
}
