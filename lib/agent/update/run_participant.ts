/** Calls a participant that is an executable: one process for one event, with a deadline. */
import { Errno, errnoName } from "../../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_WRONLY } from "../../../ffi/abi/fcntl.ts";
import { close, open, write } from "../../../ffi/file.ts";
import { kill } from "../../../ffi/process.ts";
import { spawn_with } from "../../../ffi/spawn.ts";
import { waitpid } from "../../../ffi/tracee.ts";
import type { UpdateOutcome } from "../../schema/types.ts";
import { Captured, input } from "./captured.ts";
import type { ChildEnds } from "./child_ends.ts";

/** Bytes of the longest answer. */
export const ANSWER_MAX = 64 << 10;
/** A participant that writes more than this to standard error is stopped: the memory is the machine's. */
const STDERR_MAX = 16 << 20;
/** The most bytes of standard error that go to the log. */
const LOGGED_MAX = 64 << 10;
/** How long a participant that is stopped may take after SIGTERM. */
const GRACE_MS = 1000;

/** One call of a participant. */
export interface Call {
  readonly path: string;
  readonly event: string;
  /** The JSON on its standard input. */
  readonly input: string;
  /** `NAME=value`. */
  readonly env: readonly string[];
  /** The moment on the clock of `performance.now()` at which it is late. */
  readonly deadline_ms: number;
  /** Aborted with the reason: the participant is stopped. */
  readonly signal: AbortSignal;
  /** Gets the number of the process as soon as it runs. */
  readonly started?: (pid: number) => void;
  readonly log: (line: string) => void;
  /** Waits for the end of the process. */
  readonly children: ChildEnds;
}

/** The end of a call. */
export interface Called {
  readonly outcome: UpdateOutcome;
  readonly reason?: string;
  /** What it printed, without newlines at its end, when it printed anything and its part is done. */
  readonly answer?: string;
}

/** Runs the participant to its end, or to that of its deadline. */
export async function runParticipant(call: Call): Promise<Called> {
  using stdin = input(call.input);
  using stdout = new Captured("luo-answer");
  using stderr = new Captured("luo-stderr");
  const pid = spawn_with({
    path: call.path,
    argv: [call.path, call.event],
    env: call.env,
    fds: [[stdin.number, 0], [stdout.fd.number, 1], [stderr.fd.number, 2]],
    // A process group of its own: a late participant is killed with everything that it started.
    apart: true,
  });
  if (pid < 0) return failed(notStarted(call.path, -pid));
  killableWhenMemoryIsShort(pid);
  call.started?.(pid);
  const { status, stopped } = await ended(pid, call, stdout, stderr);
  logLines(call.log, stderr);
  return stopped ?? judged(status, stdout, stderr);
}

