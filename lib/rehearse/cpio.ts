/**
 * An archive that the kernel unpacks as its initramfs: cpio in the "newc" format
 * (`Documentation/driver-api/early-userspace/buffer-format.rst`). Everything belongs to root.
 */
export type Entry =
  | { path: string; kind: "file"; bytes: Uint8Array; mode: number }
  | { path: string; kind: "directory" }
  | { path: string; kind: "link"; target: string };

const modes = { file: 0o100000, directory: 0o040755, link: 0o120777 } as const;
const text = new TextEncoder();

/** The whole archive. Directories must come before what is in them; `path` is relative to the root. */
export function cpio(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  entries.forEach((entry, index) => parts.push(...member(entry, index + 1)));
  parts.push(...record("TRAILER!!!", 0, 0, new Uint8Array(0)));
  const archive = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

function member(entry: Entry, inode: number): Uint8Array[] {
  switch (entry.kind) {
    case "file":
      return record(entry.path, inode, modes.file | entry.mode, entry.bytes);
    case "directory":
      return record(entry.path, inode, modes.directory, new Uint8Array(0));
    case "link":
      return record(entry.path, inode, modes.link, text.encode(entry.target));
  }
}

function record(path: string, inode: number, mode: number, data: Uint8Array): Uint8Array[] {
  const name = text.encode(path + "\0");
  const [uid, gid, links, time, major, minor, rmajor, rminor, checksum] = [0, 0, 1, 0, 0, 0, 0, 0, 0];
  const fields = [
    inode,
    mode,
    uid,
    gid,
    links,
    time,
    data.length,
    major,
    minor,
    rmajor,
    rminor,
    name.length,
    checksum,
  ];
  const header = text.encode("070701" + fields.map((field) => field.toString(16).padStart(8, "0")).join(""));
  // Header plus name, and the data, each end on a multiple of four bytes.
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - length % 4) % 4);
}
