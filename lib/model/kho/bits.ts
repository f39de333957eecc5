/** Single bits of a page, counted from the lowest bit of the first byte (DECLARE_BITMAP on a little-endian machine). */

export function set_bit(bits: Uint8Array, bit: number): void {
  bits[bit >>> 3] = (bits[bit >>> 3] ?? 0) | 1 << (bit & 7);
}

/** False when the bit was not set. */
export function clear_bit(bits: Uint8Array, bit: number): boolean {
  const [at, mask] = [bit >>> 3, 1 << (bit & 7)];
  if (((bits[at] ?? 0) & mask) === 0) return false;
  bits[at] = (bits[at] ?? 0) & ~mask;
  return true;
}
