/** The machine: hardware, and the kernel that runs on it now. */
import type { SystemCalls } from "../system_calls.ts";
import { kernel_values } from "./kernel/boot_parameters.ts";
import type { Disk } from "./fs/disk.ts";
import type { FaultSpec } from "./faults/fault_spec.ts";
import { Faults, NO_FAULTS } from "./faults/faults.ts";
import { faulty_process, sleep } from "./kernel/faulty_process.ts";
import { HostDisk } from "./fs/host_disk.ts";
import type { Hardware, NextKernel } from "./kernel/hardware.ts";
import type { Host } from "./fs/host_interface.ts";
import { KernelPanic } from "./ground/panic.ts";
import { Ram } from "./memory/ram.ts";
import { System } from "./kernel/system.ts";

export interface MachineOptions {
  /** Bytes of RAM. Default 4 GiB; taken from the host only as it is used. */
  readonly memory_bytes?: number;
  /** Release of the kernel of a cold boot. */
  readonly release?: string;
  /** Of a cold boot. Default `liveupdate=on`. */
  readonly command_line?: string;
  /** Default: the host's files (`host_disk.ts`). */
  readonly disk?: Disk;
  readonly host?: Host;
  /** What is to go wrong, from power-on on. Default: nothing. */
  readonly faults?: FaultSpec;
  /** How a slow call waits. Default: it blocks the thread. */
  readonly sleep?: (ms: number) => void;
  /** RLIMIT_NOFILE of every process. */
  readonly nofile?: number;
  /** Called with each line of the console. */
  readonly on_console?: (line: string) => void;
  /** Called when the machine runs the next kernel (`kexec`, `restart`) or has gone off (`power_off`, `panic`). */
  readonly on_reset?: (kind: Reset) => void;
}

export type Reset = "kexec" | "restart" | "power_off" | "panic";

export interface SpawnOptions {
  readonly uid?: number;
  readonly nofile?: number;
}

/** A machine of the software model: RAM, a disk, a console, and one kernel after the other. */
export class Machine {
  readonly ram: Ram;
  /** The serial console's output since power-on, over all kernels. */
  readonly console: string[] = [];
  /** What its last kernel died of (the console's last line has it too); undefined while it lives. */
  panic: string | undefined;
  /** 1 for the first kernel, one more after each kexec or restart. */
  boots = 0;
  #system: System | undefined;
  #init: SystemCalls | undefined;
  readonly #hardware: Hardware;

  /** Powered on: the first kernel runs. */
  constructor(readonly options: MachineOptions = {}) {
    const faults = new Faults(options.faults ?? NO_FAULTS);
    this.ram = new Ram(options.memory_bytes ?? 4 * 1024 ** 3, () => faults.errno("alloc") < 0);
    this.#hardware = {
      faults,
      ram: this.ram,
      disk: options.disk ?? new HostDisk(),
      host: options.host,
      console: (line) => {
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

  /** Powered off, no kernel runs: there is nothing to spawn in. */
  get off(): boolean {
    return this.#system === undefined;
  }

  /** Nothing in it that anybody could still come for: no process, no session that waits, no image loaded. */
  get idle(): boolean {
    const system = this.#system;
    if (system === undefined) return true;
    return system.processes.size === 0 && system.image === undefined && !system.luo?.waiting;
  }

  /** The kernel that runs now. It is another one after each reboot: do not keep it. */
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

  /** Another process, with an empty fd table. */
  spawn({ uid = 0, nofile = this.options.nofile ?? 1024 * 1024 }: SpawnOptions = {}): SystemCalls {
    const process = this.system.spawn(uid, nofile);
    const { faults, sleep: wait = sleep } = this.options;
    return faults === undefined ? process : faulty_process(process, this.#hardware.faults, wait);
  }

  /** SIGKILL: its fds close by the kernel's rules. False when there is no such process. */
  kill(pid: number): boolean {
    const process = this.system.processes.get(pid);
    process?.exit();
    return process !== undefined;
  }

  /** Power-on: nothing is in memory. */
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

  /** For ever, unless `panic=SECONDS` (or -1, at once) is on its command line: then the machine is restarted, with nothing in it. */
  #panic({ message }: KernelPanic, { command_line }: NextKernel): void {
    this.#hardware.console(`Kernel panic - not syncing: ${message}`);
    const [timeout] = kernel_values(command_line, "panic").slice(-1);
    if (Number.parseInt(timeout ?? "0") !== 0) this.#start(this.#cold());
    else this.panic = message;
  }
}
