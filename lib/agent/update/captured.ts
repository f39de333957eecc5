/** A memfd that a program writes its output to: a pipe would stay open as long as a daemon of the program lives. */
import { F_GETFL, F_SETFL, MFD_CLOEXEC, O_APPEND } from "../../../ffi/abi/fcntl.ts";
import { fcntl, fstat, lseek, memfd_create, pread, write } from "../../../ffi/file.ts";
import { check } from "../../error.ts";
import { HostFd } from "../../files/host_fd.ts";

const SEEK_SET = 0;

/** Output of a program. It is read when the program has ended. */
export class Captured implements Disposable {
  readonly fd: HostFd;

  /** @throws LuoError `memfd_create` */
  constructor(readonly name: string) {
    this.fd = memfd(name);
    // A shell that opens /dev/stderr again writes after the bytes that are there, and not over them.
    fcntl(this.fd.number, F_SETFL, fcntl(this.fd.number, F_GETFL) | O_APPEND);
  }

  get size(): number {
    const stat = fstat(this.fd.number);
    return typeof stat === "number" ? 0 : Number(stat.size);
  }

  /** The first bytes, at most `max`. */
  read(max: number): Uint8Array {
    return this.#read(0, Math.min(max, this.size));
  }

  /** The last bytes, at most `max`. */
  tail(max: number): Uint8Array {
    const size = this.size;
    return this.#read(Math.max(0, size - max), Math.min(max, size));
  }

  #read(from: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const got = pread(this.fd.number, bytes, BigInt(from));
    return bytes.subarray(0, Math.max(0, got));
  }

  [Symbol.dispose](): void {
    this.fd[Symbol.dispose]();
  }
}

/** A file with these bytes, at position 0: the standard input of a program. @throws LuoError `memfd_create`, `write` */
export function input(text: string): HostFd {
  const fd = memfd("luo-input");
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += check(write(fd.number, bytes.subarray(at)), "write", "the input");
  }
  lseek(fd.number, 0n, SEEK_SET);
  return fd;
}

function memfd(name: string): HostFd {
  return new HostFd(check(memfd_create(name, MFD_CLOEXEC), "memfd_create", name));
}
