/** The guest's first userland: busybox, the init script, and what a machine adds. */
import { read_bytes } from "../../ffi/proc.ts";
import { LuoError } from "../error.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { cpio, type Entry } from "./cpio.ts";
import { INIT_SCRIPT } from "./init_script.ts";
import { findTool, install, MissingTool } from "./missing_tool.ts";

const PACKAGE = "busybox-static";
/** Program headers of an ELF file of 64 bits (include/uapi/linux/elf.h). */
const [E_PHOFF, E_PHENTSIZE, E_PHNUM, PT_INTERP] = [32, 54, 56, 3];

/** A file that a machine adds to its initramfs. */
export interface AddedFile {
  /** Absolute. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * The initramfs, with the busybox at `path`. It is not compressed: the guest is emulated, and unpacking would take longer than reading.
 *
 * @throws MissingTool no busybox, or one that needs shared libraries
 */
export function initramfs(
  added: readonly AddedFile[] = [],
  path: string = findTool("busybox", PACKAGE),
): Uint8Array<ArrayBuffer> {
  const busybox = readFile(path);
  if (needsLoader(busybox)) {
    const what = `Cannot start a virtual machine: "${path}" needs shared libraries`;
    throw new MissingTool(what, install(PACKAGE));
  }
  const init = new TextEncoder().encode(INIT_SCRIPT);
  return cpio(withDirectories([
    { path: "/init", bytes: init },
    { path: "/bin/busybox", bytes: busybox },
    ...added,
  ]));
}

/** @throws LuoError `read` */
export function readFile(path: string): Uint8Array<ArrayBuffer> {
  const bytes = read_bytes(path);
  if (bytes === undefined) throw new LuoError("read", JSON.stringify(path), Errno.ENOENT);
  return bytes;
}

/** Each directory stands in the archive before the first file in it. */
function withDirectories(files: readonly AddedFile[]): Entry[] {
  const made = new Set<string>();
  return files.flatMap(({ path, bytes }): Entry[] => {
    const fresh = parents(path).filter((directory) => !made.has(directory));
    fresh.forEach((directory) => made.add(directory));
    return [
      ...fresh.map((directory): Entry => ({ path: directory, kind: "directory" })),
      { path: path.slice(1), kind: "file", bytes, mode: 0o755 },
    ];
  });
}

/** `/a/b/c` -> `a`, `a/b`. */
function parents(path: string): string[] {
  const words = path.split("/").slice(1, -1);
  return words.map((_, index) => words.slice(0, index + 1).join("/"));
}

/** Whether an ELF program is started by a loader, and so needs shared libraries. */
function needsLoader(program: Uint8Array<ArrayBuffer>): boolean {
  if (program.length < 64) return false;
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const [at, size, count] = [
    Number(view.getBigUint64(E_PHOFF, true)),
    view.getUint16(E_PHENTSIZE, true),
    view.getUint16(E_PHNUM, true),
  ];
  return Array.from({ length: count }, (_, index) => at + index * size)
    .some((header) => header + 4 <= program.length && view.getUint32(header, true) === PT_INTERP);
}
