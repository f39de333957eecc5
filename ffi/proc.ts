/** Reading /proc without Deno's permissions for files. */
import { O_CLOEXEC, O_DIRECTORY, O_RDONLY } from "./abi/fcntl.ts";
import { close, open, read } from "./file.ts";
import { ARCH, libc, ret } from "./libc.ts";

/** struct linux_dirent64: ino u64@0, off i64@8, reclen u16@16, type u8@18, name@19. */
const [RECLEN, NAME] = [16, 19];

/** The names in a directory but `.` and `..`; none when it cannot be read. */
export function list_directory(path: string): string[] {
  const fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return [];
  const names: string[] = [];
  const buffer = new Uint8Array(32 * 1024);
  const view = new DataView(buffer.buffer);
  for (;;) {
    const got = ret(libc().syscall_getdents64(BigInt(ARCH.getdents64), fd, buffer, BigInt(buffer.length)));
    if (got <= 0) break;
    for (let at = 0; at < got; at += view.getUint16(at + RECLEN, true)) {
      const end = buffer.indexOf(0, at + NAME);
      names.push(new TextDecoder().decode(buffer.subarray(at + NAME, end)));
    }
  }
  close(fd);
  return names.filter((name) => name !== "." && name !== "..");
}

/** A file's contents, undefined when it cannot be read. */
export function read_text(path: string): string | undefined {
  const fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return undefined;
  const [buffer, decoder] = [new Uint8Array(64 * 1024), new TextDecoder()];
  let [text, got] = ["", 0];
  while ((got = read(fd, buffer)) > 0) text += decoder.decode(buffer.subarray(0, got), { stream: true });
  close(fd);
  return got < 0 ? undefined : text;
}
