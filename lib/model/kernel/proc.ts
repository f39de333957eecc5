/** The files of /proc, /sys and /dev that live update needs; each read gives their present contents. */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import { encodeOsText } from "../../../ffi/abi/os_text.ts";
import type { Ret } from "../../system_calls.ts";
import { kernel_config } from "../ground/kernel_config.ts";
import { read_debugfs } from "./debugfs.ts";
import { type FileOperations, opened_flags, OpenFile, stat } from "../fs/file.ts";
import { generic_lseek } from "../fs/read_write.ts";
import type { System } from "./system.ts";

interface Entry {
  readonly mode: number;
  /** False: this kernel does not have the file. */
  readonly present?: (system: System) => boolean;
  readonly read: (system: System) => string | Uint8Array;
  /** A sysctl of one int, or a file of sysfs. Returns the bytes that were taken, or -errno. */
  readonly write?: (system: System, bytes: Uint8Array) => Ret;
}

const entries = new Map<string, Entry>([
  ["/proc/cmdline", { mode: 0o444, read: (system) => `${system.command_line}\n` }],
  ["/proc/config.gz", { mode: 0o444, read: ({ speaks }) => kernel_config(speaks !== undefined) }],
  ["/proc/meminfo", { mode: 0o444, read: meminfo }],
  ["/proc/sys/kernel/random/boot_id", { mode: 0o444, read: (system) => `${system.boot_id}\n` }],
  ["/proc/sys/kernel/osrelease", { mode: 0o444, read: (system) => `${system.release}\n` }],
  ["/proc/version", { mode: 0o444, read: (system) => `Linux version ${system.release} (model)\n` }],
  ["/proc/sys/kernel/kexec_load_disabled", {
    mode: 0o644,
    read: ({ kexec }) => `${Number(kexec.disabled)}\n`,
    write: ({ kexec }, bytes) => kexec.disable(bytes),
  }],
  ["/proc/sys/kernel/kexec_load_limit_reboot", {
    mode: 0o644,
    read: ({ kexec }) => `${kexec.left.reboot}\n`,
    write: ({ kexec }, bytes) => kexec.limit("reboot", bytes),
  }],
  ["/proc/sys/kernel/kexec_load_limit_panic", {
    mode: 0o644,
    read: ({ kexec }) => `${kexec.left.panic}\n`,
    write: ({ kexec }, bytes) => kexec.limit("panic", bytes),
  }],
  // misc_register() of kernel/liveupdate/luo_core.c: a dynamic minor, from 261 down to 256 (drivers/char/misc.c).
  ["/proc/misc", { mode: 0o444, read: (system) => hasDevice(system) ? "261 liveupdate\n" : "" }],
  ["/sys/class/misc/liveupdate/dev", { mode: 0o444, present: hasDevice, read: () => "10:261\n" }],
  ["/sys/class/misc/liveupdate/uevent", {
    mode: 0o644,
    present: hasDevice,
    read: () => "MAJOR=10\nMINOR=261\nDEVNAME=liveupdate\n",
  }],
  ["/sys/kernel/kexec_loaded", { mode: 0o444, read: loaded }],
  ["/sys/kernel/kexec/loaded", { mode: 0o444, read: loaded }],
  ["/sys/kernel/kexec_crash_loaded", { mode: 0o444, read: ({ crash }) => `${Number(crash.loaded)}\n` }],
  ["/sys/kernel/kexec_crash_size", {
    mode: 0o644,
    read: ({ crash }) => `${crash.size_bytes}\n`,
    write: ({ crash }, bytes) => {
      if (bytes.length === 0) return 0;
      const answer = crash.shrink(new TextDecoder().decode(bytes));
      return answer < 0 ? answer : bytes.length;
    },
  }],
]);

function hasDevice(system: System): boolean {
  return system.luo !== undefined;
}

function loaded(system: System): string {
  return `${Number(system.image !== undefined)}\n`;
}

/** /proc/meminfo in kB, with the fields that a program checks before it preserves something large. */
function meminfo({ hardware: { ram } }: System): string {
  const kib = (frames: number) => `${String(frames * 4).padStart(8)} kB\n`;
  return `MemTotal:       ${kib(ram.frames)}MemFree:        ${kib(ram.free_frames)}` +
    `MemAvailable:   ${kib(ram.free_frames)}Shmem:          ${kib(ram.frames - ram.free_frames)}` +
    `SwapTotal:      ${kib(0)}SwapFree:       ${kib(0)}`;
}

