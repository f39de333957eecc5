/** Opens the files of the next kernel, to be sent to the agent, which judges and copies them. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_NONBLOCK, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { open } from "../../ffi/file.ts";
import { check, LuoError } from "../error.ts";
import { HostFd } from "./host_fd.ts";
import { SealedCopy } from "./sealed_copy.ts";

/** @throws LuoError `read` */
export function openImage(path: string): HostFd {
  // Non-blocking: opening a FIFO would wait for its writer.
  const flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  const fd = open(path, flags);
  if (fd === -Errno.ENXIO) {
    const why = "it is a socket, or a device that is not there";
    throw new LuoError("read", `"${path}"`, Errno.ENXIO, `Cannot read "${path}": ${why}`);
  }
  return new HostFd(check(fd, "read", `"${path}"`));
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
