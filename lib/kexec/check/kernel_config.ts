/** Finds the configuration of a kernel that does not carry it. */
import type { SystemCalls } from "../../system_calls.ts";
import { decompress } from "../image/decompress.ts";
import { type KernelConfig, parseConfig } from "../image/embedded_config.ts";
import { ImageError } from "../image/image_error.ts";
import { Budget } from "../image/sink.ts";
import type { Fact } from "./line.ts";
import { readFile } from "./read_file.ts";

const CONFIG_MAX = 8 << 20;

/** The configuration of an installed kernel, where distributions put it, or beside the image at `imagePath`. */
export function installedConfig(
  sys: SystemCalls,
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
    const bytes = readFile(sys, source, CONFIG_MAX);
    if (bytes !== undefined) return { value: parseConfig(new TextDecoder().decode(bytes)), source };
  }
}

/** /proc/config.gz (CONFIG_IKCONFIG_PROC), or the file of an installed kernel. */
export async function runningConfig(
  sys: SystemCalls,
  release: string,
): Promise<Fact<KernelConfig> | undefined> {
  const source = "/proc/config.gz";
  const packed = readFile(sys, source, CONFIG_MAX);
  if (packed === undefined) return installedConfig(sys, release);
  try {
    const text = await decompress(packed, "gzip", new Budget(CONFIG_MAX));
    return { value: parseConfig(new TextDecoder().decode(text)), source };
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}
