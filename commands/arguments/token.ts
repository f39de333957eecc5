/** Reads numbers from the command line: tokens, file descriptors, processes, seconds. */
const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** Reads a token: decimal or 0x, the whole range of u64. */
export function tokenArgument(text: string): bigint {
  if (!/^(?:[0-9]+|0[xX][0-9a-fA-F]+)$/.test(text)) {
    throw new RangeError("a token is a whole number, decimal or 0x");
  }
  const token = BigInt(text);
  if (token > U64_MAX) throw new RangeError(`a token is at most ${U64_MAX}`);
  return token;
}

/** Reads a number of seconds; a part of a second is allowed. */
export function parseSeconds(text: string): number {
  if (!/^[0-9]{1,7}(?:\.[0-9]{1,3})?$/.test(text)) {
    throw new RangeError("a number of seconds is needed here, such as 30 or 0.5");
  }
  return Number(text);
}

/** Reads the number of a file descriptor or a process. */
export function parseNumber(text: string): number {
  if (!/^[0-9]{1,10}$/.test(text) || Number(text) > 0x7fff_ffff) {
    throw new RangeError("a whole number is needed here");
  }
  return Number(text);
}
