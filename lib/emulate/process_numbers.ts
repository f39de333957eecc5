/** The numbers of processes and threads, as luo and as a program in a pid namespace of its own have them. */
import { readlink } from "../../ffi/file.ts";
import { list_directory, read_text } from "../../ffi/proc.ts";

/** The number in the innermost pid namespace. */
export function innerPid(tid: number): number {
  return Number(/^NSpid:.*\t(\d+)$/m.exec(read_text(`/proc/${tid}/status`) ?? "")?.[1] ?? tid);
}

/** The thread that has this number in the pid namespace of `tid`. */
export function hostPid(pid: number, tid: number): number | undefined {
  const namespace = readlink(`/proc/${tid}/ns/pid`);
  for (const name of list_directory("/proc")) {
    if (!/^\d+$/.test(name) || readlink(`/proc/${name}/ns/pid`) !== namespace) continue;
    const threads = list_directory(`/proc/${name}/task`);
    const found = threads.find((thread) => innerPid(Number(thread)) === pid);
    if (found !== undefined) return Number(found);
  }
}

/** The process of a thread. Its first thread may have ended, or have another table of fds. */
export function leader(tid: number): number {
  return Number(/^Tgid:\t(\d+)$/m.exec(read_text(`/proc/${tid}/status`) ?? "")?.[1] ?? tid);
}
