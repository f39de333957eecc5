/** Page frames of the model whose contents are in a memfd or other shmem file of the host. Preserving them copies nothing. */
import { errnoName } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import {
  close,
  fallocate,
  fstat,
  lseek,
  memfd_create,
  open,
  pread,
  pwrite,
  sendfile,
} from "../../ffi/file.ts";
import { check } from "../error.ts";
import type { BackingStore } from "../model/memory/backing_store.ts";

/** The pages of one file. */
export class HostPages implements BackingStore {
  /** Owns `fd` from now on. `exclusive`: no other process has the file, so no other process can change it. */
  constructor(readonly fd: number, readonly exclusive: boolean) {}

  read(offset: number, into: Uint8Array): void {
    let done = 0;
    while (done < into.length) {
      const got = pread(this.fd, into.subarray(done), BigInt(offset + done));
      if (got <= 0) break;
      done += got;
    }
    into.fill(0, done);
  }

  write(offset: number, from: Uint8Array): void {
    for (let done = 0; done < from.length;) {
      const written = pwrite(this.fd, from.subarray(done), BigInt(offset + done));
      if (written <= 0) throw new Error(`Cannot write a page frame (${errnoName(written)})`);
      done += written;
    }
  }

  zero(offset: number, length: number): void {
    if (length === 0) return;
    const mode = abi.FALLOC_FL_PUNCH_HOLE | abi.FALLOC_FL_KEEP_SIZE;
    check(fallocate(this.fd, mode, BigInt(offset), BigInt(length)), "fallocate", "page frames");
  }

  /** A copy of this moment, unless the file is exclusive: its owner runs on after the kexec and may still write to it. */
  survive(): HostPages {
    if (this.exclusive) return this;
    return new HostPages(copyOf(this.fd), true);
  }

  release(): void {
    close(this.fd);
  }
}

/** A new memfd of the machine. It is executable, as memfds are by default, because `expose` may give it to a program. */
export function newMemfd(name: string): number {
  const flags = abi.MFD_CLOEXEC | abi.MFD_ALLOW_SEALING;
  const fd = memfd_create(name, flags | abi.MFD_EXEC);
  // Linux before 6.3 refuses MFD_EXEC, and makes all memfds executable.
  return check(fd < 0 ? memfd_create(name, flags) : fd, "memfd_create", `"${name}"`);
}

/**
 * Copies all bytes. Of a file that was too large to be filled when it was preserved, only the data: its holes could take all of the host's
 * memory. The copy may then end before the file; the rest reads as zero.
 */
function copyOf(fd: number): number {
  const stat = fstat(fd);
  const { size, blocks } = typeof stat === "number" ? { size: 0n, blocks: 0n } : stat;
  const copy = newMemfd("");
  const sparse = blocks * 512n < size;
  // Its own description has a position of its own.
  const look = sparse ? open(`/proc/self/fd/${fd}`, abi.O_RDONLY | abi.O_CLOEXEC) : -1;
  for (let at = 0n; at < size;) {
    const from = look < 0 ? at : lseek(look, at, abi.SEEK_DATA);
    // ENXIO: there is no more data.
    if (from < 0n || from >= size) break;
    const hole = look < 0 ? size : lseek(look, from, abi.SEEK_HOLE);
    const to = hole > from && hole < size ? hole : size;
    if (!copyRange(copy, fd, from, to)) break;
    at = to;
  }
  if (look >= 0) close(look);
  return copy;
}

/** False: the owner has made the file shorter in the meantime. */
function copyRange(copy: number, fd: number, from: bigint, to: bigint): boolean {
  lseek(copy, from, abi.SEEK_SET);
  for (let done = from; done < to;) {
    const left = to - done;
    const got = sendfile(copy, fd, done, left < CHUNK ? Number(left) : Number(CHUNK));
    if (got < 0) throw new Error(`Cannot keep a file over the kexec (${errnoName(got)})`);
    if (got === 0) return false;
    done += BigInt(got);
  }
  return true;
}

const CHUNK = 1n << 30n;
