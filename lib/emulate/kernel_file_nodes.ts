/** The files of /proc and /sys that are the model's, with the modes and owners that programs gave them in this boot. */
import { S_IFDIR, S_IFMT } from "../../ffi/abi/fcntl.ts";
import { stat } from "../../ffi/file.ts";
import { getpid } from "../../ffi/process.ts";
import type { SystemCalls } from "../system_calls.ts";
import { CAP_FOWNER, Credentials, W_OK } from "./credentials.ts";
import { now } from "./device_nodes.ts";
import { inModel, kernelFileMode, kernelFileSize, kernelLink, type System } from "./kernel_files.ts";
import { type FileLook, type FileTimes, KERNEL_FILE, timesOf } from "./stat_structs.ts";

const [S_IFLNK, DAC_OVERRIDE, DAC_READ_SEARCH] = [0o120000, 1, 2];

/** A file, a directory or a link that the model's kernel has. The host's kernel may have one there as well. */
export interface KernelFileNode {
  readonly path: string;
  readonly system: System;
  /** S_IFREG, S_IFDIR or S_IFLNK. */
  readonly type: number;
  /** The text of a link. */
  readonly link?: string;
  readonly ino: bigint;
  size: () => bigint;
  mode: number;
  uid: number;
  gid: number;
  readonly times: FileTimes;
  readonly xattrs: Map<string, Uint8Array<ArrayBuffer>>;
}

export class KernelFileNodes {
  readonly #nodes = new Map<string, KernelFileNode>();

  constructor(readonly sys: SystemCalls) {}

  /** Undefined: the model's kernel does not have the file. */
  find(path: string): KernelFileNode | undefined {
    const mode = kernelFileMode(this.sys, path);
    if (mode === undefined) return undefined;
    const link = kernelLink(path);
    const name = link === undefined ? inModel(path) : `link ${path}`;
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const directory = (mode & S_IFMT) === S_IFDIR;
    const node: KernelFileNode = {
      path,
      system: systemOf(path),
      type: link === undefined ? mode & S_IFMT : S_IFLNK,
      link,
      ino: KERNEL_FILE.ino + BigInt(this.#nodes.size),
      size: () => link === undefined ? kernelFileSize(this.sys, path, directory) : BigInt(link.length),
      mode: link === undefined ? mode & 0o7777 : 0o777,
      uid: 0,
      gid: 0,
      times: timesOf(now()),
      xattrs: new Map(),
    };
    this.#nodes.set(name, node);
    return node;
  }
}

export function lookOfKernelFile(
  { system, type, size, mode, uid, gid, ino, times }: KernelFileNode,
): FileLook {
  const proc = system === "proc" || system === "sysctl";
  const top = stat(proc ? "/proc" : "/sys");
  const dev = typeof top === "number" ? KERNEL_FILE.dev : top.dev;
  const nlink = type === S_IFDIR ? 2 : 1;
  // fs/proc/inode.c: blocks of 1 KiB.
  const blockSize = proc ? 1024n : 4096n;
  return { mode: type | mode, dev, ino, device: false, uid, gid, nlink, size: size(), times, blockSize };
}

/** A file of the host whose content luo gives, such as /proc/PID/status: the host knows the rest. Its attributes stay as they are. */
export function fileNodeOf(path: string): KernelFileNode | undefined {
  const found = stat(path);
  if (typeof found === "number") return undefined;
  const { mode, uid, ino, size } = found;
  const pid = /^\/proc\/(\d+)\//.exec(path)?.[1] ?? String(getpid());
  const { gid } = new Credentials(Number(pid), true);
  return {
    path,
    system: "sysctl",
    type: mode & S_IFMT,
    ino,
    size: () => size,
    mode: mode & 0o7777,
    uid,
    gid,
    times: timesOf(now()),
    xattrs: new Map(),
  };
}

/** `path`: in /proc or /sys. */
export function systemOf(path: string): System {
  if (path.startsWith("/proc/sys/")) return "sysctl";
  if (path.startsWith("/proc/")) return "proc";
  return path.startsWith("/sys/kernel/debug/") ? "debugfs" : "sysfs";
}

/** /sys/kernel/debug is root's (fs/debugfs/inode.c: DEBUGFS_DEFAULT_MODE 0700). */
export function isReachable(path: string, credentials: Credentials): boolean {
  return systemOf(path) !== "debugfs" || credentials.uid === 0 || credentials.has(DAC_OVERRIDE) ||
    credentials.has(DAC_READ_SEARCH);
}

/** fs/proc/proc_sysctl.c: proc_sys_permission() knows no capability. */
export function mayUse(
  node: KernelFileNode,
  wanted: number,
  credentials: Credentials,
  real = false,
): boolean {
  if (!isReachable(node.path, credentials)) return false;
  const { mode, uid, gid, type, system } = node;
  if (system === "sysctl" && wanted & W_OK && (mode & 0o200) === 0) return false;
  const directory = type === S_IFDIR ? 0o111 : 0;
  return credentials.may({ mode: mode | (wanted & 1 ? directory : 0), uid, gid }, wanted, real);
}

/** truncate(2): only debugfs keeps the size (fs/libfs.c: simple_setattr). */
export function resized(node: KernelFileNode, size: bigint): void {
  if (node.system === "debugfs") node.size = () => size;
  node.times.mtime = node.times.ctime = now();
}

export function ownsFile({ uid }: KernelFileNode, credentials: Credentials): boolean {
  return credentials.uid === uid || credentials.has(CAP_FOWNER);
}
