/** Finds the packed kernel in a bzImage and unpacks it: the rest of the file is the code that does the same at boot. */
import { parseBzImage } from "../bzimage.ts";
import { compressionOf } from "../compression.ts";
import type { Compression } from "../compression.ts";
import { decompress } from "./decompress.ts";
import { ImageError } from "./image_error.ts";
import type { Budget } from "./sink.ts";

/** Fields of `struct setup_header` (protocol 2.08): where the payload is, counted from the protected-mode code. */
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const SECTOR = 512;

export interface Payload {
  readonly compression?: Compression;
  /** The kernel proper, an ELF file. */
  readonly kernel: Uint8Array;
}

/** @throws ImageError; also for a file that is no bzImage */
export async function unpackBzImage(image: Uint8Array, budget: Budget): Promise<Payload> {
  const header = parseBzImage(image);
  if (header === undefined) throw new ImageError("damaged", "it has no Linux boot header");
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const start = (header.setup_sects + 1) * SECTOR + view.getUint32(PAYLOAD_OFFSET, true);
  const end = start + view.getUint32(PAYLOAD_LENGTH, true);
  if (end > image.length) {
    throw new ImageError(
      "damaged",
      `its payload ends at byte ${end} of ${image.length}: the file is cut off`,
    );
  }
  const payload = image.subarray(start, end);
  const compression = compressionOf(payload);
  if (compression !== undefined) {
    return { compression, kernel: await unpack(payload, compression, budget) };
  }
  if (payload[0] === 0x7f && payload[1] === 0x45) return { kernel: payload };
  throw new ImageError("unsupported", "its payload is packed in a way that is not known here");
}

/**
 * The payload ends with the unpacked size: gzip's format has the size, and the kernel's Makefile appends it to the others
 * (size_append). Not every format has a check of its own, so the size shows a payload that is cut off.
 */
async function unpack(payload: Uint8Array, compression: Compression, budget: Budget): Promise<Uint8Array> {
  if (payload.length < 4) throw new ImageError("damaged", "its payload is cut off");
  const expected = new DataView(payload.buffer, payload.byteOffset + payload.length - 4).getUint32(0, true);
  const packed = compression === "gzip" ? payload : payload.subarray(0, -4);
  const kernel = await decompress(packed, compression, budget);
  if (kernel.length === expected) return kernel;
  const reason = `its payload unpacks to ${kernel.length} bytes in place of ${expected}`;
  throw new ImageError("damaged", reason);
}
