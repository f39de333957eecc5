/** One run of `luo emulate`: boots CMD on the model again and again, and serves its calls. */
import { EPOLLIN } from "../../ffi/abi/epoll.ts";
import { O_WRONLY } from "../../ffi/abi/fcntl.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { MSG_DONTWAIT } from "../../ffi/abi/socket.ts";
import { close } from "../../ffi/file.ts";
import { Listener } from "../../ffi/seccomp.ts";
import { set_child_subreaper, touch } from "../../ffi/tracee.ts";
import { ProcessKilled } from "../system_calls.ts";
import { LinuxHost } from "../machine_process/linux_host.ts";
import { LibcDisk } from "../machine_process/libc_disk.ts";
import type { FaultSpec } from "../model/faults/fault_spec.ts";
import { Machine } from "../model/machine.ts";
import { launch, type Launched } from "./launch.ts";
import { type Call, CALLS } from "./trapped_calls.ts";
import { EmulatedFds } from "./emulated_fds.ts";
import { CallingProgram } from "./calling_program.ts";
import { CallServer } from "./call_server.ts";
import { NotPopulated } from "./lazy_memory.ts";
import { NextKernelFiles } from "./next_kernel_files.ts";
import type { CallAnswer } from "./call_answer.ts";
import { NumberWatch, type Report } from "./number_watch.ts";
import { inModel, KMSG } from "./kernel_files.ts";
import { planOfTripwires } from "./tripwires.ts";
import { line } from "./trace_line.ts";

export { LaunchError } from "./launch.ts";

export interface EmulateOptions {
  /** CMD: absolute path, arguments from argv[0] on, environment as `NAME=value` (LUO_BOOT, LUO_KERNEL, LUO_INITRD and LUO_CMDLINE are added). */
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly strict: boolean;
  readonly nofile: readonly [bigint, bigint];
  readonly memory_bytes?: number;
  readonly faults?: FaultSpec;
  /** Called with the end of the console when the next kernel panicked. The machine is off then. */
  readonly on_panic?: (console: readonly string[]) => void;
  /** Called with a line for every served call. */
  readonly trace?: (line: string) => void;
  readonly on_console?: (line: string) => void;
  /** Called once, with what the machine shares with the host because there is no namespace for it. */
  readonly on_shared?: (what: readonly string[]) => void;
  /** Called once when `strict` is wanted and the guard may not trace: many more calls are then served. */
  readonly on_untraced?: () => void;
  /** The signals for the process `init`. */
  readonly signals: {
    /** Lets the runtime deliver signals, and sends them on. */
    readonly pass: (init: number) => Promise<void>;
    /** Settles when there is a signal to send on. The next call takes the place of this one: only its promise settles then. */
    readonly come: () => Promise<void>;
  };
}

/**
 * How long this thread waits for calls by itself, which is ten times as fast as a wait in another thread, but lets no signals in. A
 * machine without calls waits in another thread, without a limit.
 */
const TICK_MS = 50;
/** The exit code of a shell for a program that SIGKILL ended. */
const EXIT_KILLED = 128 + 9;
const CONSOLE_LINES = 10;

/**
 * Runs CMD as the init of an emulated machine, boot after boot, until a boot ends without a kexec.
 *
 * @returns CMD's exit code, 128 + N when signal N ended it
 * @throws LaunchError seccomp is not to be had, or CMD cannot be executed; LuoError `start`
 */
