/** One virtual machine from power-on to its end, boot after boot. */
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { EPOLLET, EPOLLIN } from "../../ffi/abi/epoll.ts";
import { close, open, pread, unlink } from "../../ffi/file.ts";
import { IN_CREATE, IN_MODIFY, inotify_add_watch, inotify_init1, inotify_read } from "../../ffi/watch.ts";
import { list_directory, read_text } from "../../ffi/proc.ts";
import type { Architecture } from "../kexec/file_kind.ts";
import { HostFd } from "../files/host_fd.ts";
import { Console, type ConsoleLine } from "./console.ts";
import { GuardedProcess } from "./guarded_process.ts";
import { FdWait } from "../waits/fd_wait.ts";
import { type AddedFile, initramfs, readFile } from "./initramfs.ts";
import { NO_SHARES } from "./init_script.ts";
import { commandLine, qemuCommand, type Share } from "./qemu.ts";
import { ScratchDirectory } from "./scratch_directory.ts";

export interface MachineOptions {
  /** The architecture of the image. By default that of this host. */
  readonly architecture?: Architecture | undefined;
  /** The path of a static busybox of that architecture; without it, this host's. */
  readonly busybox?: string | undefined;
  /** The image: its path, or its bytes. */
  readonly kernel: string | Uint8Array;
  /** The script that process 1 runs in each boot, for busybox. It sets `status` to the exit status of the boot. */
  readonly guest: string;
  /** Files to be found under `/share/boot/`, by name. */
  readonly files?: Readonly<Record<string, Uint8Array | string>>;
  /** Files of the initramfs. */
  readonly added?: readonly AddedFile[] | undefined;
  /** More directories; the guest mounts them by their tags. */
  readonly shares?: readonly Share[] | undefined;
  /** More words for the kernel's command line. */
  readonly append?: string | undefined;
  readonly memory_mib?: number | undefined;
  /** A directory of the host to be `/results`. Without it a temporary one. */
  readonly results_dir?: string | undefined;
  /** The limit for all boots together. Without it there is none. */
  readonly timeout_ms?: number | undefined;
  /** The limit from power-on, or from a kexec, to the init script. */
  readonly boot_limit_ms?: number | undefined;
  readonly monitor?: string | undefined;
  /** Called with each line of the console as it comes. */
  readonly on_line?: ((line: string) => void) | undefined;
  /** Called with what the guest appends to the files `out` and `err` of the results. */
  readonly on_output?: ((stream: "out" | "err", bytes: Uint8Array) => void) | undefined;
  /** Ends the machine: its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How a machine ended. exit: the guest's script came to its end. panic: a kernel panicked. hang: a kernel did not come to its init
 * in time. timeout: the time for everything was over. reset: the machine was switched off or reset, and nothing says why.
 * no_shares: the kernel cannot mount 9p shares. no_start: QEMU did not start.
 */
export type MachineEnd = "exit" | "panic" | "hang" | "timeout" | "reset" | "no_shares" | "no_start";

export interface MachineResult {
  readonly end: MachineEnd;
  /** The last boot that reached its init, from 1; 0 when none did. */
  readonly boot: number;
  /** The exit status of the last boot's script, for the end `exit`. */
  readonly status?: number | undefined;
  /** Whether a kexec began after that boot. */
  readonly kexec_began: boolean;
  readonly duration_ms: number;
  readonly lines: readonly ConsoleLine[];
  readonly console: string;
  /** QEMU's standard error. */
  readonly errors: string;
}

/** The files that the init script and the guest's output leave in the results. */
const OF_A_BOOT = /^(?:boot|out|err|exit\.\d+|dmesg\.\d+\.txt)$/;
/** The console comes byte by byte, and the guest's output line by line: what comes within this time is read together. */
const TOGETHER_MS = 10;
/** How often the guest's files are looked at when nothing tells of them. */
const BLIND_MS = 100;
const DEFAULT_MEMORY_MIB = 2048;
const DEFAULT_BOOT_LIMIT_MS = 120_000;
/** kernel/kexec_core.c, just before the jump. */
export const KEXEC_BEGINS = "Starting new kernel";

/**
 * Starts the machine and waits for its end. It is gone when the promise settles, and so are its temporary files.
 *
 * @throws MissingTool; LuoError; the reason of `signal`
 */
export async function runMachine(options: MachineOptions): Promise<MachineResult> {
  using scratch = new ScratchDirectory();
  const boot = scratch.directory("boot");
  const results = options.results_dir ?? scratch.directory("results");
  // A directory that was used before has the boots of that machine.
  for (const name of list_directory(results).filter((name) => OF_A_BOOT.test(name))) {
    unlink(`${results}/${name}`);
  }
  const files = {
    guest: options.guest,
    kernel: typeof options.kernel === "string" ? readFile(options.kernel) : options.kernel,
    initrd: initramfs(options.added, options.busybox),
    ...options.files,
  };
  for (const [name, content] of Object.entries(files)) scratch.file(`boot/${name}`, content);
  using process = new GuardedProcess(qemuCommand({
    architecture: options.architecture,
    kernel: `${boot}/kernel`,
    initrd: `${boot}/initrd`,
    append: commandLine(options.append, options.architecture),
    memory_mib: options.memory_mib ?? DEFAULT_MEMORY_MIB,
    shares: [
      { tag: "boot", path: boot, readonly: true },
      { tag: "results", path: results, readonly: false },
      ...options.shares ?? [],
    ],
    monitor: options.monitor,
  }));
  using machine = new RunningMachine(process, results, options);
  return await machine.run();
}

/** Watches the machine until it ends or must be ended. */
class RunningMachine implements Disposable {
  readonly #started = performance.now();
  readonly #console: Console;
  readonly #outputs = new Map<"out" | "err", Growing>();
  readonly #decoder = new TextDecoder();
  readonly #news = new FdWait();
  /** Tells of the guest's files; negative when the system has no inotify instance left. */
  readonly #growth = inotify_init1();
  #errors = "";
  /** When the boot that has not reached its init began. Undefined: the last boot has reached it. */
  #booting_since: number | undefined = 0;
  #boot = 0;

