/** Hands large arrays to streams piece by piece. */

const PIECE = 1 << 20;

/** The bytes in order. Nothing is copied. */
export function* piecesOf(...parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE) yield part.subarray(at, at + PIECE);
  }
}
