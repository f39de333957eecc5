/**
 * Numbers that differ between x86-64 and aarch64. Pure data.
 *
 * System call numbers: `arch/x86/entry/syscalls/syscall_64.tbl`, `include/uapi/asm-generic/unistd.h` (aarch64).
 * Open flags: `include/uapi/asm-generic/fcntl.h` (x86-64), `arch/arm64/include/uapi/asm/fcntl.h`.
 * `struct epoll_event`: `include/uapi/linux/eventpoll.h`, packed on x86-64 only.
 * TASK_SIZE_MAX: `arch/x86/include/asm/page_64.h`, `arch/arm64/include/asm/processor.h`.
 */
export interface Arch {
  readonly kexec_file_load: number;
  readonly pidfd_open: number;
  readonly getdents64: number;
  readonly pidfd_getfd: number;
  readonly O_DIRECT: number;
  readonly O_LARGEFILE: number;
  readonly O_DIRECTORY: number;
  readonly O_NOFOLLOW: number;
  /** Bytes of one `struct epoll_event`. */
  readonly epoll_event_size: number;
  /** Offset in bytes of its `data`; `events` is at 0. */
  readonly epoll_event_data: number;
  /**
   * Where the addresses of a program end: with 47 bits on x86-64, with 52 bits on aarch64, whose programs have addresses
   * above 47 bits on every kernel.
   */
  readonly TASK_SIZE_MAX: bigint;
}

export const X86_64: Arch = {
  kexec_file_load: 320,
  getdents64: 217,
  pidfd_open: 434,
  pidfd_getfd: 438,
  O_DIRECT: 0o40000,
  O_LARGEFILE: 0o100000,
  O_DIRECTORY: 0o200000,
  O_NOFOLLOW: 0o400000,
  epoll_event_size: 12,
  epoll_event_data: 4,
  TASK_SIZE_MAX: 0x7fff_ffff_f000n,
};

export const AARCH64: Arch = {
  kexec_file_load: 294,
  getdents64: 61,
  pidfd_open: 434,
  pidfd_getfd: 438,
  O_DIRECT: 0o200000,
  O_LARGEFILE: 0o400000,
  O_DIRECTORY: 0o40000,
  O_NOFOLLOW: 0o100000,
  epoll_event_size: 16,
  epoll_event_data: 8,
  TASK_SIZE_MAX: 1n << 52n,
};

/** The architecture of this process, as `Deno.build.arch` names it. */
export function archOf(name: typeof Deno.build.arch): Arch {
  return name === "aarch64" ? AARCH64 : X86_64;
}

const MOVED = ["O_DIRECT", "O_LARGEFILE", "O_DIRECTORY", "O_NOFOLLOW"] as const;

/**
 * Open flags from one architecture's numbers to another's. `ffi/abi/fcntl.ts` has those of x86-64, and so has everything
 * above `ffi/`: translated on the way into `open` and `F_SETFL`, and back out of `F_GETFL`.
 */
export function translateOpenFlags(flags: number, from: Arch, to: Arch): number {
  if (from === to) return flags;
  let answer = flags;
  for (const name of MOVED) answer &= ~from[name];
  for (const name of MOVED) if (flags & from[name]) answer |= to[name];
  return answer;
}