  readonly process: GuardedProcess;
  readonly results: string;
  readonly options: MachineOptions;

  constructor(process: GuardedProcess, results: string, options: MachineOptions) {
    this.process = process;
    this.results = results;
    this.options = options;
    this.#console = new Console((line) => {
      if (line.includes(KEXEC_BEGINS)) this.#booting_since = this.#now;
      options.on_line?.(line);
    });
    this.#watch();
    if (options.on_output === undefined) return;
    for (const stream of ["out", "err"] as const) {
      this.#outputs.set(stream, new Growing(`${results}/${stream}`));
    }
  }

  /** QEMU writes the guest's files, so that this host's inotify tells of them. */
  #watch(): void {
    if (this.#growth >= 0) {
      inotify_add_watch(this.#growth, this.results, IN_CREATE | IN_MODIFY);
      this.#news.add(this.#growth);
    }
    this.#news.add(this.process.endFd);
    for (const fd of this.process.outputFds) this.#news.add(fd, EPOLLIN | EPOLLET);
  }

  get #now(): number {
    return performance.now() - this.#started;
  }

  async run(): Promise<MachineResult> {
    for (;;) {
      // Looked at before the output is read: what a program wrote last is there when it has ended.
      const over = this.process.ended();
      this.#takeAll();
      if (over) return this.#result(this.#ownEnd());
      const late = this.#late();
      if (late !== undefined) return this.#result(late);
      const { signal } = this.options;
      const ready = await this.#news.next(this.#patience_ms, signal);
      signal?.throwIfAborted();
      if (ready.length === 0 || ready.includes(this.process.endFd)) continue;
      await new Promise((resolve) => setTimeout(resolve, TOGETHER_MS));
      if (this.#growth >= 0) inotify_read(this.#growth);
    }
  }

  /** Until the next of its limits has passed. */
  get #patience_ms(): number {
    const { timeout_ms = Infinity, boot_limit_ms = DEFAULT_BOOT_LIMIT_MS } = this.options;
    const boot_end_ms = this.#booting_since === undefined ? Infinity : this.#booting_since + boot_limit_ms;
    const blind_ms = this.#growth < 0 ? BLIND_MS : Infinity;
    const left_ms = Math.min(timeout_ms - this.#now, boot_end_ms - this.#now, blind_ms);
    // epoll_wait(2) takes an int. `late` wants the limit to have passed.
    return Math.min(Math.max(0, Math.ceil(left_ms) + 1), 2 ** 31 - 1);
  }

  #takeAll(): void {
    this.#console.take(this.process.read("output"), this.#now);
    this.#errors += this.#decoder.decode(this.process.read("errors"), { stream: true });
    for (const [stream, file] of this.#outputs) {
      for (let bytes = file.read(); bytes.length > 0; bytes = file.read()) {
        this.options.on_output?.(stream, bytes);
      }
    }
    // The file is empty for the moment in which the guest writes it.
    const boot = Number(read_text(`${this.results}/boot`) ?? 0);
    if (boot > this.#boot) [this.#boot, this.#booting_since] = [boot, undefined];
  }

  #late(): MachineEnd | undefined {
    const { timeout_ms = Infinity, boot_limit_ms = DEFAULT_BOOT_LIMIT_MS } = this.options;
    if (this.#now > timeout_ms) return "timeout";
    if (this.#booting_since !== undefined && this.#now - this.#booting_since > boot_limit_ms) return "hang";
    return undefined;
  }

  #ownEnd(): MachineEnd {
    if (this.#exitStatus() !== undefined) return "exit";
    const console = this.#console.text;
    if (console.includes("Kernel panic")) return "panic";
    if (console.includes(NO_SHARES)) return "no_shares";
    return this.#boot === 0 && console.trim() === "" && this.#errors !== "" ? "no_start" : "reset";
  }

  #exitStatus(): number | undefined {
    const text = read_text(`${this.results}/exit.${this.#boot}`);
    return text === undefined || text.trim() === "" ? undefined : Number(text);
  }

  #result(end: MachineEnd): MachineResult {
    this.#console.close(this.#now);
    return {
      end,
      boot: this.#boot,
      status: end === "exit" ? this.#exitStatus() : undefined,
      kexec_began: this.#boot > 0 && this.#booting_since !== undefined,
      duration_ms: this.#now,
      lines: this.#console.lines,
      console: this.#console.text,
      errors: this.#errors.trim(),
    };
  }

  [Symbol.dispose](): void {
    for (const file of this.#outputs.values()) file[Symbol.dispose]();
    this.#news[Symbol.dispose]();
    if (this.#growth >= 0) close(this.#growth);
  }
}

/** A file that the guest makes and appends to. */
class Growing implements Disposable {
  #fd: HostFd | undefined;
  #at = 0n;

  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The next bytes; none when there are none yet. */
  read(): Uint8Array {
    if (this.#fd === undefined) {
      const number = open(this.path, O_RDONLY | O_CLOEXEC);
      if (number < 0) return new Uint8Array(0);
      this.#fd = new HostFd(number);
    }
    const piece = new Uint8Array(1 << 16);
    const length = Math.max(0, pread(this.#fd.number, piece, this.#at));
    this.#at += BigInt(length);
    return piece.subarray(0, length);
  }

  [Symbol.dispose](): void {
    this.#fd?.[Symbol.dispose]();
  }
}
