/** The configuration that a kernel with CONFIG_IKCONFIG carries (kernel/configs.c), the same as /proc/config.gz. */
import { Buffer } from "node:buffer";
import { decompress } from "./decompress.ts";
import { ImageError } from "./image_error.ts";
import { Budget } from "./sink.ts";

const START = "IKCFG_ST";
const END = "IKCFG_ED";
/** The most bytes of a configuration. Real ones have some 300 KiB. */
export const CONFIG_MAX: number = 2 << 20;

/** Option by name (`CONFIG_LIVEUPDATE`), without those that are not set. */
export type KernelConfig = ReadonlyMap<string, string>;

/** Undefined: the kernel carries none, or a damaged one. */
export async function embeddedConfig(kernel: Uint8Array): Promise<KernelConfig | undefined> {
  const buffer = Buffer.from(kernel.buffer, kernel.byteOffset, kernel.byteLength);
  const start = buffer.indexOf(START);
  const end = start < 0 ? -1 : buffer.indexOf(END, start);
  if (end < 0) return undefined;
  try {
    const text = await decompress(kernel.subarray(start + START.length, end), "gzip", new Budget(CONFIG_MAX));
    return parseConfig(new TextDecoder().decode(text));
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** Lines `CONFIG_X=y`; quotes around a string are taken off. `# CONFIG_X is not set` is a comment. */
export function parseConfig(text: string): KernelConfig {
  const lines = text.matchAll(/^(CONFIG_\w+)=(.*)$/gm);
  return new Map(Array.from(lines, ([, name = "", value = ""]) => [name, value.replace(/^"(.*)"$/, "$1")]));
}
