/** Finds the configuration of the running kernel, and of a kernel that does not carry it. */
import { decompress } from "../image/decompress.ts";
import { CONFIG_MAX, type KernelConfig, parseConfig } from "../image/embedded_config.ts";
import { ImageError } from "../image/image_error.ts";
import { Budget } from "../image/sink.ts";
import type { Fact } from "./line.ts";

/** The contents of a file; undefined when there is none, it cannot be read, or it has more than `limit` bytes. */
export type ReadFile = (path: string, limit: number) => Uint8Array | undefined;

/** The configuration of an installed kernel, where distributions put it, or beside the image at `imagePath`. */
export function installedConfig(
  read: ReadFile,
  release: string,
  imagePath?: string,
): Fact<KernelConfig> | undefined {
  // A release is a part of a path here, and the image may be hostile.
  if (!/^[\w.+~-]+$/.test(release)) return undefined;
  const directory = imagePath === undefined ? undefined : imagePath.replace(/[^/]*$/, "") || "./";
  const beside = directory === undefined ? [] : [`${directory}config-${release}`];
  if (directory?.endsWith(`/${release}/`)) beside.push(`${directory}config`);
  const places = [
    ...beside,
    `/boot/config-${release}`,
    `/usr/lib/modules/${release}/config`,
    `/lib/modules/${release}/config`,
  ];
  for (const source of places) {
    const bytes = read(source, CONFIG_MAX);
    const config = bytes && parsed(bytes);
    if (config !== undefined) return { value: config, source };
  }
}

/** /proc/config.gz (CONFIG_IKCONFIG_PROC), or the file of an installed kernel. */
export async function runningConfig(
  read: ReadFile,
  release: string,
): Promise<Fact<KernelConfig> | undefined> {
  const source = "/proc/config.gz";
  const packed = read(source, CONFIG_MAX);
  const config = packed && await unpacked(packed);
  return config === undefined ? installedConfig(read, release) : { value: config, source };
}

async function unpacked(packed: Uint8Array): Promise<KernelConfig | undefined> {
  try {
    return parsed(await decompress(packed, "gzip", new Budget(CONFIG_MAX)));
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** Undefined: the file has no option, so it is no configuration. */
function parsed(bytes: Uint8Array): KernelConfig | undefined {
  const config = parseConfig(new TextDecoder().decode(bytes));
  return config.size === 0 ? undefined : config;
}
