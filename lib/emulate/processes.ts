/** The processes of an emulated machine: everything below this one. */
import { O_CLOEXEC, O_DIRECTORY } from "../../ffi/abi/fcntl.ts";
import { close, open } from "../../ffi/file.ts";
import { kill } from "../../ffi/process.ts";
import { directory_names } from "../../ffi/directory.ts";
import { wait_status } from "../../ffi/seccomp.ts";
import { readText } from "./caller.ts";

const SIGKILL = 9;
const ROUNDS = 1000;

function parents(): Map<number, number> {
  const fd = open("/proc", O_CLOEXEC | O_DIRECTORY);
  const found = new Map<number, number>();
  for (const name of directory_names(fd)) {
    if (!/^\d+$/.test(name)) continue;
    // "pid (name) state ppid": the name may hold anything, parentheses too.
    const stat = readText(`/proc/${name}/stat`);
    const parent = /^ \S (\d+)/.exec(stat.slice(stat.lastIndexOf(")") + 1))?.[1];
    if (parent !== undefined) found.set(Number(name), Number(parent));
  }
  close(fd);
  return found;
}

function descendants(of: number): number[] {
  const all = [...parents()];
  const found = [of];
  for (const parent of found) {
    for (const [pid, its] of all) if (its === parent && !found.includes(pid)) found.push(pid);
  }
  return found.slice(1);
}

/** Kills and reaps all descendants. Again and again: one may fork while the list is read. */
export function killAll(own_pid: number): void {
  for (let round = 0; round < ROUNDS; round++) {
    const pids = descendants(own_pid);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid, SIGKILL);
    while (wait_status(-1) !== undefined);
  }
}
