/** Arguments and answers of system calls, for the seam (`lib/system_calls.ts`) and `ffi/`. Types only. */

/** A value >= 0, or -errno. */
export type Ret = number;

/**
 * The memory that a pointer argument points to. A plain `Uint8Array` is ordinary memory, readable and writable, whose end is not
 * guarded on Linux. `UserMemory` is exact: nothing is mapped after its last byte, and a read-only one faults on writing.
 * `null` is the null pointer.
 */
export type UserPointer = Uint8Array | UserMemory | null;

/** Memory that ends exactly at its last byte. */
export interface UserMemory {
  /** The contents. The answer of the call is copied back into them. */
  readonly bytes: Uint8Array;
  /** Whether the kernel may write here. */
  readonly writable: boolean;
}

/** The fields of `struct stat` (stat(2)) that luo uses. */
export interface Stat {
  /** The device number, as makedev(3) makes it. */
  readonly dev: bigint;
  /** The inode number. */
  readonly ino: bigint;
  /** The file type and the permissions. */
  readonly mode: number;
  /** The number of names. */
  readonly nlink: number;
  /** The owner. */
  readonly uid: number;
  /** Bytes. */
  readonly size: bigint;
  /** Units of 512 bytes actually allocated. */
  readonly blocks: bigint;
}

/** The answer of uname(2). */
export interface Utsname {
  /** `Linux`. */
  readonly sysname: string;
  /** The host name. */
  readonly nodename: string;
  /** `7.3.4`. */
  readonly release: string;
  /** The build: `#1 SMP ...`. */
  readonly version: string;
  /** `x86_64` or `aarch64`. */
  readonly machine: string;
}

/** The answer of recvmsg(2). */
export interface Received {
  /** Bytes of data in the buffer; 0 at the end of the stream. */
  readonly bytes: number;
  /** New fds, all O_CLOEXEC. */
  readonly fds: number[];
}
