/** A process whose calls go wrong as `faults.ts` says. */
import { ProcessKilled, type SystemCalls } from "../../system_calls.ts";
import type { Faults } from "../faults/faults.ts";
import type { Process } from "./process.ts";

/** They fail for nobody, and the machine asks them itself. */
const SAFE: readonly string[] = ["getpid", "uname", "exit", "forget", "constructor"];

/** Waits, and all processes of the machine with it: one call at a time. */
export type Sleep = (ms: number) => void;

/** What the process's program sees: the same calls, each asked about first. */
export function faulty_process(process: Process, faults: Faults, sleep: Sleep): SystemCalls {
  return new Proxy(process, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function" || typeof name === "symbol" || SAFE.includes(name)) {
        return typeof value === "function" ? value.bind(target) : value;
      }
      return (...args: unknown[]) => {
        const answer = target.ended ? 0 : before(target, name, faults, sleep);
        if (answer === 0) return Reflect.apply(value, target, args);
        // These two answer in 64 bits.
        return name === "mmap" || name === "lseek" ? BigInt(answer) : answer;
      };
    },
  });
}

/** 0, or the call's answer: it is not done then. @throws ProcessKilled */
function before(process: Process, name: string, faults: Faults, sleep: Sleep): number {
  let answer = 0;
  for (const what of faults.at(name, "call")) {
    if (what.kind === "slow") sleep(what.ms);
    if (what.kind === "errno") answer = -what.errno;
    if (what.kind === "crash") {
      process.exit();
      throw new ProcessKilled(`Process ${process.pid} was killed by a fault in ${name}`);
    }
  }
  return answer;
}

/** Blocks the thread. */
export function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
