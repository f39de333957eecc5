/** Opens a kernel or an initramfs that kexec shall load. */
import { O_CLOEXEC, O_NONBLOCK, O_RDONLY, S_IFMT, S_IFREG } from "../../ffi/abi/fcntl.ts";
import { fstat, open } from "../../ffi/file.ts";
import { check } from "../error.ts";
import type { Stat } from "../system_calls.ts";
import { HostFd } from "./host_fd.ts";
import { FileProblem } from "./file_problem.ts";

/**
 * kexec_file_load(2) takes regular files only.
 *
 * @throws LuoError `read`; FileProblem `image-kind`
 */
export function openImage(path: string): HostFd {
  const name = JSON.stringify(path);
  const fd = new HostFd(check(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), "read", name));
  if ((check<Stat>(fstat(fd.number), "read", name).mode & S_IFMT) === S_IFREG) return fd;
  fd[Symbol.dispose]();
  throw new FileProblem("image-kind", { path });
}
