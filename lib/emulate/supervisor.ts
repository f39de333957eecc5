/** One emulated machine: its boots, one after the other, and the loop that serves the calls of its programs. */
import { EPOLL_CTL_ADD, EPOLLIN } from "../../ffi/abi/epoll.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import {
  type Notification,
  SECCOMP_USER_NOTIF_FLAG_CONTINUE,
  SECCOMP_X86_64,
  type TrappedCall,
} from "../../ffi/abi/seccomp.ts";
import { epoll_create1, epoll_ctl, epoll_wait, epoll_wait_blocking, poll_two } from "../../ffi/epoll.ts";
import { close } from "../../ffi/file.ts";
import { getpid, kill, pidfd_open } from "../../ffi/process.ts";
import {
  become_subreaper,
  launch,
  type Launched,
  notify_receive,
  notify_send,
  notify_sync,
  wait_status,
} from "../../ffi/seccomp.ts";
import { check, LuoError } from "../error.ts";
import { inheritedEnvironment } from "../files/environment.ts";
import { ProcessKilled } from "../kernel.ts";
import { LinuxHost } from "../machine/host.ts";
import { LibcDisk } from "../machine/libc_disk.ts";
import { Machine } from "../model/machine.ts";
import { type Answer, type Machinery, serve } from "./calls.ts";
import { readText } from "./caller.ts";
import { filterProgram, trappedCalls } from "./filter.ts";
import { Objects } from "./objects.ts";
import { killAll } from "./processes.ts";
import { traceLine } from "./trace.ts";

export interface EmulateOptions {
  readonly argv: readonly string[];
  readonly memory_bytes?: number;
  /** Also writes past the end of a preserved memfd fail; every write then costs a round trip. */
  readonly strict?: boolean;
  /** Called with a line for each call that was served. */
  readonly on_trace?: (line: string) => void;
  /** Called once with a function that sends CMD a signal; it is another process after a kexec. */
  readonly on_start?: (signal: (number: number) => void) => void;
}

type End = { readonly kind: "kexec" } | { readonly kind: "exit"; readonly status: number };

/** Worth a moment's waiting right here: the next call mostly comes at once. */
const SOON_MS = 2;
const EVENTS_MAX = 64;

/**
 * Runs a program as the init of an emulated machine, and again after each kexec.
 *
 * @returns its exit code, or 128 + the signal that killed it
 * @throws LuoError `emulate`: the host's kernel does not give seccomp notifications; `execute`: ENOENT, EACCES ...
 */
export async function emulate(options: EmulateOptions): Promise<number> {
  if (Deno.build.arch !== "x86_64") throw new LuoError("emulate", "this architecture", Errno.ENOSYS);
  const host = new LinuxHost();
  const { memory_bytes } = options;
  const machine = new Machine({ memory_bytes, host, disk: new LibcDisk(), on_reset: () => host.closeAll() });
  check(become_subreaper(), "emulate", "processes");
  let child = 0;
  options.on_start?.((number) => child > 0 && kill(child, number));
  for (let boot = 1;; boot++) {
    const run = new Boot(machine, options, boot);
    child = run.pid;
    try {
      const end = await run.end();
      if (end.kind === "exit") return exitCode(end.status);
    } finally {
      child = 0;
      killAll(getpid());
      run.close();
    }
  }
}

