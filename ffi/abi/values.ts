/** What system calls take and answer: the values of the seam (`lib/system_calls.ts`) and of `ffi/`. Types only. */

/** A value >= 0, or -errno. */
export type Ret = number;

/**
 * What a pointer argument points to. A plain `Uint8Array` is ordinary memory, readable and writable, whose end is not
 * guarded on Linux. `UserMemory` is exact: nothing is mapped behind its last byte, and a read-only one faults on writing.
 * `null` is the null pointer.
 */
export type UserPointer = Uint8Array | UserMemory | null;

export interface UserMemory {
  readonly bytes: Uint8Array;
  readonly writable: boolean;
}

/** The fields of `struct stat` (stat(2)) that matter here. */
export interface Stat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  /** Bytes. */
  readonly size: bigint;
  /** Units of 512 bytes actually allocated. */
  readonly blocks: bigint;
}

/** uname(2). */
export interface Utsname {
  readonly sysname: string;
  readonly nodename: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
}

/** What recvmsg(2) brought: `bytes` of data in the buffer, and new fds (all O_CLOEXEC). `bytes` 0 is the end of the stream. */
export interface Received {
  readonly bytes: number;
  readonly fds: number[];
}
