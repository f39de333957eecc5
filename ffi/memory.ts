/** Mappings, and memory with a guard page after it. Functions return a value >= 0 or -errno (see ffi/libc.ts). */
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_NONE, PROT_READ, PROT_WRITE } from "./abi/fcntl.ts";
import type { Ret, UserMemory } from "./abi/values.ts";
import { errno, libc, ret } from "./libc.ts";

const MAP_FAILED = 0xffffffffffffffffn;
/** A multiple of the page sizes of both architectures (aarch64 has kernels with 64 KiB pages). */
const GUARD_BYTES = 65536n;

/** The address, or -errno. */
export function mmap(length: bigint, prot: number, flags: number, fd: number, offset: bigint): bigint {
  const address = libc().mmap(0n, length, prot, flags, fd, offset);
  // The bigint was an allocation. One in many thousands collects garbage, and then the errno can be the collector's.
  return address === MAP_FAILED ? BigInt(ret(-1, errno[0])) : address;
}

export function munmap(address: bigint, length: bigint): Ret {
  return ret(libc().munmap(address, length), errno[0]);
}

export function mprotect(address: bigint, length: bigint, prot: number): Ret {
  return ret(libc().mprotect(address, length, prot), errno[0]);
}

export function madvise(address: bigint, length: bigint, advice: number): Ret {
  return ret(libc().madvise(address, length, advice), errno[0]);
}

/** Reads memory of this process. An unmapped address ends the process with SIGSEGV, as in C. */
export function load(address: bigint, into: Uint8Array): void {
  if (into.byteLength > 0) libc().memcpy_load(into, address, BigInt(into.byteLength));
}

/** Whether all bytes are zero. memcmp compares every byte with the next one. */
export function is_zero(bytes: Uint8Array): boolean {
  if (bytes.length < 2) return (bytes[0] ?? 0) === 0;
  return bytes[0] === 0 && libc().memcmp(bytes, bytes.subarray(1), BigInt(bytes.length - 1)) === 0;
}

/** Writes memory of this process. An unmapped address ends the process with SIGSEGV, as in C. */
export function store(address: bigint, from: Uint8Array): void {
  if (from.byteLength > 0) libc().memcpy_store(address, from, BigInt(from.byteLength));
}

/**
 * Real memory for a `UserMemory`. The last byte is the last byte of a page, and the next page cannot be accessed. A read-only
 * `UserMemory` is mapped read-only. The memory lives until `Symbol.dispose`.
 */
export class GuardedMemory implements Disposable {
  readonly #base: bigint;
  readonly #mapped: bigint;
  /** The address of the first byte. */
  readonly address: bigint;

  readonly memory: UserMemory;

  constructor(memory: UserMemory) {
    this.memory = memory;
    const length = BigInt(memory.bytes.byteLength);
    const room = (length + GUARD_BYTES - 1n) / GUARD_BYTES * GUARD_BYTES;
    this.#mapped = room + GUARD_BYTES;
    this.#base = mmap(this.#mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n);
    if (this.#base < 0n) throw new RangeError(`Cannot map ${this.#mapped} bytes`);
    this.address = this.#base + room - length;
    if (room === 0n) return;
    mprotect(this.#base, room, PROT_READ | PROT_WRITE);
    store(this.address, memory.bytes);
    if (!memory.writable) mprotect(this.#base, room, PROT_READ);
  }

  /** Copies the memory, as the kernel left it, into `memory.bytes`. */
  copyBack(): void {
    if (this.memory.writable) load(this.address, this.memory.bytes);
  }

  [Symbol.dispose](): void {
    munmap(this.#base, this.#mapped);
  }
}

/** Whether two arrays hold the same bytes. */
export function equal_bytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && (a.length === 0 || libc().memcmp(a, b, BigInt(a.length)) === 0);
}