export async function emulate(options: EmulateOptions): Promise<number> {
  const host = new LinuxHost();
  const machine = new Machine({
    architecture: Deno.build.arch,
    host,
    disk: new LibcDisk(),
    memory_bytes: options.memory_bytes,
    faults: options.faults,
    on_console: options.on_console,
    on_reset: () => host.closeAll(),
  });
  set_child_subreaper();
  try {
    using next = new NextKernelFiles();
    for (let boot = 1;; boot++) {
      const made = [`LUO_BOOT=${boot}`, ...next.variables];
      const names = made.map((one) => one.slice(0, one.indexOf("=") + 1));
      const given = options.env.filter((one) => !names.some((name) => one.startsWith(name)));
      const env = [...given, ...made];
      const code = await oneBoot(machine, { ...options, env, images: next.paths });
      if (code !== undefined) return code;
      if (machine.off) {
        options.on_panic?.(machine.console.slice(-CONSOLE_LINES));
        return EXIT_KILLED;
      }
    }
  } finally {
    host.closeAll();
  }
}

/** Of one boot. `images`: the files for the next one. */
interface BootOptions extends EmulateOptions {
  readonly images: readonly string[];
}

async function oneBoot(machine: Machine, options: BootOptions): Promise<number | undefined> {
  using boot = new Boot(machine, options);
  return await boot.run();
}

/** One boot: from the start of CMD to its end, or to the kexec. */
class Boot implements Disposable {
  readonly #objects = new EmulatedFds();
  readonly #launched: Launched;
  readonly #listener: Listener;
  readonly #watch: NumberWatch;
  readonly #program: CallingProgram;
  readonly #server: CallServer;
  readonly #sys;
  readonly #boots: number;
  /** Touches of pages that go on in other threads, and the calls whose page was touched. */
  readonly #touching = new Set<Promise<void>>();
  readonly #populated: Notification[] = [];

