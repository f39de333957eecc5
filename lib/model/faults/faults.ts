/** Faults at run time: counts how often each place of a `FaultSpec` was passed, over all kernels of a machine. */
import { check_rule, type Fault, type FaultRule, type FaultSpec } from "./fault_spec.ts";

export class Faults {
  readonly #machine: Injected;
  /** In the order in which they came; the machine's own first. */
  readonly #injected: Set<Injected>;

  /** @throws BadFaultSpec for a rule that cannot happen */
  constructor(spec: FaultSpec) {
    this.#machine = new Injected(spec);
    this.#injected = new Set(spec.rules.length === 0 ? [] : [this.#machine]);
  }

  /** Adds faults that count from now on, until the answer is disposed of. @throws BadFaultSpec */
  inject(spec: FaultSpec): Disposable {
    const injected = new Injected(spec);
    this.#injected.add(injected);
    return { [Symbol.dispose]: () => void this.#injected.delete(injected) };
  }

  /**
   * Counts that a place was passed, and returns the faults that happen there now. `places` are the names of the place:
   * a call has its own name and "call".
   */
  at(...places: string[]): Fault[] {
    // Asked about every page frame that is allocated.
    if (this.#injected.size === 0) return [];
    return [...this.#injected].flatMap((each) => each.at(places));
  }

  /** Counts as `at` does. Returns the negative errno that the place must answer with, or 0. */
  errno(...places: string[]): number {
    for (const what of this.at(...places)) if (what.kind === "errno") return -what.errno;
    return 0;
  }

  /** A pseudo-random number below `below`, from the machine's seed. */
  random(below: number): number {
    return this.#machine.random(below);
  }
}

/** The rules of one `FaultSpec`, each with how often its place was passed. */
class Injected {
  readonly #rules: { rule: FaultRule; seen: number }[];
  #state: number;

  constructor({ seed, rules }: FaultSpec) {
    rules.forEach(check_rule);
    this.#rules = rules.map((rule) => ({ rule, seen: 0 }));
    this.#state = seed;
  }

  at(places: readonly string[]): Fault[] {
    const found: Fault[] = [];
    for (const each of this.#rules) {
      const { place, when, what } = each.rule;
      if (!places.includes(place)) continue;
      each.seen++;
      const now = when.kind === "nth"
        ? each.seen === when.n
        : when.kind === "from"
        ? each.seen >= when.n
        : this.random(when.n) === 0;
      if (now) found.push(what);
    }
    return found;
  }

  /** mulberry32. */
  random(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  }
}

/** No faults. */
export const NO_FAULTS: FaultSpec = { seed: 1, rules: [] };
