/** Random traffic: other processes that hold copies of fds. */
import type { Holder, TrafficHost } from "./host.ts";
import type { Random } from "./random.ts";
import type { Slots } from "./slots.ts";

/** Starts or kills a holder. A session, a file or the device lives as long as its last holder. */
export type ProcessOperation = { op: "spawn" | "kill"; holder: number };

export const processWeights = { spawn: 1, kill: 2 } as const satisfies Record<
  ProcessOperation["op"],
  number
>;

const HOLDERS = 3;

export function processOperation(op: ProcessOperation["op"], random: Random): ProcessOperation {
  return { op, holder: random.below(HOLDERS) };
}

export class Processes {
  readonly #holders = new Map<number, Holder>();

  constructor(readonly host: TrafficHost, readonly slots: Slots) {}

  apply({ op, holder }: ProcessOperation): string {
    const before = this.#holders.get(holder);
    this.#holders.delete(holder);
    let said = before === undefined ? "nobody" : "killed";
    if (op === "spawn") {
      const fds = this.slots.inherited();
      this.#holders.set(holder, this.host.spawn(fds));
      said += ` holds ${fds.length}`;
    }
    before?.kill();
    return said;
  }
}
