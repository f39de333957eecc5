/** Finds the formats that the running kernel hands over: from debugfs, from its own image, or from a table by release. */
import { O_CLOEXEC, O_PATH } from "../../../ffi/abi/fcntl.ts";
import { LIVEUPDATE_DEVICE } from "../../../ffi/abi/liveupdate.ts";
import { is_fdt } from "../../kho/fdt.ts";
import { KhoError } from "../../kho/kho_error.ts";
import { format_of } from "../../kho/kho_tree.ts";
import { complete_tree } from "../../kho/tree_formats.ts";
import type { SystemCalls } from "../../system_calls.ts";
import { ImageError } from "../image/image_error.ts";
import { type KernelFacts, readKernel } from "../image/read_kernel.ts";
import type { Fact } from "./line.ts";
import { readFile } from "./read_file.ts";
import { type HandoverNames, namesOfRelease, OTHER_HANDLERS, versionsOf } from "./release_formats.ts";

/** The names of formats that the running kernel writes. Undefined: not known. */
export interface HandedOver {
  readonly kho?: Fact<readonly string[]>;
  readonly luo?: Fact<readonly string[]>;
  readonly handlers?: Fact<readonly string[]>;
  /** The names of handlers for other files than memfds. */
  readonly otherHandlers?: Fact<readonly string[]>;
}

const DEBUGFS = "/sys/kernel/debug/kho";
const IMAGE_MAX = 160 << 20;

/** Undefined: this kernel has no live update, and hands nothing over. */
export async function handedOver(sys: SystemCalls, release: string): Promise<HandedOver | undefined> {
  if (!hasDevice(sys)) return undefined;
  const table = namesOfRelease(release);
  const image = await ownImage(sys, release);
  const [major, minor] = release.split(".");
  const rest = (kind: keyof HandoverNames, format: string): Fact<readonly string[]> | undefined => {
    const names = image === undefined ? [] : versionsOf(image.value.formats, format);
    if (image !== undefined && names.length > 0) return { value: names, source: image.source };
    return table && { value: table[kind], source: `luo's table for Linux ${major}.${minor}` };
  };
  return {
    kho: treeFormat(sys) ?? rest("kho", "kho"),
    luo: luoFormat(sys) ?? rest("luo", "luo"),
    handlers: rest("handlers", "memfd"),
    otherHandlers: image && {
      value: OTHER_HANDLERS.flatMap((handler) => versionsOf(image.value.formats, handler)),
      source: image.source,
    },
  };
}

/** Opening the device itself would keep it from another program. */
function hasDevice(sys: SystemCalls): boolean {
  const fd = sys.open(LIVEUPDATE_DEVICE, O_PATH | O_CLOEXEC);
  if (fd >= 0) sys.close(fd);
  return fd >= 0;
}

/**
 * The format in KHO's tree. After a handover debugfs has no outgoing tree any more, but still the incoming one, which this kernel
 * has read: a kernel knows one format and writes the same.
 */
function treeFormat(sys: SystemCalls): Fact<readonly string[]> | undefined {
  for (const source of [`${DEBUGFS}/out/fdt`, `${DEBUGFS}/in/fdt`]) {
    const bytes = readFile(sys, source, 1 << 20);
    const name = bytes && formatIn(() => format_of(complete_tree(bytes)));
    if (name !== undefined && /^kho-v\d/.test(name)) return { value: name.split(";"), source };
  }
}

/** The format of LUO's blob: a tree up to luo-v1, then a struct that begins with the name. */
function luoFormat(sys: SystemCalls): Fact<readonly string[]> | undefined {
  const source = `${DEBUGFS}/out/sub_fdts/LUO`;
  const bytes = readFile(sys, source, 1 << 20);
  if (bytes === undefined) return undefined;
  const name = is_fdt(bytes)
    ? formatIn(() => format_of(bytes))
    : /^luo-v\d+[a-z0-9;_-]*/.exec(new TextDecoder("latin1").decode(bytes.subarray(0, 64)))?.[0];
  return name === undefined ? undefined : { value: name.split(";"), source };
}

function formatIn(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}

/** The image of the running kernel, where it is installed. */
async function ownImage(sys: SystemCalls, release: string): Promise<Fact<KernelFacts> | undefined> {
  const places = [`/boot/vmlinuz-${release}`, `/usr/lib/modules/${release}/vmlinuz`];
  for (const source of places) {
    const file = readFile(sys, source, IMAGE_MAX);
    if (file === undefined) continue;
    try {
      const value = await readKernel(file);
      if (value.release === release) return { value, source };
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
    }
  }
}
