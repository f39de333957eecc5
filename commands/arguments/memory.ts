/** Reads an amount of memory. */

const [LEAST_MIB, MOST_MIB] = [256, 1 << 20];

/** Reads a number of MiB for a virtual machine. */
export function parseMemory(text: string): number {
  const mib = Number(text);
  if (!/^[0-9]{1,7}$/.test(text) || mib < LEAST_MIB || mib > MOST_MIB) {
    throw new RangeError(`a number of MiB is needed here, from ${LEAST_MIB} to ${MOST_MIB}`);
  }
  return mib;
}
