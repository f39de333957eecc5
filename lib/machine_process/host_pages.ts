/** Page frames of the model whose contents are in a memfd or other shmem file of the host. Preserving them copies nothing. */
import { errnoName } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import { close, fallocate, fstat, memfd_create, pread, pwrite, sendfile } from "../../ffi/file.ts";
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

function copyOf(fd: number): number {
  const stat = fstat(fd);
  const size = typeof stat === "number" ? 0n : stat.size;
  const copy = newMemfd("");
  for (let done = 0n; done < size;) {
    const left = size - done;
    const got = sendfile(copy, fd, done, left < CHUNK ? Number(left) : Number(CHUNK));
    if (got < 0) throw new Error(`Cannot keep a file over the kexec (${errnoName(got)})`);
    // The owner has made the file shorter in the meantime. The rest reads as zero.
    if (got === 0) break;
    done += BigInt(got);
  }
  return copy;
}

const CHUNK = 1n << 30n;
