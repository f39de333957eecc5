/** Real kernel images, and the same kernels packed and wrapped anew. */
import { Buffer } from "node:buffer";
import { parseBzImage, standInBzImage } from "../../lib/kexec/bzimage.ts";

export const KERNELS = Deno.env.get("LUO_TEST_KERNELS") ||
  new URL("../../../shared/kernel", import.meta.url).pathname;

/** Undefined: the image is not on this host. */
export function realImage(name: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(`${KERNELS}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

const text = (words: string) => new TextEncoder().encode(words);

/** A command that packs standard input, as the kernel's Makefile calls it. */
export const PACKERS: Readonly<Record<string, readonly string[]>> = {
  gzip: ["gzip", "-n", "-1"],
  xz: ["xz", "--check=crc32", "--x86", "--lzma2=preset=0"],
  zstd: ["zstd", "-q", "-3"],
  lz4: ["lz4", "-l", "-q", "-1"],
  lzma: ["xz", "--format=lzma", "-0"],
  lzo: ["lzop", "-1"],
  bzip2: ["bzip2", "-1"],
  none: ["cat"],
};

/** Undefined: the program is not installed. */
export async function pack(bytes: Uint8Array, name: string): Promise<Uint8Array | undefined> {
  const [program = "", ...args] = PACKERS[name] ?? [];
  try {
    const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
    const output = child.output();
    await new Blob([Uint8Array.from(bytes)]).stream().pipeTo(child.stdin);
    const { success, stdout } = await output;
    return success ? stdout : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** So many zeros, packed without passing through this process. Undefined: the program is not installed. */
export async function packZeros(size: number, name: string): Promise<Uint8Array | undefined> {
  const [program = "", ...args] = PACKERS[name] ?? [];
  const script = `command -v "$1" >/dev/null || exit 127; head -c ${size} /dev/zero | "$@"`;
  const { code, stdout } = await new Deno.Command("sh", { args: ["-c", script, "sh", program, ...args] })
    .output();
  return code === 0 ? stdout : undefined;
}

/** The bzImage with another payload: its setup code, 1,024 bytes in place of the code that unpacks, the payload. */
export function repack(image: Uint8Array, payload: Uint8Array, unpacked: number, sized: boolean): Uint8Array {
  const setup = ((parseBzImage(image)?.setup_sects ?? 0) + 1) * 512;
  const size = sized ? new Uint8Array(new Uint32Array([unpacked]).buffer) : new Uint8Array(0);
  const length = payload.length + size.length;
  const padding = new Uint8Array(16 - (length % 16));
  const bytes = Buffer.concat([image.subarray(0, setup), new Uint8Array(1024), payload, size, padding]);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(0x1f4, (bytes.length - setup) / 16, true);
  view.setUint32(0x248, 1024, true);
  view.setUint32(0x24c, length, true);
  return bytes;
}

/** A unified kernel image with these sections. */
export function uki(sections: Readonly<Record<string, Uint8Array | string>>): Uint8Array {
  const head = new Uint8Array(1024);
  const view = new DataView(head.buffer);
  head.set(text("MZ"));
  view.setUint32(0x3c, 0x80, true);
  head.set(text("PE\0\0"), 0x80);
  const entries = Object.entries(sections);
  view.setUint16(0x86, entries.length, true);
  const parts: Uint8Array[] = [head];
  let offset = head.length;
  entries.forEach(([name, contents], index) => {
    const bytes = typeof contents === "string" ? text(contents) : contents;
    const at = 0x98 + 40 * index;
    const padded = Math.ceil(bytes.length / 512) * 512;
    head.set(text(name), at);
    view.setUint32(at + 8, bytes.length, true);
    view.setUint32(at + 16, padded, true);
    view.setUint32(at + 20, offset, true);
    parts.push(bytes, new Uint8Array(padded - bytes.length));
    offset += padded;
  });
  return Buffer.concat(parts);
}

/** An EFI zboot image; `compression` is the name in its header. */
export function zboot(payload: Uint8Array, compression: string): Uint8Array {
  const head = new Uint8Array(512);
  const view = new DataView(head.buffer);
  head.set(text("MZ\0\0zimg"));
  view.setUint32(8, head.length, true);
  view.setUint32(12, payload.length, true);
  head.set(text(compression), 24);
  return Buffer.concat([head, payload]);
}

/** A stand-in with more names of formats, after its banner. */
export function withNames(release: string, names: readonly string[]): Uint8Array {
  const image = Uint8Array.from(standInBzImage({ release }));
  const bytes = new TextEncoder().encode(`\0${names.join("\0")}\0`);
  const length = new DataView(image.buffer).getUint32(0x24c, true);
  const payload = Buffer.concat([image.subarray(3072, 3072 + length), bytes]);
  return repack(image, payload, payload.length, false);
}
