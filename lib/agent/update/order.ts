/** The order of participants: those that depend on each other one after the other, all others side by side. */

/** A participant, as far as the order goes. */
export interface Ordered {
  readonly name: string;
  /** The names of those that come before it. A name of no participant is ignored. */
  readonly after: readonly string[];
}

/** The names of a circle of dependencies, in its order; undefined when there is none. */
export function circle(all: readonly Ordered[]): string[] | undefined {
  const byName = new Map(all.map((one) => [one.name, one]));
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    const at = path.indexOf(name);
    if (at >= 0) return path.slice(at);
    const one = byName.get(name);
    if (one === undefined || done.has(name)) return undefined;
    for (const before of one.after) {
      const found = visit(before, [...path, name]);
      if (found !== undefined) return found;
    }
    done.add(name);
    return undefined;
  };
  for (const { name } of all) {
    const found = visit(name, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The same participants with every dependency turned round. */
export function reversed<One extends Ordered>(all: readonly One[]): (One & Ordered)[] {
  return all.map((one) => ({
    ...one,
    after: all.filter(({ after }) => after.includes(one.name)).map(({ name }) => name),
  }));
}

/**
 * Runs each one after all that come before it have run well, and ends when no one runs any more. `run` answers whether it ran well.
 * Those that come after one that did not are not run; `stopped` is asked before each start.
 */
export async function inOrder<One extends Ordered>(
  all: readonly One[],
  run: (one: One) => Promise<boolean>,
  stopped: () => boolean = () => false,
): Promise<void> {
  const names = new Set(all.map(({ name }) => name));
  const waiting = new Set(all);
  const well = new Set<string>();
  const running = new Map<One, Promise<void>>();
  const start = () => {
    for (const one of waiting) {
      if (stopped() || one.after.some((name) => names.has(name) && !well.has(name))) continue;
      waiting.delete(one);
      running.set(
        one,
        run(one).then((ranWell) => {
          if (ranWell) well.add(one.name);
        }).finally(() => running.delete(one)),
      );
    }
  };
  for (start(); running.size > 0; start()) await Promise.race(running.values());
}
