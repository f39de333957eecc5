/**
 * The log of changes that follows a checkpoint of the journal, in the manifest and in the record: one entry a change.
 *
 * An entry, little endian: mark @0 (00 4c 4f 47); u32 length @4; u32 index @8, counted from 0; u32 crc @12 (CRC-32 of the seed, of bytes 4
 * to 11, and of the payload); payload @16, JSON in UTF-8. The seed is the checksum of the checkpoint, so that entries that an
 * earlier checkpoint left in the same place are not taken for entries of this one.
 */
import { crc32 } from "node:zlib";

/** A checkpoint of the journal, and the changes since then, oldest first. */
export interface JournalBytes {
  readonly payload: Uint8Array;
  readonly entries: readonly Uint8Array[];
}

const MARK = 0x474f4c00;
/** The second byte of the mark. The first one is no help in a search: most of an unused log is zeros. */
const MARK_LETTER = 0x4c;
const HEADER = 16;

export function encodeEntry(seed: number, index: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MARK, true);
  view.setUint32(4, payload.length, true);
  view.setUint32(8, index, true);
  bytes.set(payload, HEADER);
  view.setUint32(12, checksum(seed, bytes), true);
  return bytes;
}

function checksum(seed: number, entry: Uint8Array): number {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, seed, true);
  return crc32(entry.subarray(HEADER), crc32(entry.subarray(4, 12), crc32(bytes)));
}

/**
 * The payloads of the entries at the beginning of `bytes`. The first entry that is not whole ends the log: its write was interrupted.
 * Undefined: a later entry is whole, so that the log was damaged after it was written.
 */
export function readEntries(seed: number, bytes: Uint8Array): Uint8Array[] | undefined {
  const entries: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    const entry = entryAt(seed, bytes, at);
    if (entry?.index !== entries.length) break;
    entries.push(entry.payload);
    at += HEADER + entry.payload.length;
  }
  return hasLater(seed, bytes, at, entries.length) ? undefined : entries;
}

function entryAt(
  seed: number,
  bytes: Uint8Array,
  at: number,
): { index: number; payload: Uint8Array } | undefined {
  if (at + HEADER > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER);
  const length = view.getUint32(4, true);
  if (view.getUint32(0, true) !== MARK || length > bytes.length - at - HEADER) return undefined;
  const entry = bytes.subarray(at, at + HEADER + length);
  if (view.getUint32(12, true) !== checksum(seed, entry)) return undefined;
  return { index: view.getUint32(8, true), payload: entry.subarray(HEADER) };
}

/** JSON has no zero byte, so that a mark in a payload is none. Entries of other checkpoints have another seed. */
function hasLater(seed: number, bytes: Uint8Array, from: number, index: number): boolean {
  for (let at = bytes.indexOf(MARK_LETTER, from + 1); at >= 0; at = bytes.indexOf(MARK_LETTER, at + 1)) {
    const entry = entryAt(seed, bytes, at - 1);
    if (entry !== undefined && entry.index >= index) return true;
  }
  return false;
}
