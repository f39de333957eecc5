/** Whether the terminal sends its signals (Ctrl-C) to this process. */
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { open, read } from "../../ffi/file.ts";
import { HostFd } from "./host_fd.ts";

/** True when this process is in the foreground process group of a terminal; its children are too, unless they left the group. */
export function inForeground(): boolean {
  const number = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (number < 0) return false;
  using fd = new HostFd(number);
  const buffer = new Uint8Array(1024);
  const bytes = read(fd.number, buffer);
  return bytes > 0 && isForeground(new TextDecoder().decode(buffer.subarray(0, bytes)));
}

/** proc_pid_stat(5): after the name in parentheses come state, ppid, pgrp, session, tty_nr, tpgid. */
export function isForeground(stat: string): boolean {
  const [, , pgrp, , tty, foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return tty !== "0" && pgrp !== undefined && pgrp === foreground;
}
