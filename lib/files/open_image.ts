/** Opens the files of the next kernel, to be sent to the agent, which judges and copies them. */
import { O_CLOEXEC, O_NONBLOCK, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { open } from "../../ffi/file.ts";
import { check } from "../error.ts";
import { HostFd } from "./host_fd.ts";
import { SealedCopy } from "./sealed_copy.ts";

/** @throws LuoError `read` */
export function openImage(path: string): HostFd {
  // Non-blocking: opening a FIFO would wait for its writer.
  const flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  return new HostFd(check(open(path, flags), "read", `"${path}"`));
}

/**
 * The initramfs as one file: several are put together in the order given, as boot loaders do it.
 *
 * @throws LuoError `read`; `kexec load` as `SealedCopy.of`
 */
export function openInitrd(paths: readonly string[]): HostFd | undefined {
  using opened = new DisposableStack();
  const files = paths.map((path) => ({
    fd: opened.use(openImage(path)).number,
    name: `initrd "${path}"`,
  }));
  const [path] = paths;
  if (path === undefined) return undefined;
  return paths.length === 1 ? openImage(path) : SealedCopy.of(files).fd;
}
