/** Finds the bytes of a handover, in a running kernel's debugfs or in a file, and reports them. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { check, LuoError } from "../error.ts";
import type { SystemCalls } from "../system_calls.ts";
import { decode_capture, is_capture } from "./capture.ts";
import { KhoError } from "./kho_error.ts";
import { decode_fdt, is_fdt } from "./fdt.ts";
import { KEXEC_METADATA, KEXEC_METADATA_SIZE } from "./kexec_metadata.ts";
import { complete_tree } from "./tree_formats.ts";
import { format_of } from "./kho_tree.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { join } from "./struct_fields.ts";
import { type KhoReport, report_blobs, report_memory } from "./report.ts";

/** kernel/liveupdate/kexec_handover_debugfs.c. debugfs is unstable by definition. */
const DEBUGFS = "/sys/kernel/debug/kho";
/** Names of blobs to try when there is no tree: the seam cannot list debugfs. */
const KNOWN = ["LUO", KEXEC_METADATA, "memblock"];
/** Limit of the file size in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Reports the handover that the running kernel was given ("in") or prepares ("out"). debugfs shows the blobs only, no
 * sessions: the kernel writes those of "out" at the reboot, and has freed those of "in".
 *
 * @throws LuoError `open`: ENOENT (no debugfs, no KHO, or nothing was handed over), EACCES
 */
export function report_debugfs(sys: SystemCalls, side: "in" | "out"): KhoReport {
  const directory = `${DEBUGFS}/${side}`;
  const file = read_if_there(sys, `${directory}/fdt`);
  const tree = file === undefined ? undefined : complete_tree(file);
  const names = tree === undefined ? KNOWN : blob_names(tree);
  const blobs = new Map<string, Uint8Array>();
  for (const name of names) {
    const bytes = read_if_there(sys, `${directory}/sub_fdts/${name}`);
    if (bytes !== undefined) blobs.set(name, bytes);
  }
  if (tree === undefined && blobs.size === 0) throw new LuoError("open", directory, Errno.ENOENT);
  const report = report_blobs(tree, blobs);
  const scratch = read_scratch(sys, directory);
  if (scratch.length > 0) report.scratch = scratch;
  if (side === "in" && blobs.has("LUO") && report.luo === undefined) {
    report.notes.push(
      "the kernel frees LUO's incoming blob while it boots: others have used its memory since",
    );
  }
  if (tree === undefined) report.notes.push("the tree of this side is not in debugfs after a handover");
  return report;
}

/**
 * Reads the scratch areas from two files, one line for each area: `0x39800000`, `0x4c00000`. Only "out" has them; the
 * next kernel takes them over.
 */
function read_scratch(sys: SystemCalls, directory: string): NonNullable<KhoReport["scratch"]> {
  const [addresses, sizes] = ["scratch_phys", "scratch_len"].map((name) => {
    const text = new TextDecoder().decode(read_if_there(sys, `${directory}/${name}`));
    return text.split("\n").filter((line) => /^0x[0-9a-f]{1,16}$/.test(line));
  });
  return (addresses ?? []).map((address, index) => ({ address, size: Number(sizes?.[index] ?? 0) }));
}

function blob_names(tree: Uint8Array): string[] {
  try {
    return decode_fdt(tree).root.children.map(({ name }) => name);
  } catch (error) {
    if (error instanceof KhoError) return KNOWN;
    throw error;
  }
}

/**
 * Reports a file: a capture, KHO's tree, or one of its blobs.
 *
 * @throws LuoError `open`, `read`; KhoError when the file is none of these, or is damaged
 */
export async function report_file(sys: SystemCalls, path: string): Promise<KhoReport> {
  return await report_bytes(read_file(sys, path));
}

/** Reports bytes as `report_file` does. @throws KhoError */
export async function report_bytes(bytes: Uint8Array): Promise<KhoReport> {
  if (is_capture(bytes)) {
    const { pages, fdt } = await decode_capture(bytes);
    return report_memory(pages, fdt);
  }
  if (is_fdt(bytes) && bytes.length > PAGE_SIZE) {
    throw new KhoError("KHO's tree", `${bytes.length} bytes do not fit a page`);
  }
  const whole = is_fdt(bytes) ? complete_tree(bytes) : bytes;
  const name = blob_name(whole);
  const report = report_blobs(
    is_fdt(bytes) && name === undefined ? whole : undefined,
    name === undefined ? new Map() : new Map([[name, bytes]]),
  );
  const [problem] = report.notes;
  if (report.kho ?? report.luo ?? report.metadata) return report;
  throw new KhoError("the file", problem ?? unknown_format(bytes));
}

/** Blobs begin with the name of their format, `memblock-v2`, as far as they are not trees. */
function unknown_format(bytes: Uint8Array): string {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 64));
  const format = /^([a-z][a-z0-9_-]*-v\d+)\0/.exec(start)?.[1];
  if (format === undefined) return "not a capture, a tree of KHO, or one of its blobs";
  return `its format is "${format}", which is not known here`;
}

function blob_name(bytes: Uint8Array): string | undefined {
  const format = is_fdt(bytes) ? format_of(bytes) : new TextDecoder().decode(bytes.subarray(0, 5));
  if (format.startsWith("luo-v")) return "LUO";
  return bytes.length === KEXEC_METADATA_SIZE ? KEXEC_METADATA : undefined;
}

function read_if_there(sys: SystemCalls, path: string): Uint8Array | undefined {
  try {
    return read_file(sys, path);
  } catch (error) {
    if (error instanceof LuoError && error.is("ENOENT")) return undefined;
    throw error;
  }
}

function read_file(sys: SystemCalls, path: string): Uint8Array {
  const fd = check(sys.open(path, O_RDONLY | O_CLOEXEC), "open", path);
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const piece = new Uint8Array(64 * 1024);
      const got = check(sys.read(fd, piece), "read", path);
      if (got === 0) break;
      length += got;
      if (length > MAX_BYTES) throw new KhoError("the file", `over ${MAX_BYTES} bytes`);
      parts.push(piece.subarray(0, got));
    }
  } finally {
    sys.close(fd);
  }
  return join(parts);
}
