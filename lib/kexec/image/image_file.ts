/** Reads an image file whole, within a limit. */
import { ImageError } from "./image_error.ts";
import { type ReadImage, readImage } from "./read_kernel.ts";

/** An image file: `read(offset, length)` gives bytes, fewer at its end. */
export interface ImageFile {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** Larger than any kernel, and than most unified kernel images. */
const FILE_MAX = 256 << 20;
/** Bytes of the file and of all that is unpacked from it. */
const MEMORY_MAX = 320 << 20;
/** The most bytes that are read of a file. */
const HEAD = 4 << 20;

/** The image; for a file that cannot be read as one, the file as it is, with the reason. A large file is cut off there. */
export async function readImageFile(file: ImageFile, time_ms?: number): Promise<ReadImage> {
  const bytes = contents(file);
  if (bytes.length < file.size) {
    const reason = `it has ${file.size} bytes, and no more than ${FILE_MAX} are read`;
    return { wraps: [], kernel: bytes, facts: new ImageError("too_large", reason) };
  }
  try {
    return await readImage(bytes, MEMORY_MAX - bytes.length, time_ms);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { wraps: [], kernel: bytes, facts: error };
  }
}

/** One read gives a file whole, without a copy. Only a file that another program cuts gives less. */
function contents({ size, read }: ImageFile): Uint8Array {
  return read(0, size > FILE_MAX ? HEAD : size);
}
