/** Hands large arrays to streams piece by piece. */

const PIECE = 1 << 20;

/** The bytes in order. Only the piece of the moment is copied. */
export function* piecesOf(...parts: readonly Uint8Array[]): Generator<Uint8Array<ArrayBuffer>> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE) yield Uint8Array.from(part.subarray(at, at + PIECE));
  }
}
