/**
 * The program that becomes CMD: a few hundred bytes of x86-64 that put the filter on, send its listener to luo, and execute.
 * It must be a program of its own: fork() is out of the question with V8's threads, and the filter has to be on before CMD runs.
 */
import {
  SECCOMP_FILTER_FLAG_NEW_LISTENER,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
} from "../../ffi/abi/seccomp.ts";
import { SECCOMP_SET_MODE_FILTER } from "../../ffi/abi/seccomp.ts";

/** Where luo's socket is in the stub. CMD does not see it. */
export const CHANNEL = 255;
/** What it says when it fails: u32 stage, u32 errno. */
export const STAGES = ["no_new_privs", "seccomp", "sendmsg", "execve"] as const;

const BASE = 0x40_0000;
const ELF_HEADER = 64;
const PROGRAM_HEADER = 56;
const CODE = BASE + ELF_HEADER + PROGRAM_HEADER;
const CODE_SIZE = 512;
const PR_SET_PDEATHSIG = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const SIGKILL = 9;
const SYS = {
  close: 3,
  sendmsg: 46,
  execve: 59,
  fcntl: 72,
  prctl: 157,
  exit_group: 231,
  write: 1,
  prlimit64: 302,
  seccomp: 317,
};

export interface StubOptions {
  /** Absolute: what is executed. The arguments and the environment are the stub's own. */
  readonly path: string;
  readonly filter: Uint8Array;
  /** RLIMIT_NOFILE, soft and hard: Deno raises its own. */
  readonly nofile: readonly [bigint, bigint];
}

/** The whole ELF file. */
export function stub({ path, filter, nofile }: StubOptions): Uint8Array<ArrayBuffer> {
  const data = new Data(CODE + CODE_SIZE);
  const name = data.put(new TextEncoder().encode(`${path}\0`));
  const instructions = data.put(filter);
  // struct sock_fprog: u16 len, pointer at 8
  const program = data.words(BigInt(filter.length / 8), BigInt(instructions));
  const limits = data.words(...nofile);
  const failure = data.words(0n);
  // struct msghdr with one byte, and a struct cmsghdr for one fd (SOL_SOCKET, SCM_RIGHTS) whose place the listener gets
  const iov = data.words(BigInt(failure), 1n);
  const control = data.words(20n, 1n | (1n << 32n), 0n);
  const message = data.words(0n, 0n, BigInt(iov), 1n, BigInt(control), 24n, 0n);
  const code = new Code();
  code.call(SYS.prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
  code.call(SYS.prlimit64, 0, 7, limits, 0);
  code.call(SYS.fcntl, CHANNEL, 2, 1, 0);
  code.stage(failure, 0);
  code.call(SYS.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0).failed();
  code.stage(failure, 1);
  const flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  code.call(SYS.seccomp, SECCOMP_SET_MODE_FILTER, flags, program, 0).failed();
  code.store(control + 16);
  code.stage(failure, 2);
  code.call(SYS.sendmsg, CHANNEL, message, 0, 0).failed();
  code.stage(failure, 3);
  code.execute(SYS.execve, name);
  code.fail(failure, SYS);
  return elf(code.bytes, data);
}

/** Bytes at addresses that are known when they are put there. */
class Data {
  readonly #bytes: number[] = [];

  constructor(readonly start: number) {}

  get bytes(): readonly number[] {
    return this.#bytes;
  }

  put(bytes: Uint8Array): number {
    while (this.#bytes.length % 8 !== 0) this.#bytes.push(0);
    const at = this.start + this.#bytes.length;
    this.#bytes.push(...bytes);
    return at;
  }

  words(...values: bigint[]): number {
    return this.put(new Uint8Array(new BigUint64Array(values).buffer));
  }
}

/** x86-64 machine code. All addresses are below 4 GiB, so 32 bits name them. */
class Code {
  readonly #bytes: number[] = [];
  /** Places of the 32-bit distances to the code for failures. */
  readonly #failures: number[] = [];

  get bytes(): readonly number[] {
    return this.#bytes;
  }

  #put(...bytes: number[]): void {
    this.#bytes.push(...bytes);
  }

  #word(value: number): number[] {
    return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff];
  }

  /** mov eax, edi, esi, edx, r10d; syscall */
  call(nr: number, a: number, b: number, c: number, d: number): this {
    this.#put(
      0xb8,
      ...this.#word(nr),
      0xbf,
      ...this.#word(a),
      0xbe,
      ...this.#word(b),
      0xba,
      ...this.#word(c),
    );
    this.#put(0x41, 0xba, ...this.#word(d), 0x0f, 0x05);
    return this;
  }

  /** test eax, eax; js failure */
  failed(): void {
    this.#put(0x85, 0xc0, 0x0f, 0x88);
    this.#failures.push(this.#bytes.length);
    this.#put(0, 0, 0, 0);
  }

  /** mov [address], eax */
  store(address: number): void {
    this.#put(0x89, 0x04, 0x25, ...this.#word(address));
  }

  /** mov dword [address], stage */
  stage(address: number, stage: number): void {
    this.#put(0xc7, 0x04, 0x25, ...this.#word(address), ...this.#word(stage));
  }

  /** edi = path; rsi = &argv[0]; rdx = &envp[0], behind argc words and a NULL; syscall */
  execute(nr: number, path: number): void {
    this.#put(0xbf, ...this.#word(path), 0x48, 0x8d, 0x74, 0x24, 0x08, 0x48, 0x8b, 0x14, 0x24);
    this.#put(0x48, 0x8d, 0x54, 0xd4, 0x10, 0xb8, ...this.#word(nr), 0x0f, 0x05);
  }

  /** neg eax; mov [failure + 4], eax; write(channel, failure, 8); exit_group(127) */
  fail(failure: number, sys: { write: number; exit_group: number }): void {
    const here = this.#bytes.length;
    for (const at of this.#failures) {
      for (const [index, byte] of this.#word(here - at - 4).entries()) this.#bytes[at + index] = byte;
    }
    this.#put(0xf7, 0xd8);
    this.store(failure + 4);
    this.call(sys.write, CHANNEL, failure, 8, 0);
    this.call(sys.exit_group, 127, 0, 0, 0);
  }
}

/** One segment that may be read, written and executed: header, code, data. */
function elf(code: readonly number[], data: Data): Uint8Array<ArrayBuffer> {
  if (code.length > CODE_SIZE) throw new RangeError(`${code.length} bytes of code`);
  const size = CODE - BASE + CODE_SIZE + data.bytes.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  // e_type EXEC, e_machine x86-64, e_version, e_entry, e_phoff, e_ehsize, e_phentsize, e_phnum
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(CODE), true);
  view.setBigUint64(32, BigInt(ELF_HEADER), true);
  view.setUint16(52, ELF_HEADER, true);
  view.setUint16(54, PROGRAM_HEADER, true);
  view.setUint16(56, 1, true);
  // p_type LOAD, p_flags RWX, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
  view.setUint32(64, 1, true);
  view.setUint32(68, 7, true);
  for (const [at, value] of [[80, BASE], [88, BASE], [96, size], [104, size], [112, 4096]] as const) {
    view.setBigUint64(at, BigInt(value), true);
  }
  bytes.set(code, CODE - BASE);
  bytes.set(data.bytes, CODE - BASE + CODE_SIZE);
  return bytes;
}
