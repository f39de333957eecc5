/** The software model of a machine, for tests. */
import { Fd } from "../fd.ts";
import { standInArm64Image } from "../kexec/arm64_image.ts";
import { standInBzImage } from "../kexec/bzimage.ts";
import { exec, loadImage } from "../kexec/load.ts";
import { check } from "../error.ts";
import { audit } from "../model/audit.ts";
import { type FaultSpec, parse_faults } from "../model/faults/fault_spec.ts";
import { NO_FAULTS } from "../model/faults/faults.ts";
import { type Disk, MemoryDisk } from "../model/fs/disk.ts";
import { Machine as Model, type Reset, type SpawnOptions } from "../model/machine.ts";
import { ProcessKilled, type SystemCalls } from "../system_calls.ts";

export type { Reset, SpawnOptions } from "../model/machine.ts";

/** Bytes of a page frame. */
const PAGE_BYTES = 4096;

/** How a `Machine` is built; every option has a default. */
export interface MachineOptions {
  /** Bytes of RAM. Default 4 GiB; the model takes memory from the host only when a page is used. */
  readonly memoryBytes?: number | undefined;
  /**
   * The architecture: what uname(2) tells, which images kexec_file_load(2) takes, and how it refuses the others. Default x86_64.
   */
  readonly architecture?: "x86_64" | "aarch64" | undefined;
  /** Release of the kernel of a cold boot. Default 7.3.4. */
  readonly release?: string | undefined;
  /** Command line of the kernel of a cold boot. Default `liveupdate=on`. */
  readonly commandLine?: string | undefined;
  /** The disk. Default: an empty disk in memory. `new HostDisk()` is the disk of the host. */
  readonly disk?: Disk | undefined;
  /** Faults to inject, counted from power-on. Default: none. */
  readonly faults?: FaultSpec | string | undefined;
  /** How a slow call waits. Default: it blocks the thread. */
  readonly sleep?: ((ms: number) => void) | undefined;
  /** RLIMIT_NOFILE of every process. */
  readonly nofile?: number | undefined;
  /** Called with each line of the console. */
  readonly onConsole?: ((line: string) => void) | undefined;
  /** Called after the machine started the next kernel (`kexec`, `restart`) or went off (`power_off`, `panic`). */
  readonly onReset?: ((kind: Reset) => void) | undefined;
}

/** How a program ended: it returned a value, the kernel under it ended, or the process was killed. */
export type Run<T> =
  | { readonly end: "returned"; readonly value: T }
  | { readonly end: Reset | "killed" };

/** A file descriptor that a process of the machine has open. */
export interface OpenFile {
  /** Its number. */
  readonly fd: number;
  /** The text of its link in /proc: a path, `/memfd:state (deleted)`, `anon_inode:[luo_session] cache`. */
  readonly link: string;
}

/** The kernel that `Machine.kexec` loads. */
export interface NextKernel {
  /** Default: the release of the first kernel. */
  readonly release?: string | undefined;
  /** Default: `liveupdate=on`. */
  readonly commandLine?: string | undefined;
}

/**
 * A machine of the software model: RAM, a disk, a console, and one kernel after another. It needs no permission and touches nothing of
 * the host.
 *
 * ```ts ignore
 * import { Machine } from "@luo/luo/testing";
 *
 * const machine = new Machine();
 * machine.run((sys) => console.log(sys.uname().release));
 * machine.kexec();
 * ```
 */
export class Machine {
  readonly #model: Model;
  readonly #options: MachineOptions;
  #reset: Reset | undefined;

