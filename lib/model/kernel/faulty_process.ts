/** A process whose system calls fail as the `FaultSpec` of its machine says. */
import { ProcessKilled, type SystemCalls } from "../../system_calls.ts";
import type { Faults } from "../faults/faults.ts";
import type { Process } from "./process.ts";

/** Calls that never fail: the machine itself uses them. */
const SAFE: readonly string[] = ["getpid", "uname", "exit", "forget", "constructor"];

/** Waits, and stops all processes of the machine meanwhile: only one call runs at a time. */
export type Sleep = (ms: number) => void;

/** The process with faults: the same calls, but each first counts for the faults. */
export function faulty_process(process: Process, faults: Faults, sleep: Sleep): SystemCalls {
  return new Proxy(process, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function" || typeof name === "symbol" || SAFE.includes(name)) {
        return typeof value === "function" ? value.bind(target) : value;
      }
      return (...args: unknown[]) => {
        const { answer, short } = target.ended ? NOTHING : before(target, name, faults, sleep);
        if (answer === 0) {
          return Reflect.apply(value, target, short === undefined ? args : shortened(args, short));
        }
        // These two calls return 64 bits.
        return name === "mmap" || name === "lseek" ? BigInt(answer) : answer;
      };
    },
  });
}

/** The effect of the faults on one call. */
interface Effect {
  /** 0, or the negative errno that the call must answer with instead of running. */
  answer: number;
  /** The most bytes that the call transfers. */
  short?: number | undefined;
}

const NOTHING: Effect = { answer: 0 };

/** @throws ProcessKilled for a crash */
function before(process: Process, name: string, faults: Faults, sleep: Sleep): Effect {
  const effect: Effect = { answer: 0 };
  for (const what of faults.at(name, "call")) {
    if (what.kind === "slow") sleep(what.ms);
    if (what.kind === "errno") effect.answer = -what.errno;
    if (what.kind === "short") effect.short = what.bytes;
    if (what.kind === "crash") {
      process.exit();
      throw new ProcessKilled(`Process ${process.pid} was killed by a fault in ${name}`);
    }
  }
  return effect;
}

/** The arguments of read, write, pread and pwrite, with a buffer of at most `bytes` bytes. */
function shortened([fd, buffer, ...rest]: unknown[], bytes: number): unknown[] {
  return [fd, buffer instanceof Uint8Array ? buffer.subarray(0, bytes) : buffer, ...rest];
}

/** Blocks the thread. */
export function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
