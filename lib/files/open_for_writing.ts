/** Whether a process has a file open for writing, which kexec_file_load(2) refuses with ETXTBSY (deny_write_access). */
import { Errno } from "../../ffi/abi/errno.ts";
import { F_RDLCK, F_SETLEASE, F_SETSIG, F_UNLCK } from "../../ffi/abi/fcntl.ts";
import { fcntl } from "../../ffi/file.ts";

const SIGURG = 23;

/**
 * Asks for a read lease, which the kernel refuses for the same reason. False also where a lease tells nothing: on file systems without
 * leases, and for the files of other users without CAP_LEASE.
 */
export function isOpenForWriting(fd: number): boolean {
  // A writer who comes while the lease is held would send SIGIO, which ends a process. SIGURG is ignored.
  if (fcntl(fd, F_SETSIG, SIGURG) < 0) return false;
  const answer = fcntl(fd, F_SETLEASE, F_RDLCK);
  if (answer >= 0) fcntl(fd, F_SETLEASE, F_UNLCK);
  fcntl(fd, F_SETSIG, 0);
  return answer === -Errno.EAGAIN;
}
