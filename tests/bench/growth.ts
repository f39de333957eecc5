/** The memory of processes while they answer requests, and whether it grows. */

/** Kilobytes of a process that are in memory. */
export function resident_kb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]);
}

/**
 * Kilobytes that a process grows by in each piece of work, for the process that grows most: the median of the slopes between any two
 * measurements. V8 takes memory in pieces and gives it back late, so that a difference of two moments says nothing.
 */
export function growth_kb(pids: readonly number[], pieces: number, work: () => void): number {
  const points = pids.map((pid) => [resident_kb(pid)]);
  for (let piece = 0; piece < pieces; piece++) {
    work();
    pids.forEach((pid, index) => points[index]?.push(resident_kb(pid)));
  }
  return Math.max(...points.map(medianSlope));
}

/** The estimator of Theil and Sen. */
function medianSlope(values: readonly number[]): number {
  const slopes = values.flatMap((value, at) =>
    values.slice(at + 1).map((later, index) => (later - value) / (index + 1))
  );
  return slopes.toSorted((one, other) => one - other)[slopes.length >> 1] ?? NaN;
}