/** A file of debugfs, which only root can read. */
function debugfs_entry(system: System, path: string): Entry | undefined {
  if (read_debugfs(system, path) === undefined) return undefined;
  return { mode: 0o400, read: (system) => read_debugfs(system, path) ?? "" };
}

/** Undefined when this file system has no such file. */
export function open_proc(
  system: System,
  path: string,
  flags: number,
  uid: number,
): OpenFile | number | undefined {
  const entry = entries.get(path) ?? debugfs_entry(system, path);
  if (entry === undefined || entry.present?.(system) === false) return undefined;
  if (flags & abi.O_DIRECTORY) return -Errno.ENOTDIR;
  if (entry.mode === 0o400 && uid !== 0) return -Errno.EACCES;
  if ((flags & abi.O_ACCMODE) !== abi.O_RDONLY && entry.write === undefined) return -Errno.EACCES;
  const is_sysctl = path.startsWith("/proc/sys/");
  const operations: FileOperations = {
    positioned: true,
    read(file, into, offset) {
      const found = entry.read(system);
      const text = typeof found === "string" ? encodeOsText(found) : found;
      const at = Number(offset ?? file.position);
      // A number is read whole or not at all.
      if (at > 0 && is_sysctl && entry.write !== undefined) return 0;
      const piece = text.subarray(at, at + into.length);
      into.set(piece);
      if (offset === undefined) file.position += BigInt(piece.length);
      return piece.length;
    },
    write(file, from, offset) {
      // sysctl_writes_strict is 1: what is not written at the start has no number for the kernel, but is taken.
      const at_start = !is_sysctl || (offset ?? file.position) === 0n;
      const taken = entry.write?.(system, at_start ? from : from.subarray(0, 0)) ?? from.length;
      const answer = at_start || taken < 0 ? taken : from.length;
      if (answer > 0 && offset === undefined) file.position += BigInt(answer);
      return answer;
    },
    lseek: (file, offset, whence) => generic_lseek(file, offset, whence, 0n),
    reopen: (_file, again) => open_proc(system, path, again, uid) ?? -Errno.ENOENT,
  };
  const inode = { stat: () => stat({ dev: 20n, ino: 1n, mode: abi.S_IFREG | entry.mode }) };
  return new OpenFile(inode, operations, opened_flags(flags), () => path);
}

const null_operations: FileOperations = {
  positioned: true,
  read: () => 0,
  write: (_file, from) => from.length,
  lseek: (file) => (file.position = 0n),
  reopen: (_file, flags) => open_null(flags),
};

/** /dev/null (drivers/char/mem.c). */
export function open_null(flags: number): OpenFile {
  return new OpenFile(null_inode, null_operations, opened_flags(flags), () => "/dev/null");
}

const null_inode = { stat: () => stat({ dev: 5n, ino: 4n, mode: abi.S_IFCHR | 0o666 }) };

/** /dev/kmsg: each read returns one line, from the oldest on. Each write adds a line to the console. */
export function open_kmsg(system: System, flags: number): OpenFile {
  let next = 0;
  const operations: FileOperations = {
    read(_file, into) {
      // kernel/printk/printk.c: devkmsg_read() says once that lines were lost.
      if (next < system.log_start) {
        next = system.log_start;
        return -Errno.EPIPE;
      }
      const line = system.log[next - system.log_start];
      if (line === undefined) return -Errno.EAGAIN;
      const text = new TextEncoder().encode(`6,${next},0,-;${line}\n`);
      if (text.length > into.length) return -Errno.EINVAL;
      next++;
      into.set(text);
      return text.length;
    },
    write(_file, from) {
      system.printk(new TextDecoder().decode(from).trimEnd());
      return from.length;
    },
    reopen: (_file, again) => open_kmsg(system, again),
  };
  const inode = { stat: () => stat({ dev: 5n, ino: 11n, mode: abi.S_IFCHR | 0o644 }) };
  return new OpenFile(inode, operations, opened_flags(flags), () => "/dev/kmsg");
}
