/** Starts CMD under a seccomp filter through the launcher, and gets the filter's listener. */
import { MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { encodeOsText } from "../../ffi/abi/os_text.ts";
import { SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { Errno, errnoName } from "../../ffi/abi/errno.ts";
import { close, memfd_create, write } from "../../ffi/file.ts";
import { recvmsg, sendmsg, socketpair } from "../../ffi/socket.ts";
import { spawn_with } from "../../ffi/spawn.ts";
import { check } from "../error.ts";
import { joined } from "../joined_bytes.ts";
import { killAll } from "./kill_descendants.ts";
import {
  ACKNOWLEDGED,
  CALLED,
  decodeReport,
  type GuardChannel,
  OPENED,
  type Report,
  REPORT_SIZE,
  RETURNED,
} from "./number_watch.ts";
import { filter } from "./seccomp_filter.ts";
import { ARCHITECTURE, steadyCalls } from "./trapped_calls.ts";
import { watchFilter } from "./watch_filter.ts";
import { MACHINE_CODE as aarch64 } from "./launcher/aarch64.ts";
import { MACHINE_CODE as x86_64 } from "./launcher/x86_64.ts";

const MACHINE_CODE = { x86_64, aarch64 };
/** The fd number of the launcher's end of the channel. It is closed when CMD is executed. */
const CHANNEL = 255;
/**
/**
 * sizeof(struct order) of launcher.c: u64 nofile[2], u32 instructions of each filter, u32 size of the plan, u64 mark, u64 follows, u64 steady[8].
 * The filters, the plan and the path follow.
 */
const [ORDER, FILTERS, PLAN, MARK, FOLLOWS, STEADY] = [120, 16, 36, 40, 48, 56];
const STAGES = ["no_new_privs", "seccomp", "sendmsg", "execve"] as const;
const [STARTED, ENDED, SHARED] = [100, 101, 102];
/** The bit of SHARED that tells that the guard may not trace. */
const LACKS_TRACING = 16;
/** The bit that tells that no tripwires lie: every open is trapped. */
const LACKS_TRIPWIRES = 32;
/** What a machine can share with the host, by the bits of SHARED. */
const SHAREABLE = [
  "the names in /dev, /tmp and /run",
  "System V IPC and POSIX queues",
  "the clocks",
  "the host name",
] as const;

export interface Launch {
  /** The argument of execve(2). */
  readonly path: string;
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly strict: boolean;
  /** Where tripwires are to lie: see tripwires.ts. */
  readonly plan: Uint8Array;
  /** RLIMIT_NOFILE, soft and hard; zeros leave it as it is. */
  readonly nofile: readonly [bigint, bigint];
}

/** CMD could not be started; `stage` tells which step failed. */
export class LaunchError extends Error {
  override readonly name = "LaunchError";

  constructor(readonly stage: (typeof STAGES)[number], readonly code: string) {
    super(`${stage} failed (${code})`);
  }
}

/** CMD, and its guard: the process that kills CMD and all its descendants when the channel is closed. */
export class Launched implements Disposable, GuardChannel {
  /** CMD's process id; 0 until the guard has sent it. */
  init = 0;
  /** CMD's wait status, once it has ended. */
  status: number | undefined;
  readonly listener: number;
  /** What the machine shares with the host, because the host has no namespace for it. */
  shared: readonly string[] = [];
  /** Whether the guard may trace: without it, many more calls are trapped. */
  traces = true;
  /** Whether opens that only read are not trapped. */
  tripwires = false;
  /** Calls that the guard has stopped. */
  readonly reports: Report[] = [];
  #acknowledged: number | undefined;

  constructor(readonly guard: number, readonly channel: number) {
    let listener: number | undefined;
    while (listener === undefined) listener = this.heard();
    this.listener = listener;
  }

  /**
   * Takes one message of the launcher. Returns the listener when the message carries it. @throws LaunchError CMD does
   * not run
   */
  heard(flags = 0): number | undefined {
    const into = new Uint8Array(REPORT_SIZE);
    const got = recvmsg(this.channel, into, 1, flags);
    // An order that was acknowledged took the message.
    if (got === -Errno.EAGAIN) return undefined;
    if (typeof got === "number") check(got, "receive", "the launcher's message");
    if (typeof got === "number" || got.bytes === 0) throw new LaunchError("execve", "ESRCH");
    if (got.bytes === 1) return got.fds[0];
    const [what = 0, number = 0] = new Uint32Array(into.buffer);
    if (what === STARTED) this.init = number;
    else if (what === ENDED) this.status = number;
    else if (what === SHARED) {
      this.shared = SHAREABLE.filter((_, bit) => (number & (1 << bit)) !== 0);
      this.traces = (number & LACKS_TRACING) === 0;
      this.tripwires = (number & LACKS_TRIPWIRES) === 0;
    } else if (what === CALLED || what === RETURNED || what === OPENED) this.reports.push(decodeReport(into));
    else if (what === ACKNOWLEDGED) this.#acknowledged = number;
    else throw new LaunchError(STAGES[what] ?? "execve", errnoName(number));
  }

  tell(order: Uint8Array<ArrayBuffer>, fds: readonly number[] = []): void {
    check(sendmsg(this.channel, order, fds), "send", "the guard's order");
  }

  ask(order: Uint8Array<ArrayBuffer>): number {
    this.tell(order);
    this.#acknowledged = undefined;
    while (this.#acknowledged === undefined) this.heard();
    return this.#acknowledged;
  }

  /**
   * Closing the channel makes the guard kill all processes. The listener is closed last: without it, trapped calls
   * return ENOSYS.
   */
  [Symbol.dispose](): void {
    close(this.channel);
    killAll();
    close(this.listener);
  }
}

/** Starts CMD under a filter. @throws LaunchError seccomp is not available */
export function launch(options: Launch): Launched {
  const program = launcher();
  const [ours, theirs] = check(socketpair(SOCK_SEQPACKET), "socketpair", "the launcher");
  try {
    check(sendmsg(ours, order(options), []), "send", "the launcher's order");
    const { argv, env } = options;
    const at = `/proc/self/fd/${program}`;
    const guard = spawn_with({
      path: at,
      argv,
      env,
      fds: [[theirs, CHANNEL]],
      inheritIgnored: "SIGCHLD too",
    });
    check(guard, "start", "the launcher");
    close(theirs);
    return new Launched(guard, ours);
  } catch (error) {
    close(ours);
    throw error;
  } finally {
    close(program);
  }
}

/** CMD's filter by tripwires, without them, and where the guard may not trace; the filter for numbers by tripwires, and without. */
function filters(strict: boolean, mark: bigint): readonly Uint8Array[] {
  const mode = strict ? "strict" : "plain";
  return [
    filter(`${mode} traced`, ARCHITECTURE, mark),
    filter(`${mode} traced`),
    filter(mode),
    watchFilter(strict, ARCHITECTURE, mark),
    watchFilter(strict),
  ];
}

function order({ strict, plan, path, nofile }: Launch): Uint8Array {
  const [mark = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  const programs = filters(strict, mark);
  const head = new DataView(new ArrayBuffer(ORDER));
  head.setBigUint64(0, nofile[0], true);
  head.setBigUint64(8, nofile[1], true);
  programs.forEach(({ length }, index) => head.setUint32(FILTERS + 4 * index, length / 8, true));
  head.setUint32(PLAN, plan.length, true);
  head.setBigUint64(MARK, mark, true);
  // With --strict luo hears of every way by which a number can become an fd of the machine.
  head.setBigUint64(FOLLOWS, strict ? 1n : 0n, true);
  for (const nr of steadyCalls()) {
    const at = STEADY + 8 * (nr >> 6);
    head.setBigUint64(at, head.getBigUint64(at, true) | 1n << BigInt(nr & 63), true);
  }
  return joined([new Uint8Array(head.buffer), ...programs, plan, encodeOsText(`${path}\0`)]);
}

/** An executable memfd with the launcher. */
function launcher(): number {
  // Before Linux 6.3 the flag is unknown.
  const exec = memfd_create("luo-emulate", MFD_CLOEXEC | MFD_EXEC);
  const fd = check(
    exec < 0 ? memfd_create("luo-emulate", MFD_CLOEXEC) : exec,
    "memfd_create",
    "the launcher",
  );
  check(write(fd, Uint8Array.fromBase64(MACHINE_CODE[Deno.build.arch])), "write", "the launcher");
  return fd;
}
