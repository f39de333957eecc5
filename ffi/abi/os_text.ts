/** Paths, arguments and variables, which need not be UTF-8, as strings and back without a loss. */

const [FIRST, LAST] = [0xdc80, 0xdcff];
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * A byte that is no UTF-8 becomes one lone surrogate, U+DC80 to U+DCFF, as in Python (PEP 383). Such a string is not well-formed
 * (`isWellFormed`), which no decoded UTF-8 is.
 */
export function decodeOsText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    let text = "";
    for (let at = 0; at < bytes.length;) {
      const length = sequenceLength(bytes, at);
      text += length === 0
        ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
        : strict.decode(bytes.subarray(at, at + length));
      at += Math.max(1, length);
    }
    return text;
  }
}

/** The opposite of `decodeOsText`. */
export function encodeOsText(text: string): Uint8Array<ArrayBuffer> {
  if (text.isWellFormed()) return encoder.encode(text);
  const parts = Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code >= FIRST && code <= LAST ? Uint8Array.of(code - 0xdc00) : encoder.encode(character);
  });
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * Writes a text of ASCII without NULs into `bytes` from `at` on, and returns the end. 0: the text has other characters, or is too
 * long, and `bytes` may have its beginning. For short names, where the call of an encoder takes longer than the loop.
 */
export function writeAscii(text: string, bytes: Uint8Array, at: number): number {
  const end = at + text.length;
  if (end > bytes.length) return 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0 || code > 0x7f) return 0;
    bytes[at + index] = code;
  }
  return end;
}

/** Bytes of the UTF-8 sequence that begins at `at`; 0 without one. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4; length++) {
    try {
      if (at + length <= bytes.length) strict.decode(bytes.subarray(at, at + length));
      else return 0;
      return length;
    } catch { /* a longer sequence may begin here */ }
  }
  return 0;
}
