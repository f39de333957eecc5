/** The environment of a case of the contract: the kernel under test, and methods for the usual steps of a case. */
import { deepEqual, equal, fail, ok } from "node:assert/strict";
import { type ErrnoName, errnoName } from "../../ffi/abi/errno.ts";
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC, O_CLOEXEC, O_RDWR } from "../../ffi/abi/fcntl.ts";
import { decodeFd, LIVEUPDATE_DEVICE } from "../../ffi/abi/liveupdate.ts";
import type { Ret, Stat, SystemCalls, UserMemory } from "../../lib/system_calls.ts";
import * as calls from "./calls.ts";

/** The system under test: the system calls of one process, and what the seam cannot give. */
export interface Host {
  readonly sys: SystemCalls;
  readonly paths: Paths;
  /** Another process of the same kernel. */
  spawn(): OtherProcess;
}

export interface Paths {
  /** A directory on a tmpfs, empty at first. */
  readonly tmpfs: string;
  /** A regular file that is not on a tmpfs. */
  readonly disk: string;
  /** A bootable image. */
  readonly image: string;
  /** The initramfs that the image needs. */
  readonly initrd: string | undefined;
}

export interface OtherProcess {
  readonly sys: calls.RemoteCalls;
  readonly pid: number;
  /** Sends SIGKILL and waits for the end of the process. */
  kill(): Promise<void>;
}

/** One behaviour of the kernel, within one boot. */
export interface Case {
  readonly name: string;
  run(world: World): void | Promise<void>;
  /** The case could disturb a machine in use (its loaded kexec image): it runs only in a virtual machine and on the model. */
  readonly whole_machine?: boolean;
}

/**
 * One behaviour of the kernel across a kexec. The phases run in different processes and share no variables. Cases share the
 * kexec, so a case needs its own names for sessions and files. `later` runs after a second kexec.
 */
export interface RebootCase {
  readonly name: string;
  before(world: World): void | Promise<void>;
  after(world: World): void | Promise<void>;
  later?(world: World): void | Promise<void>;
}

/** MFD_EXEC prevents F_SEAL_EXEC, with which the file would be read-only for ever in the next kernel. */
const PLAIN_MEMFD = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC;

/** A host, with the usual steps of cases. It closes the fds that a case leaves open. */
export class World {
  readonly sys: SystemCalls;
  readonly paths: Paths;
  readonly #host: Host;
  readonly #opened = new Set<number>();
  #device = -1;

  constructor(host: Host) {
    this.#host = host;
    this.sys = host.sys;
    this.paths = host.paths;
  }

  /** The device, opened once. */
  get device(): number {
    if (this.#device < 0) {
      this.#device = good(this.sys.open(LIVEUPDATE_DEVICE, O_RDWR | O_CLOEXEC), "open device");
    }
    return this.#device;
  }

  closeDevice(): void {
    if (this.#device >= 0) this.sys.close(this.#device);
    this.#device = -1;
  }

  spawn(): OtherProcess {
    return this.#host.spawn();
  }

  /** Closes the fd at the end of the case. Fails for -errno. */
  keep(fd: Ret, what = "open"): number {
    this.#opened.add(good(fd, what));
    return fd;
  }

  close(fd: number): void {
    this.#opened.delete(fd);
    answers(this.sys.close(fd), 0);
  }

  create(name: string | Uint8Array): number {
    return this.keep(calls.create(this.sys, this.device, name), "create session");
  }

  retrieve(name: string | Uint8Array): number {
    return this.keep(calls.retrieve(this.sys, this.device, name), "retrieve session");
  }

  /** The answer of RETRIEVE_SESSION, which may be -errno. */
  tryRetrieve(name: string | Uint8Array): Ret {
    const fd = calls.retrieve(this.sys, this.device, name);
    return fd < 0 ? fd : this.keep(fd);
  }

  tryCreate(name: string | Uint8Array): Ret {
    const fd = calls.create(this.sys, this.device, name);
    return fd < 0 ? fd : this.keep(fd);
  }

  preserve(session: number, fd: number, token: bigint): void {
    answers(calls.preserve(this.sys, session, fd, token), 0);
  }

  restore(session: number, token: bigint): number {
    return this.keep(calls.restore(this.sys, session, token), `restore ${token}`);
  }

  /** An ioctl with any argument. */
  ioctl(fd: number, request: number, argument: Uint8Array | UserMemory | null): Ret {
    return this.sys.ioctl(fd, request, argument);
  }

  memfd(contents: Uint8Array | number = 0, flags = PLAIN_MEMFD): number {
    const fd = this.keep(this.sys.memfd_create("case", flags), "memfd_create");
    if (typeof contents === "number") answers(this.sys.ftruncate(fd, BigInt(contents)), 0);
    else if (contents.length > 0) equal(this.sys.pwrite(fd, contents, 0n), contents.length);
    return fd;
  }

  /** The fd in the struct of an answer. */
  adoptAnswer(bytes: Uint8Array): number {
    return this.keep(decodeFd(bytes));
  }

  stat(fd: number): Stat {
    const stat = this.sys.fstat(fd);
    return typeof stat === "number" ? fail(`fstat: ${errnoName(stat)}`) : stat;
  }

  contents(fd: number): Uint8Array {
    const bytes = new Uint8Array(Number(this.stat(fd).size));
    for (let at = 0; at < bytes.length;) {
      const got = good(this.sys.pread(fd, bytes.subarray(at), BigInt(at)), "pread");
      if (got === 0) fail(`end of file at ${at} of ${bytes.length}`);
      at += got;
    }
    return bytes;
  }

  holds(fd: number, expected: Uint8Array): void {
    const found = this.contents(fd);
    equal(found.length, expected.length);
    const at = found.findIndex((byte, index) => byte !== expected[index]);
    ok(at < 0, `contents differ from offset ${at} on: ${found[at]} instead of ${expected[at]}`);
  }

  /** Ends a single case. */
  closeAll(): void {
    for (const fd of [...this.#opened].reverse()) this.sys.close(fd);
    this.#opened.clear();
    this.closeDevice();
  }
}

/** Asserts an answer, an errno by its name: `answers(ret, "EBUSY")`. */
export function answers(answer: Ret | bigint, expected: ErrnoName | number | bigint): void {
  const said = answer < 0 ? errnoName(Number(answer)) : Number(answer);
  equal(said, typeof expected === "bigint" ? Number(expected) : expected);
}

export function good(answer: Ret, what: string): number {
  return answer < 0 ? fail(`${what}: ${errnoName(answer)}`) : answer;
}

/** Pseudo-random bytes, the same for the same seed. */
export function pattern(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = Math.imul(seed, 0x9e3779b9) | 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}

export { deepEqual, equal, ok };
