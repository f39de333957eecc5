/** Files of the system that luo cannot do without: where one is missing, the error names it and not another file. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_PATH, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { open } from "../../ffi/file.ts";
import { FileProblem } from "./file_problem.ts";
import { HostFd } from "./host_fd.ts";

/**
 * The caller calls this when a call that goes through `path` in /proc answered -ENOENT.
 *
 * @throws FileProblem `system-file` when /proc is not mounted
 */
export function checkProc(path: string): void {
  if (isMissing("/proc/self", O_PATH)) throw new FileProblem("system-file", { path });
}

/** Programs that luo starts have /dev/null as standard input. @throws FileProblem `system-file` when there is none */
export function checkDevNull(): void {
  if (isMissing("/dev/null", O_RDONLY)) throw new FileProblem("system-file", { path: "/dev/null" });
}

function isMissing(path: string, flags: number): boolean {
  const number = open(path, flags | O_CLOEXEC);
  if (number < 0) return number === -Errno.ENOENT;
  new HostFd(number)[Symbol.dispose]();
  return false;
}
