/** How long keys and values of `luo put` may be, and what a key may be. */

/** Bytes of the longest value, of the longest key, and of all keys and values together. */
export const VALUE_MAX = 64 << 10;
export const KEY_MAX = 255;
export const VALUES_MAX = 16 << 20;

/** Why a text is no key. Keys are printed one a line. */
export function keyProblem(key: string): string | undefined {
  const { length } = new TextEncoder().encode(key);
  if (length === 0 || length > KEY_MAX) return `a key has 1 to ${KEY_MAX} bytes, not ${length}`;
  if (!key.isWellFormed()) return "a key is a text in Unicode";
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(key)) return "a key has no control characters";
}
