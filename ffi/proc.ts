/** Reads files and directories of /proc without Deno's file permissions. */
import type { Ret } from "./abi/values.ts";
import { O_CLOEXEC, O_DIRECTORY, O_RDONLY } from "./abi/fcntl.ts";
import { decodeOsText } from "./abi/os_text.ts";
import { close, open, read } from "./file.ts";
import { ARCH, errno, libc, ret } from "./libc.ts";

/** struct linux_dirent64: ino u64@0, off i64@8, reclen u16@16, type u8@18, name@19. */
const [RECLEN, NAME] = [16, 19];

/** The names in a directory, without `.` and `..`. An unreadable directory gives an empty list, and one that ends in an error its beginning. */
export function list_directory(path: string): string[] {
  const names: string[] = [];
  addNames(path, names);
  return names;
}

/** As `list_directory`; -errno when not all of the names can be read. */
export function read_directory(path: string): string[] | Ret {
  const names: string[] = [];
  const answer = addNames(path, names);
  return answer < 0 ? answer : names;
}

function addNames(path: string, names: string[]): Ret {
  const fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fd;
  const buffer = new Uint8Array(32 * 1024);
  const view = new DataView(buffer.buffer);
  for (;;) {
    const got = ret(
      libc().syscall_getdents64(BigInt(ARCH.getdents64), fd, buffer, BigInt(buffer.length)),
      errno[0],
    );
    if (got <= 0) {
      close(fd);
      return got;
    }
    for (let at = 0; at < got; at += view.getUint16(at + RECLEN, true)) {
      const end = buffer.indexOf(0, at + NAME);
      const name = decodeOsText(buffer.subarray(at + NAME, end));
      if (name !== "." && name !== "..") names.push(name);
    }
  }
}

/** The contents of a file, or undefined when the file cannot be read. */
export function read_bytes(path: string): Uint8Array<ArrayBuffer> | undefined {
  const fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return undefined;
  let [bytes, length, got] = [new Uint8Array(4096), 0, 0];
  while ((got = read(fd, bytes.subarray(length))) > 0) {
    length += got;
    if (length === bytes.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(bytes);
      bytes = larger;
    }
  }
  close(fd);
  return got < 0 ? undefined : bytes.subarray(0, length);
}

/** The contents of a file as text, or undefined when the file cannot be read. */
export function read_text(path: string): string | undefined {
  const bytes = read_bytes(path);
  return bytes && new TextDecoder().decode(bytes);
}
