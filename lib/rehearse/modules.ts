/** Modules that a distribution's kernel needs to see the host's files: they go into the initramfs. */
import { read_bytes, read_text } from "../../ffi/proc.ts";
import { compressionOf } from "../kexec/compression.ts";
import { decompress } from "../kexec/image/decompress.ts";
import { ImageError } from "../kexec/image/image_error.ts";
import type { GuestKernel } from "./guest_kernel.ts";
import type { AddedFile } from "./initramfs.ts";

/** The modules in the order in which they are loaded. A module that is built into the kernel is not in modules.dep. */
const WANTED = ["virtio_pci", "9pnet_virtio", "9p", "overlay"] as const;

/** The modules for an image, numbered in the order in which they are loaded; none when it needs or has none. */
export async function modulesFor(
  { path: image, release }: Pick<GuestKernel, "path" | "release">,
): Promise<AddedFile[]> {
  if (release === undefined || release.includes("/")) return [];
  const found = directoryOf(image, release);
  if (found === undefined) return [];
  const files = loadOrder(found.dependencies).map(async (path, index): Promise<AddedFile[]> => {
    const bytes = await moduleBytes(path.startsWith("/") ? path : `${found.directory}/${path}`);
    if (bytes === undefined) return [];
    const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.ko.*$/, "");
    return [{ path: `/modules/${release}/${String(index).padStart(3, "0")}-${name}.ko`, bytes }];
  });
  return (await Promise.all(files)).flat();
}

/** A module without its compression; undefined when it cannot be read. The guest then says what it lacks. */
async function moduleBytes(path: string): Promise<Uint8Array | undefined> {
  const packed = read_bytes(path);
  const compression = packed && compressionOf(packed);
  if (packed === undefined || compression === undefined) return packed;
  try {
    return await decompress(packed, compression);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** The directory of the modules of a release. The tree of the image comes first: `x/boot/vmlinuz` has `x/lib/modules`. */
function directoryOf(
  image: string,
  release: string,
): { directory: string; dependencies: string } | undefined {
  const beside = image.slice(0, image.lastIndexOf("/") + 1);
  for (const root of [`${beside}../`, "/", "/usr/"]) {
    const directory = `${root}lib/modules/${release}`;
    const dependencies = read_text(`${directory}/modules.dep`);
    if (dependencies !== undefined) return { directory, dependencies };
  }
  return undefined;
}

/**
 * Paths of the wanted modules, each after those that it needs. A line of modules.dep (depmod(8)) is a module and what it needs,
 * directly or not, in an order that depends on the program that wrote it.
 */
export function loadOrder(dependencies: string): string[] {
  const lines = Array.from(dependencies.matchAll(/^(\S+):(.*)$/gm));
  const needs = new Map(lines.map(([, path = "", needed = ""]) => [path, needed.match(/\S+/g) ?? []]));
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    needs.get(path)?.forEach(visit);
    order.push(path);
  };
  for (const wanted of WANTED) {
    const path = [...needs.keys()].find((one) => one.includes(`/${wanted}.ko`));
    if (path !== undefined) visit(path);
  }
  return order;
}
