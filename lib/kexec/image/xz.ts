/**
 * Unpacks xz files (https://tukaani.org/xz/xz-file-format.txt). A library decodes LZMA2. The library lacks the filter for
 * machine code, which packed kernels have. So it gets each block as a block without filter, and `x86_filter.ts` undoes the filter.
 */
import { crc32 } from "node:zlib";
import { ImageError } from "./image_error.ts";
import { piecesOf } from "./pieces.ts";
import { type Sink, tooLarge } from "./sink.ts";
import { undoX86Filter } from "./x86_filter.ts";

const HEADER_SIZE = 12;
/** The most blocks of a file; each costs an instance of the decoder. `xz -T` makes far fewer of a file within the size limit. */
const BLOCKS_MAX = 1024;
const X86 = 0x04;
const LZMA2 = 0x21;
/** Bytes of each kind of integrity check; CRC32 is kind 1. */
const CHECK_SIZES: readonly number[] = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/** @throws ImageError */
export async function unpackXz(packed: Uint8Array, sink: Sink): Promise<void> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const check = packed[7] ?? 0;
  let blocks = 0;
  // A byte of 0 in place of a block's header is the index.
  for (let at = HEADER_SIZE; packed[at] !== 0; blocks++) {
    if (blocks === BLOCKS_MAX) throw new ImageError("unsupported", "its xz data has too many blocks");
    const block = readBlock(packed, at);
    if (sink.length + block.unpacked > sink.budget.bytes) throw tooLarge();
    const bytes = await unpackBlock(block, sink);
    at = align(block.end) + (CHECK_SIZES[check] ?? 0);
    if (check === 1 && (at > packed.length || crc32(bytes) !== view.getUint32(at - 4, true))) throw damaged();
  }
}

function damaged(): ImageError {
  return new ImageError("damaged", "its xz data is damaged");
}

interface Block {
  readonly x86: boolean;
  /** The dictionary's size as LZMA2 writes it. */
  readonly dictionary: number;
  /** LZMA2 chunks up to the end marker. */
  readonly chunks: Uint8Array;
  /** Bytes that the chunks say they unpack to. */
  readonly unpacked: number;
  /** The end of the chunks in the file. */
  readonly end: number;
}

function readBlock(packed: Uint8Array, start: number): Block {
  const length = ((packed[start] ?? 0) + 1) * 4;
  const header = packed.subarray(start, start + length);
  const flags = header[1] ?? 0;
  let at = 2;
  const number = () => {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = header[at++];
      if (byte === undefined || shift > 28) throw damaged();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  for (const bit of [0x40, 0x80]) if (flags & bit) number();
  const filters = Array.from({ length: (flags & 3) + 1 }, () => {
    const [id, size] = [number(), number()];
    return { id, properties: header.subarray(at, at += size) };
  });
  const [last, first] = filters.toReversed();
  const known = last?.id === LZMA2 && filters.length <= 2 && (first === undefined || first.id === X86);
  if (!known || (first?.properties ?? []).some((byte) => byte !== 0)) {
    throw new ImageError("unsupported", "its xz data is packed with a filter that is not known here");
  }
  const { end, unpacked } = walkChunks(packed, start + length);
  const chunks = packed.subarray(start + length, end);
  const dictionary = Math.min(last.properties[0] ?? 0, dictionaryFor(unpacked));
  return { x86: first !== undefined, dictionary, chunks, unpacked, end };
}

/** The smallest dictionary that holds so many bytes: the decoder allocates what the file claims. */
function dictionaryFor(bytes: number): number {
  let code = 0;
  while ((2 + (code & 1)) * 2 ** ((code >> 1) + 11) < bytes) code++;
  return code;
}

/** Each chunk begins with its sizes, so the unpacked size is known before anything is unpacked. */
function walkChunks(packed: Uint8Array, start: number): { end: number; unpacked: number } {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  let unpacked = 0;
  let at = start;
  for (;;) {
    const control = packed[at];
    if (control === 0) return { end: at + 1, unpacked };
    if (control === undefined || at + 6 > packed.length || (control > 2 && control < 0x80)) throw damaged();
    const size = view.getUint16(at + 1) + 1;
    if (control < 0x80) {
      unpacked += size;
      at += 3 + size;
    } else {
      unpacked += ((control & 0x1f) << 16) + size;
      // From 0xc0 on the chunk begins with new properties.
      at += (control < 0xc0 ? 5 : 6) + view.getUint16(at + 3) + 1;
    }
  }
}

/** The block as it now lies in the sink. */
async function unpackBlock(
  { x86, dictionary, chunks, unpacked }: Block,
  sink: Sink,
): Promise<Uint8Array> {
  const { default: library } = await import("xz-decompress");
  const file = ReadableStream.from(piecesOf(...xzFile(chunks, dictionary, unpacked)));
  const start = sink.length;
  try {
    for await (const part of new library.XzReadableStream(file)) {
      sink.budget.checkTime();
      sink.push(part);
    }
  } catch (error) {
    throw error instanceof ImageError ? error : damaged();
  }
  if (sink.length !== start + unpacked) throw damaged();
  const bytes = sink.room(0).subarray(start, sink.length);
  if (x86) undoX86Filter(bytes);
  return bytes;
}

/** An xz file of one block, without filter and check, in parts that follow each other. */
export function xzFile(chunks: Uint8Array, dictionary: number, unpacked: number): Uint8Array[] {
  const block = [2, 0, LZMA2, 1, dictionary, 0, 0, 0];
  const index = [0, 1, ...variable(block.length + 4 + chunks.length), ...variable(unpacked)];
  while (index.length % 4 !== 0) index.push(0);
  const size = new Uint8Array(new Uint32Array([(index.length + 4) / 4 - 1]).buffer);
  const parts: (number[] | Uint8Array)[] = [
    [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0, ...crc([0, 0])],
    [...block, ...crc(block)],
    chunks,
    new Uint8Array(align(chunks.length) - chunks.length),
    [...index, ...crc(index)],
    [...crc([...size, 0, 0]), ...size, 0, 0, 0x59, 0x5a],
  ];
  return parts.map((part) => part instanceof Uint8Array ? part : Uint8Array.from(part));
}

function crc(bytes: readonly number[]): Uint8Array {
  return new Uint8Array(new Uint32Array([crc32(Uint8Array.from(bytes))]).buffer);
}

/** The format's numbers: seven bits a byte, the lowest first. */
function variable(value: number): number[] {
  return value < 0x80 ? [value] : [value % 0x80 + 0x80, ...variable(Math.floor(value / 0x80))];
}

function align(size: number): number {
  return Math.ceil(size / 4) * 4;
}