  constructor(readonly machine: Machine, readonly options: BootOptions) {
    this.#sys = machine.init();
    this.#boots = machine.boots;
    const hasDevice = machine.system.luo !== undefined;
    // Faults do not reach this process.
    const looker = machine.system.spawn(0, 64);
    const { steps, directories, names } = planOfTripwires(looker, hasDevice, options.images);
    this.#launched = launch({ ...options, plan: steps });
    looker.exit();
    const { shared } = this.#launched;
    if (shared.length > 0 && this.#boots === 1) options.on_shared?.(shared);
    if (options.strict && !this.#launched.traces && this.#boots === 1) options.on_untraced?.();
    this.#listener = new Listener(this.#launched.listener);
    this.#objects.watch(this.#launched.listener, EPOLLIN);
    this.#objects.watch(this.#launched.channel, EPOLLIN);
    const { traces, tripwires, guard } = this.#launched;
    this.#watch = new NumberWatch(traces ? this.#launched : undefined, guard, options.strict, tripwires);
    this.#program = new CallingProgram(this.#listener, this.#watch);
    const isPreserved = (identity: string) => machine.system.host_files.is_preserved(identity);
    const kernel = machine.system;
    const deviceDirectory = `/proc/${guard}/root/dev`;
    const copies = new Set(directories);
    const about = { hasDevice, deviceDirectory, copies, tripwires: names, isPreserved, kernel };
    this.#server = new CallServer({ sys: this.#sys, ...about }, this.#program, this.#objects);
  }

  /** The exit code; undefined after a kexec. @throws LaunchError CMD cannot be executed */
  async run(): Promise<number | undefined> {
    let paused = performance.now();
    for (let served = 0;; served++) {
      const soon = this.#soon();
      const ready = soon.length > 0 || this.#populated.length > 0 ? soon : await this.#beside();
      // Received first of all: a signal interrupts a call that is not yet received.
      const received = ready.includes(this.#listener.fd) ? this.#listener.receive() : undefined;
      if (ready.length === 0 || (served % 64 === 0 && performance.now() - paused >= TICK_MS)) {
        await this.options.signals.pass(this.#launched.init);
        paused = performance.now();
      }
      // close() is not trapped. An fd that was closed before a call must be closed in the model before the call is served.
      if (this.#objects.anyClosed(ready)) this.#close_closed();
      try {
        for (const call of this.#populated.splice(0)) this.#serve(call);
        if (typeof received === "object") this.#serve(received);
        if (ready.includes(this.#launched.channel)) this.#launched.heard(MSG_DONTWAIT);
        // Serving one may bring another.
        for (let report; (report = this.#launched.reports.shift()) !== undefined;) this.#stopped(report);
      } catch (error) {
        if (!(error instanceof ProcessKilled)) throw error;
        // The machine has not rebooted: a fault killed init. Otherwise the next kernel runs.
        return this.machine.boots === this.#boots && !this.machine.off ? EXIT_KILLED : undefined;
      }
      if (this.#launched.status !== undefined) return exitCode(this.#launched.status);
    }
  }

  /** Closes the model's fd for each emulated fd whose last copy is closed, and makes the writes to files of the model. */
  #close_closed(): void {
    const { closed, written } = this.#objects.changes();
    for (const { model_fd } of closed) this.#sys.close(model_fd);
    for (const { path, content } of written) {
      if (path === KMSG) {
        this.#server.log.writeLines(content);
        continue;
      }
      const fd = this.#sys.open(inModel(path), O_WRONLY);
      if (fd < 0) continue;
      this.#sys.write(fd, content);
      this.#sys.close(fd);
    }
  }

  #soon(): number[] {
    if (this.#populated.length > 0) return this.#objects.wait(0);
    return this.#touching.size === 0 ? this.#objects.wait(TICK_MS) : [];
  }

  async #beside(): Promise<number[]> {
    return await this.#objects.waitBeside([...this.#touching, this.options.signals.come()]);
  }

  #serve(call: Notification): void {
    const name = CALLS.get(call.nr);
    if (name === undefined) return this.#answer(call, undefined);
    this.#program.called(call.tid);
    const { trace } = this.options;
    try {
      const served = trace === undefined ? this.#server.serve(name, call) : this.#traced(name, call, trace);
      this.#answer(call, served);
    } catch (error) {
      if (!(error instanceof NotPopulated)) throw error;
      return this.#postpone(call, error);
    }
    this.#program.lazy.served(call.tid);
  }

  #answer(call: Notification, answer: CallAnswer): void {
    if (!call.traced) {
      if (answer === undefined) this.#listener.proceed(call.id);
      else this.#listener.answer(call.id, answer);
    } else if (answer !== undefined) this.#watch.answer(call.tid, answer);
    else if (this.#server.copies.copies(call)) this.#watch.leave(call.tid);
    else this.#watch.proceed(call.tid);
  }

  /** The guard has stopped a call, or a program after its call. */
  #stopped({ call, returned, opened }: Report): void {
    this.#close_closed();
    if (opened !== undefined) {
      const file = this.#server.contents.open(opened.tid, opened.index);
      this.#watch.content(opened, file);
      if (file >= 0) close(file);
    } else if (returned === undefined) this.#serve(call);
    else this.#watch.watch(call.tid, this.#server.copies.made(call, returned));
  }

  /** Serves the call again once its page was touched. Meanwhile other calls are served, those of the page's handler among them. */
  #postpone(call: Notification, { tid, address, writes }: NotPopulated): void {
    const touching = touch(tid, address, writes).then(() => {
      this.#touching.delete(touching);
      this.#populated.push(call);
    });
    this.#touching.add(touching);
  }

  #traced(name: Call, call: Notification, trace: (line: string) => void): CallAnswer {
    const started = performance.now();
    const { lazy } = this.#program;
    const say = (answer: CallAnswer) => {
      const { active } = lazy;
      // The line is no reason to serve the call twice. What it shows was touched when the call was served.
      lazy.active = false;
      trace(line(name, call, answer, (performance.now() - started) * 1000, this.#program));
      lazy.active = active;
    };
    try {
      const served = this.#server.serve(name, call);
      if (served !== undefined) say(served);
      return served;
    } catch (error) {
      if (error instanceof ProcessKilled) say(undefined);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#objects[Symbol.dispose]();
    this.#server[Symbol.dispose]();
    this.#launched[Symbol.dispose]();
  }
}

function exitCode(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}
