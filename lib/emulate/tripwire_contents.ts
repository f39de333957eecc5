/**
 * Files for opens of tripwires that the guard cannot have made again: another program (gdb, strace) traces the process. It reads the
 * model's content through the file system of the tripwires.
 */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_RDONLY, S_IFREG } from "../../ffi/abi/fcntl.ts";
import { open } from "../../ffi/file.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import type { Subjects } from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import { openKernelFile, whyNotOpened } from "./kernel_file_open.ts";
import { isNextKernelFile } from "./next_kernel_files.ts";

export class TripwireContents {
  /** `names` has the names with tripwires, in the order of their numbers. */
  constructor(
    readonly sys: SystemCalls,
    readonly program: CallingProgram,
    readonly subjects: Subjects,
    readonly names: readonly string[],
  ) {}

  /** The file that a read-only open of this tripwire gives; the caller closes it. EACCES for the device, which is no content. */
  open(tid: number, index: number): Ret {
    const path = this.names[index] ?? "";
    const [, pid, fd] = /^\/proc\/(\d+)\/fd\/(\d+)$/.exec(path) ?? [];
    if (isNextKernelFile({ pid: Number(pid), fd: Number(fd) })) {
      return open(`/proc/self/fd/${fd}`, O_RDONLY | O_CLOEXEC);
    }
    const subject = this.subjects.at({ is: "file", path: `/proc/${tid}/root${path}`, inside: path });
    if (subject?.is !== "kernel") return -Errno.EACCES;
    const refused = whyNotOpened(subject, O_RDONLY, this.program.credentials(tid));
    if (refused !== undefined) return -refused;
    if (subject.file?.type !== S_IFREG) return -Errno.EACCES;
    return openKernelFile(this.sys, subject.file, O_RDONLY, path);
  }
}
