/** A temporary directory, made and removed without Deno's permissions for files. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_CREAT, O_EXCL, O_WRONLY } from "../../ffi/abi/fcntl.ts";
import { encodeOsText } from "../../ffi/abi/os_text.ts";
import { mkdir, open, rmdir, unlink } from "../../ffi/file.ts";
import { list_directory } from "../../ffi/proc.ts";
import { getpid } from "../../ffi/process.ts";
import { check } from "../error.ts";
import { HostFd } from "../files/host_fd.ts";
import { inheritedEnvironment } from "../files/inherited_environment.ts";
import { writeAll } from "../files/transfer.ts";

/** A directory that is removed, with all that is in it, when its scope ends. */
export class ScratchDirectory implements Disposable {
  readonly path: string;

  /** @throws LuoError `make` */
  constructor() {
    this.path = `${temporaryDirectory()}/luo-vm-${getpid()}-${crypto.randomUUID().slice(0, 8)}`;
    make(this.path);
  }

  /** Makes a directory in it. @returns its path */
  directory(name: string): string {
    make(`${this.path}/${name}`);
    return `${this.path}/${name}`;
  }

  /** Writes a new file. @returns its path */
  file(name: string, content: Uint8Array | string, mode = 0o644): string {
    const path = `${this.path}/${name}`;
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    using fd = new HostFd(check(open(path, flags, mode), "write", JSON.stringify(path)));
    const bytes = typeof content === "string" ? encodeOsText(content) : content;
    writeAll({ fd: fd.number, name: JSON.stringify(path) }, bytes);
    return path;
  }

  [Symbol.dispose](): void {
    remove(this.path);
  }
}

function temporaryDirectory(): string {
  const chosen = inheritedEnvironment().find((one) => one.startsWith("TMPDIR="))?.slice("TMPDIR=".length);
  return chosen === undefined || !chosen.startsWith("/") ? "/tmp" : chosen.replace(/\/+$/, "");
}

function make(path: string): void {
  check(mkdir(path, 0o700), "make", `directory ${JSON.stringify(path)}`);
}

/** Removes a file, or a directory with all that is in it. A symbolic link is removed and not followed. */
function remove(path: string): void {
  const answer = unlink(path);
  // unlink(2) of a directory is EISDIR on Linux. POSIX has EPERM.
  if (answer !== -Errno.EISDIR && answer !== -Errno.EPERM) return;
  for (const name of list_directory(path)) remove(`${path}/${name}`);
  rmdir(path);
}
