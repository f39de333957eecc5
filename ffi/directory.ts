/** Names in a directory. Deno's own readDir wants all permissions for /proc. */
import { libc, ret } from "./libc.ts";

/** x86-64; aarch64 has 61. */
const GETDENTS64 = Deno.build.arch === "aarch64" ? 61n : 217n;

/** The names from the descriptor's position on; `struct linux_dirent64`: u16 record length @16, name @19. */
export function directory_names(fd: number): string[] {
  const names: string[] = [];
  const into = new Uint8Array(32768);
  const view = new DataView(into.buffer);
  for (;;) {
    const bytes = ret(libc().syscall_getdents64(GETDENTS64, fd, into, BigInt(into.length)));
    if (bytes <= 0) return names;
    for (let at = 0; at < bytes; at += view.getUint16(at + 16, true)) {
      const end = into.indexOf(0, at + 19);
      names.push(new TextDecoder().decode(into.subarray(at + 19, end)));
    }
  }
}