/** The agent's unit keeps the OOM killer away from the agent. What a participant starts must not inherit that. */
function killableWhenMemoryIsShort(pid: number): void {
  const fd = open(`/proc/${pid}/oom_score_adj`, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  write(fd, new TextEncoder().encode("0"));
  close(fd);
}

function failed(reason: string): Called {
  return { outcome: "failed", reason };
}

function notStarted(path: string, errno: number): string {
  const why = errno === Errno.ENOEXEC ? "it has no format that can be executed; a script begins with #!" : "";
  return `"${path}" cannot be started (${errnoName(errno)})${why && `: ${why}`}`;
}

/** Waits for the end of the process, and brings it about when it is late, stopped or prints too much. */
async function ended(
  pid: number,
  { deadline_ms, signal, children }: Call,
  stdout: Captured,
  stderr: Captured,
): Promise<{ status: number; stopped?: Called }> {
  let stopped: Called | undefined;
  let kill_ms = Infinity;
  let end = children.wait(pid);
  for (;;) {
    const answer = waitpid(pid, WNOHANG);
    // The process is no child of ours any more: its end cannot be told.
    if (typeof answer === "number") return { status: 0, stopped: failed("its end cannot be told") };
    if (answer.pid === pid) return { status: answer.status, ...(stopped === undefined ? {} : { stopped }) };
    const now = performance.now();
    if (stopped === undefined) {
      stopped = reasonToStop(now, deadline_ms, signal, stdout, stderr);
      if (stopped !== undefined) {
        // A participant that is only stopped may clean up. A late one had its time.
        const gently = stopped.outcome === "skipped";
        kill(-pid, gently ? SIGTERM : SIGKILL);
        kill_ms = now + GRACE_MS;
      }
    } else if (now > kill_ms) {
      kill(-pid, SIGKILL);
      // A process that waits for a broken disk cannot be killed. The others must not wait for it.
      if (now > kill_ms + GRACE_MS) return { status: 0, stopped };
    }
    const next_ms = stopped === undefined
      ? Math.min(deadline_ms, now + LOOK_MS)
      : kill_ms + (now > kill_ms ? GRACE_MS : 0);
    // The wait for the end can be interrupted by a signal: waitpid says what is true.
    if (await first(end, next_ms - now, signal)) end = children.wait(pid);
  }
}

/** How often the sizes of the outputs are looked at: nothing in Linux tells of a memfd that has grown. */
const LOOK_MS = 100;

/** Waits for the end, for so long at most, or until the signal is aborted. True: it was the end. */
async function first(end: Promise<void>, limit_ms: number, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const other = () => resolve(false);
  // Timers are early by a part of a millisecond.
  const timer = setTimeout(other, Math.max(1, Math.ceil(limit_ms)));
  signal.addEventListener("abort", other);
  try {
    return await Promise.race([end.then(() => true), promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", other);
  }
}

const WNOHANG = 1;
const SIGKILL = 9;
const SIGTERM = 15;

function reasonToStop(
  now: number,
  deadline_ms: number,
  signal: AbortSignal,
  stdout: Captured,
  stderr: Captured,
): Called | undefined {
  if (signal.aborted) return { outcome: "skipped", reason: `it was stopped: ${signal.reason}` };
  if (now > deadline_ms) return { outcome: "late", reason: "it did not end before its deadline" };
  if (stdout.size > ANSWER_MAX) return failed(TOO_LONG);
  if (stderr.size > STDERR_MAX) return failed("it wrote more than 16 MiB to standard error");
  return undefined;
}

const TOO_LONG = `it printed more than ${ANSWER_MAX >> 10} KiB`;

/** @param status of waitpid(2) */
function judged(status: number, stdout: Captured, stderr: Captured): Called {
  const signal = status & 0x7f;
  if (signal !== 0) return { outcome: "died", reason: `it was killed by signal ${signal}` };
  const code = (status >> 8) & 0xff;
  if (code !== 0) {
    return { outcome: "veto", reason: reasonIn(stderr) ?? `it ended with ${code} and gave no reason` };
  }
  if (stdout.size > ANSWER_MAX) return failed(TOO_LONG);
  try {
    const printed = new TextDecoder("utf-8", { fatal: true }).decode(stdout.read(ANSWER_MAX));
    // A shell does the same with $(...): the newline of echo and print is not part of the answer.
    const answer = printed.replace(/\n+$/, "");
    return answer === "" ? { outcome: "done" } : { outcome: "done", answer };
  } catch {
    return failed("what it printed is not UTF-8");
  }
}

function lines(stderr: Captured): string[] {
  const text = new TextDecoder().decode(stderr.tail(LOGGED_MAX));
  return text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
}

/** Reasons are shown in one line. */
const REASON_MAX = 500;

/** The last line that is not indented: the hints of a luo that failed are, and come after its message. */
function reasonIn(stderr: Captured): string | undefined {
  const all = lines(stderr);
  return (all.findLast((line) => !/^\s/.test(line)) ?? all.at(-1)?.trimStart())?.slice(0, REASON_MAX);
}

function logLines(log: (line: string) => void, stderr: Captured): void {
  for (const line of lines(stderr)) log(line);
}