  /**
   * Powers the machine on: the first kernel boots.
   *
   * @throws BadFaultSpec
   */
  constructor(options: MachineOptions = {}) {
    const { memoryBytes, release, commandLine, disk = new MemoryDisk(), faults, sleep, nofile } = options;
    this.#options = options;
    this.#model = new Model({
      disk,
      faults: faults === undefined ? NO_FAULTS : specOf(faults),
      ...memoryBytes === undefined ? {} : { memory_bytes: memoryBytes },
      ...options.architecture === undefined ? {} : { architecture: options.architecture },
      ...release === undefined ? {} : { release },
      ...commandLine === undefined ? {} : { command_line: commandLine },
      ...sleep === undefined ? {} : { sleep },
      ...nofile === undefined ? {} : { nofile },
      ...options.onConsole === undefined ? {} : { on_console: options.onConsole },
      on_reset: (kind) => {
        this.#reset = kind;
        options.onReset?.(kind);
      },
    });
  }

  /** Lines of the serial console since power-on, of all kernels: the last 4,096 at least. */
  get console(): readonly string[] {
    return this.#model.console;
  }

  /** The message of the panic that ended the last kernel; undefined while a kernel runs. */
  get panic(): string | undefined {
    return this.#model.panic;
  }

  /** 1 during the first kernel; each kexec and restart adds 1. */
  get boots(): number {
    return this.#model.boots;
  }

  /** True when no kernel runs: the machine was powered off or panicked. No process can be spawned then. */
  get off(): boolean {
    return this.#model.off;
  }

  /** Process 1 of the kernel that runs now. It ends with the kernel, or by `kill`. */
  init(): SystemCalls {
    return this.#model.init();
  }

  /** Starts another process, with an empty table of file descriptors. */
  spawn(options: SpawnOptions = {}): SystemCalls {
    return this.#model.spawn(options);
  }

  /** Kills a process as SIGKILL does: its fds close by the kernel's rules. False when there is no such process. */
  kill(pid: number): boolean {
    return this.#model.kill(pid);
  }

  /**
   * Runs a program as process 1 of the running kernel, to its end or to the end of the kernel. The process, and what it has open, stays
   * after the program has returned: sessions wait for the kexec. An error of the program is thrown. The program must not be asynchronous:
   * its promise would be the value.
   */
  run<T>(program: (sys: SystemCalls) => T): Run<T> {
    const sys = this.init();
    return this.#run(() => program(sys));
  }

  /**
   * Loads a stand-in for a kernel and executes it: all outgoing sessions go into the next kernel. `end` of the answer is `kexec`, or
   * `panic` when the next kernel cannot read the handover.
   *
   * @throws LuoError `kexec load`, `kexec exec`: a file could not be frozen
   */
  kexec({ release, commandLine = "liveupdate=on" }: NextKernel = {}): Run<never> {
    using sys = this.spawn();
    return this.#run(() => {
      using kernel = Fd.of(sys, sys.memfd_create("kernel", 0), "memfd_create", "the next kernel");
      const standIn = this.#options.architecture === "aarch64" ? standInArm64Image : standInBzImage;
      const bytes = standIn({ release: release ?? this.#options.release ?? "7.3.4" });
      for (let at = 0; at < bytes.length;) {
        at += check(sys.write(kernel.number, bytes.subarray(at)), "write", "the next kernel");
      }
      loadImage(sys, { kernel, commandLine });
      return exec(sys);
    });
  }

  #run<T>(program: () => T): Run<T> {
    this.#reset = undefined;
    try {
      return { end: "returned", value: program() };
    } catch (error) {
      if (!(error instanceof ProcessKilled)) throw error;
      return { end: this.#reset ?? "killed" };
    }
  }

  /**
   * Injects faults that count from now on, in this kernel and in the next ones, until the answer is disposed of. The text is that of
   * `luo emulate --faults`: `write@2=ENOSPC`, `read=short:100`, `call@9=crash`.
   *
   * @throws BadFaultSpec the place does not exist, or cannot fail so
   */
  inject(faults: FaultSpec | string): Disposable {
    return this.#model.inject(specOf(faults));
  }

  /** The open files of a process; without `pid`, of process 1. Empty for a process that has ended. */
  openFiles(pid: number = this.init().getpid()): OpenFile[] {
    const process = this.#model.system.processes.get(pid);
    return Array.from(process?.fds.entries() ?? [], ([fd, file]) => ({ fd, link: file.link() }));
  }

  /**
   * Bytes of memory that files have, also files that wait in the kernel to be restored. A program that leaves it as it was leaks
   * nothing.
   */
  get memoryInUse(): number {
    const { ram, system } = this.#model;
    return (ram.used_frames - system.own_frames) * PAGE_BYTES;
  }

  /**
   * What is wrong with the kernel's memory, a sentence each: an empty list is the good answer. This tests the model and not your program:
   * for that see `openFiles` and `memoryInUse`.
   */
  audit(): string[] {
    return audit(this.#model);
  }
}

function specOf(faults: FaultSpec | string): FaultSpec {
  return typeof faults === "string" ? parse_faults(faults) : faults;
}
