/** The machine of the model: the hardware, and the kernel that runs on it at the moment. */
import type { SystemCalls } from "../system_calls.ts";
import { kernel_values } from "./kernel/boot_parameters.ts";
import type { Disk } from "./fs/disk.ts";
import type { FaultSpec } from "./faults/fault_spec.ts";
import { Faults, NO_FAULTS } from "./faults/faults.ts";
import { faulty_process, sleep } from "./kernel/faulty_process.ts";
import { HostDisk } from "./fs/host_disk.ts";
import type { Hardware, MachineArchitecture, NextKernel } from "./kernel/hardware.ts";
import type { Host } from "./fs/host_interface.ts";
import { KernelPanic } from "./ground/panic.ts";
import { Ram } from "./memory/ram.ts";
import { System } from "./kernel/system.ts";

/** How a `Machine` is built; every option has a default. */
export interface MachineOptions {
  /** Bytes of RAM. Default 4 GiB; the model takes memory from the host only when a page is used. */
  readonly memory_bytes?: number;
  /**
   * The architecture: what uname(2) tells, and which images kexec_file_load(2) takes (bzImages, or arm64 Images) and how it
   * refuses the others. Default x86_64.
   */
  readonly architecture?: MachineArchitecture;
  /** Release of the kernel of a cold boot. Default 7.3.4. */
  readonly release?: string;
  /** Command line of the kernel of a cold boot. Default `liveupdate=on`. */
  readonly command_line?: string;
  /** The disk. Default: the host's files (`host_disk.ts`). */
  readonly disk?: Disk;
  /**
   * Gives `adopt` and `expose` access to the host's fds. Default: both answer ENOSYS.
   *
   * @internal
   */
  readonly host?: Host;
  /** Faults to inject, counted from power-on. Default: none. */
  readonly faults?: FaultSpec;
  /** How a slow call waits. Default: it blocks the thread. */
  readonly sleep?: (ms: number) => void;
  /** RLIMIT_NOFILE of every process. */
  readonly nofile?: number;
  /** Called with each line of the console. */
  readonly on_console?: (line: string) => void;
  /** Called after the machine started the next kernel (`kexec`, `restart`) or went off (`power_off`, `panic`). */
  readonly on_reset?: (kind: Reset) => void;
}

/** How many of the newest lines of the console a machine keeps at least. */
const CONSOLE_LINES = 4096;

/** Why the kernel of a machine ended. */
export type Reset = "kexec" | "restart" | "power_off" | "panic";

/** The user and the limits of a new process. */
export interface SpawnOptions {
  /** User id. Default 0, root. */
  readonly uid?: number;
  /** RLIMIT_NOFILE. Default: the machine's. */
  readonly nofile?: number;
}

/** A machine of the software model: RAM, a disk, a console, and one kernel after another. */
export class Machine {
  /**
   * Physical memory, which outlives every kernel.
   *
   * @internal
   */
  readonly ram: Ram;
  /** Lines of the serial console since power-on, of all kernels: the last 4,096 at least. */
  readonly console: string[] = [];
  /** Message of the panic that ended the last kernel (also the console's last line); undefined while a kernel runs. */
  panic: string | undefined;
  /** 1 during the first kernel; each kexec and restart adds 1. */
  boots = 0;
  #system: System | undefined;
  #init: SystemCalls | undefined;
  readonly #hardware: Hardware;

  readonly options: MachineOptions;

  /** Powers the machine on: the first kernel boots. */
  constructor(options: MachineOptions = {}) {
    this.options = options;
    const faults = new Faults(options.faults ?? NO_FAULTS);
    this.ram = new Ram(options.memory_bytes ?? 4 * 1024 ** 3, () => faults.errno("alloc") < 0);
    this.#hardware = {
      architecture: options.architecture ?? "x86_64",
      faults,
      ram: this.ram,
      disk: options.disk ?? new HostDisk(),
      host: options.host,
      console: (line) => {
        // A machine may boot thousands of times: it does not keep every line.
        if (this.console.length === 2 * CONSOLE_LINES) this.console.splice(0, CONSOLE_LINES);
        this.console.push(line);
        options.on_console?.(line);
      },
      kexec: (next) => this.#boot(next, "kexec"),
      restart: () => this.#boot(this.#cold(), "restart"),
      power_off: () => {
        [this.#system, this.#init] = [undefined, undefined];
        options.on_reset?.("power_off");
      },
    };
    this.#start(this.#cold());
  }

  /** True when no kernel runs: the machine was powered off or panicked. No process can be spawned then. */
  get off(): boolean {
    return this.#system === undefined;
  }

  /** True when nothing is left to come back for: no process, no session that waits to be retrieved, no loaded image. */
  get idle(): boolean {
    const system = this.#system;
    if (system === undefined) return true;
    return system.processes.size === 0 && system.image === undefined && !system.luo?.waiting;
  }

  /**
   * The kernel that runs now. Do not keep it: each reboot replaces it.
   *
   * @internal
   */
  get system(): System {
    if (this.#system === undefined) {
      throw new Error(this.panic === undefined ? "The machine is off" : `The machine is dead: ${this.panic}`);
    }
    return this.#system;
  }

  /** Process 1 of the kernel that runs now. */
  init(): SystemCalls {
    this.#init ??= this.spawn();
    return this.#init;
  }

  /** Starts another process, with an empty fd table. */
  spawn({ uid = 0, nofile = this.options.nofile ?? 1024 * 1024 }: SpawnOptions = {}): SystemCalls {
    const process = this.system.spawn(uid, nofile);
    const { faults, sleep: wait = sleep } = this.options;
    return faults === undefined ? process : faulty_process(process, this.#hardware.faults, wait);
  }

  /** Kills a process as SIGKILL does: its fds close by the kernel's rules. False when there is no such process. */
  kill(pid: number): boolean {
    const process = this.system.processes.get(pid);
    process?.exit();
    return process !== undefined;
  }

  /**
   * Injects more faults, which count from now on, in this kernel and in the next ones. Only a machine that has `faults`, which may be
   * none, lets them happen in system calls.
   *
   * @throws BadFaultSpec
   */
  inject(spec: FaultSpec): Disposable {
    return this.#hardware.faults.inject(spec);
  }

  /** Power-on: clears memory. */
  #cold(): NextKernel {
    this.ram.reset();
    const { release = "7.3.4", command_line = "liveupdate=on" } = this.options;
    return { release, command_line, handover: undefined };
  }

  #boot(next: NextKernel, kind: Reset): void {
    [this.#system, this.#init] = [undefined, undefined];
    this.#start(next);
    this.options.on_reset?.(this.off ? "panic" : kind);
  }

  #start(next: NextKernel): void {
    this.boots++;
    try {
      this.#system = new System(this.#hardware, next);
    } catch (error) {
      if (!(error instanceof KernelPanic)) throw error;
      this.#panic(error, next);
    }
  }

  /**
   * Leaves the machine off, unless its command line has `panic=SECONDS` (or -1, at once): then the machine restarts,
   * with empty memory.
   */
  #panic({ message }: KernelPanic, { command_line }: NextKernel): void {
    this.#hardware.console(`Kernel panic - not syncing: ${message}`);
    const [timeout] = kernel_values(command_line, "panic").slice(-1);
    if (Number.parseInt(timeout ?? "0") !== 0) this.#start(this.#cold());
    else this.panic = message;
  }
}