/** As a shell tells it. */
function exitCode(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

class Boot {
  readonly pid: number;
  readonly #epfd = check(epoll_create1(), "epoll_create1", "");
  /** For waiting long: notifications, and all that #epfd waits for. */
  readonly #idle = check(epoll_create1(), "epoll_create1", "");
  readonly #objects = new Objects(this.#epfd);
  readonly #calls: ReadonlyMap<number, TrappedCall>;
  readonly #machinery: Machinery;
  readonly #pidfd: number;
  readonly #trace: ((line: string) => void) | undefined;

  constructor(machine: Machine, { argv, strict = false, on_trace }: EmulateOptions, boot: number) {
    this.#trace = on_trace;
    this.#calls = trappedCalls(SECCOMP_X86_64, strict);
    const { pid, listener } = start(argv, boot, strict);
    this.pid = pid;
    this.#machinery = { machine, kernel: machine.spawn(), objects: this.#objects, listener };
    this.#pidfd = check(pidfd_open(pid), "pidfd_open", `process ${pid}`);
    notify_sync(listener);
    epoll_ctl(this.#epfd, EPOLL_CTL_ADD, this.#pidfd, EPOLLIN);
    for (const fd of [listener, this.#epfd]) epoll_ctl(this.#idle, EPOLL_CTL_ADD, fd, EPOLLIN);
  }

  async end(): Promise<End> {
    const { listener, kernel } = this.#machinery;
    for (;;) {
      // poll(2), not epoll: only that is woken on the CPU of the caller, which is five times as fast.
      const [notified = 0, other = 0] = poll_two(listener, this.#epfd, SOON_MS);
      if (notified === 0 && other === 0) await epoll_wait(this.#idle, 1, -1);
      // What was closed before a call was closed before it for the program too.
      const events = other === 0 ? [] : epoll_wait_blocking(this.#epfd, EVENTS_MAX, 0);
      for (const { fd } of events) this.#objects.hangUp(fd, kernel);
      const status = events.some(({ fd }) => fd === this.#pidfd) ? this.#reap() : undefined;
      if (status !== undefined) return { kind: "exit", status };
      if ((notified & EPOLLIN) !== 0 && this.#serve() === "kexec") return { kind: "kexec" };
    }
  }

  /** CMD's status. Orphans are our children by now and are reaped along the way. */
  #reap(): number | undefined {
    for (;;) {
      const ended = wait_status(-1);
      if (ended === undefined || ended.pid === this.pid) return ended?.status;
    }
  }

  close(): void {
    this.#objects.forget();
    try {
      this.#machinery.kernel[Symbol.dispose]();
    } finally {
      for (const fd of [this.#machinery.listener, this.#pidfd, this.#epfd, this.#idle]) close(fd);
    }
  }

  #serve(): "kexec" | undefined {
    const { listener } = this.#machinery;
    const notification = notify_receive(listener);
    if (typeof notification === "number") return;
    const name = this.#calls.get(notification.nr);
    const begin = performance.now();
    const answer = name === undefined ? "continue" : this.#answer(name, notification);
    if (answer === "kexec") {
      this.#trace?.(traceLine(name, notification, 0, performance.now() - begin));
      return "kexec";
    }
    if (answer === "continue") {
      notify_send(listener, notification.id, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
      return;
    }
    notify_send(listener, notification.id, answer);
    this.#trace?.(traceLine(name, notification, answer, performance.now() - begin));
  }

  #answer(name: TrappedCall, notification: Notification): Answer | "kexec" {
    try {
      return serve(this.#machinery, name, notification);
    } catch (error) {
      if (error instanceof ProcessKilled) return "kexec";
      throw error;
    }
  }
}

function start(argv: readonly string[], boot: number, strict: boolean): Launched {
  const [name = ""] = argv;
  const inherited = inheritedEnvironment();
  const env = inherited.filter((entry) => !entry.startsWith("LUO_BOOT="));
  // The first boot has none, as a machine that was just powered on.
  if (boot > 1) env.push(`LUO_BOOT=${boot}`);
  const paths = candidates(name, inherited);
  const launched = launch({
    paths,
    argv,
    env,
    filter: filterProgram(SECCOMP_X86_64, strict),
    nofile: openFilesLimit(),
  });
  if (typeof launched === "number") throw new LuoError("emulate", "a child process", -launched);
  if (launched.listener < 0) {
    killAll(getpid());
    throw new LuoError("emulate", "seccomp notifications", -launched.listener);
  }
  if (launched.exec < 0) {
    killAll(getpid());
    close(launched.listener);
    throw new LuoError("execute", JSON.stringify(name), -launched.exec);
  }
  return launched;
}

/** RLIMIT_NOFILE as whoever started us has it: Deno raised ours to the hard limit. */
function openFilesLimit(): { soft: bigint; hard: bigint } {
  const own = readLimits("self");
  const parent = readLimits(/^PPid:\s*(\d+)/m.exec(readText("/proc/self/status"))?.[1] ?? "self");
  const soft = parent.soft < own.hard ? parent.soft : own.hard;
  return { soft, hard: own.hard };
}

function readLimits(pid: string): { soft: bigint; hard: bigint } {
  const [, soft = "1024", hard = "4096"] =
    /^Max open files\s+(\d+)\s+(\d+)/m.exec(readText(`/proc/${pid}/limits`)) ?? [];
  return { soft: BigInt(soft), hard: BigInt(hard) };
}

/** Where a program may be, as execvp(3) looks for it. */
function candidates(name: string, env: readonly string[]): readonly string[] {
  if (name.includes("/")) return [name];
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice(5) ?? "/bin:/usr/bin";
  return path.split(":").map((directory) => `${directory === "" ? "." : directory}/${name}`);
}
