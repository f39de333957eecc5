/** The answers of stat(2), statx(2) and statfs(2) for the device and for a session fd, as the kernel's structs. */
import { S_IFCHR, S_IFREG } from "../../ffi/abi/fcntl.ts";
import {
  DEBUGFS_MAGIC,
  major,
  minor,
  PROC_SUPER_MAGIC,
  STATFS_SIZE,
  STATX_BASIC_STATS,
  STATX_SIZE,
  SYSFS_MAGIC,
  TMPFS_MAGIC,
} from "../../ffi/abi/stat.ts";
import type { Node } from "./device_nodes.ts";

/** misc devices have major 10; Linux chooses the minor dynamically. */
const [MAJOR, MINOR] = [10, 261];
/** `dev_t` of small numbers, as stat(2) and mknod(2) have it. */
export const DEVICE_NUMBER = BigInt((MINOR & 0xff) | (MAJOR << 8) | ((MINOR & ~0xff) << 12));
/** linux/stat.h: STATX_BTIME is known of files in tmpfs, STATX_MNT_ID of all files. */
const [STATX_BTIME, STATX_MNT_ID, STATX_MNT_ID_UNIQUE] = [0x800, 0x1000, 0x4000];
const ANON_INODE_FS_MAGIC = 0x09041934;
/** linux/statfs.h: ST_VALID, ST_NOATIME (anonymous inodes: ST_VALID), ST_RELATIME. */
const [RELATIME, VALID] = [0x1020, 0x20];
/** Where a file of the machine is: the type of the file system, and the flags of its mount. */
const FILE_SYSTEMS = {
  device: [TMPFS_MAGIC, RELATIME],
  session: [ANON_INODE_FS_MAGIC, VALID],
  proc: [PROC_SUPER_MAGIC, RELATIME],
  sysctl: [PROC_SUPER_MAGIC, RELATIME],
  sysfs: [SYSFS_MAGIC, RELATIME],
  debugfs: [DEBUGFS_MAGIC, RELATIME],
} as const;

/** Nanoseconds since 1970. */
export interface FileTimes {
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
  readonly btime: bigint;
}

export function timesOf(now: bigint): FileTimes {
  return { atime: now, mtime: now, ctime: now, btime: now };
}

export interface FileLook {
  readonly mode: number;
  /** The file system. */
  readonly dev: bigint;
  readonly ino: bigint;
  readonly device: boolean;
  /** The device's number; that of /dev/liveupdate unless stated. */
  readonly number?: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly size: bigint;
  readonly times?: FileTimes;
  readonly anonymous?: true;
  /** The number of the mount. */
  readonly mount?: bigint;
  /** 4096 unless stated. */
  readonly blockSize?: bigint;
}

/** All sessions are one inode: that of every anonymous file, of which the host has one as well. */
export const SESSION: FileLook = {
  anonymous: true,
  mode: 0o600,
  dev: 14n,
  ino: 1057n,
  device: false,
  uid: 0,
  gid: 0,
  nlink: 1,
  size: 0n,
};

/** A file of /proc or /sys; the mode is the model's. */
export const KERNEL_FILE: FileLook = {
  mode: 0o444,
  dev: 21n,
  ino: 4026533000n,
  device: false,
  uid: 0,
  gid: 0,
  nlink: 1,
  size: 0n,
};

/** `dev`: the file system of the directory. `size`: of a file that stands in the device's place. */
export function lookOf(node: Node, dev: bigint, size = 0n, mount?: bigint): FileLook {
  const { ino, mode, uid, gid, nlink, kind, times } = node;
  const device = kind === "device";
  const type = device ? S_IFCHR : S_IFREG;
  return { mode: type | mode, dev, ino, device, uid, gid, nlink, size, times, mount };
}

/** struct stat of this architecture. */
export function encodeStat(look: FileLook): Uint8Array {
  return Deno.build.arch === "aarch64" ? encodeStatAarch64(look) : encodeStatX86(look);
}

/** 128 bytes: dev u64@0, ino u64@8, mode u32@16, nlink u32@20, uid u32@24, gid u32@28, rdev u64@32, size i64@48, blksize i32@56. */
export function encodeStatAarch64(
  { mode, dev, ino, device, number = DEVICE_NUMBER, uid, gid, nlink, size, times, blockSize = 4096n }:
    FileLook,
): Uint8Array {
  const bytes = new Uint8Array(128);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, dev, true);
  view.setBigUint64(8, ino, true);
  view.setUint32(16, mode, true);
  view.setUint32(20, nlink, true);
  view.setUint32(24, uid, true);
  view.setUint32(28, gid, true);
  if (device) view.setBigUint64(32, number, true);
  view.setBigUint64(48, size, true);
  view.setInt32(56, Number(blockSize), true);
  setTimes(view, times);
  return bytes;
}

/** 144 bytes: dev u64@0, ino u64@8, nlink u64@16, mode u32@24, uid u32@28, gid u32@32, rdev u64@40, size i64@48, blksize i64@56. */
export function encodeStatX86(
  { mode, dev, ino, device, number = DEVICE_NUMBER, uid, gid, nlink, size, times, blockSize = 4096n }:
    FileLook,
): Uint8Array {
  const bytes = new Uint8Array(144);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, dev, true);
  view.setBigUint64(8, ino, true);
  view.setBigUint64(16, BigInt(nlink), true);
  view.setUint32(24, mode, true);
  view.setUint32(28, uid, true);
  view.setUint32(32, gid, true);
  if (device) view.setBigUint64(40, number, true);
  view.setBigUint64(48, size, true);
  view.setBigUint64(56, blockSize, true);
  setTimes(view, times);
  return bytes;
}

/** atime @72, mtime @88, ctime @104, on both: seconds i64, nanoseconds u64. */
function setTimes(view: DataView, times = timesOf(0n)): void {
  for (const [index, time] of [times.atime, times.mtime, times.ctime].entries()) {
    view.setBigInt64(72 + 16 * index, seconds(time), true);
    view.setBigUint64(80 + 16 * index, nanoseconds(time), true);
  }
}

const SECOND = 1_000_000_000n;

function seconds(time: bigint): bigint {
  return (time - nanoseconds(time)) / SECOND;
}

function nanoseconds(time: bigint): bigint {
  return ((time % SECOND) + SECOND) % SECOND;
}

/**
 * struct statx: mask u32@0, blksize u32@4, nlink u32@16, uid u32@20, gid u32@24, mode u16@28, ino u64@32, size u64@40,
 * attributes_mask u64@56, atime, btime, ctime and mtime i64@64, 80, 96 and 112 with nanoseconds u32 after each, rdev u32@128 and 132, dev u32@136 and 140, mnt_id u64@144.
 */
export function encodeStatx(look: FileLook, asked: number): Uint8Array {
  const { mode, dev, ino, device, uid, gid, nlink, size, times = timesOf(0n), anonymous, blockSize } = look;
  const bytes = new Uint8Array(STATX_SIZE);
  const view = new DataView(bytes.buffer);
  const named = anonymous === undefined;
  const mount = asked & STATX_MNT_ID_UNIQUE ? STATX_MNT_ID_UNIQUE : STATX_MNT_ID;
  view.setUint32(0, STATX_BASIC_STATS | mount | (named ? asked & STATX_BTIME : 0), true);
  view.setUint32(4, Number(blockSize ?? 4096n), true);
  view.setUint32(16, nlink, true);
  view.setUint32(20, uid, true);
  view.setUint32(24, gid, true);
  view.setUint16(28, mode, true);
  view.setBigUint64(32, ino, true);
  view.setBigUint64(40, size, true);
  view.setBigUint64(56, named ? 0x303070n : 0x303000n, true);
  const number = look.number ?? DEVICE_NUMBER;
  if (device) view.setUint32(128, major(number), true);
  if (device) view.setUint32(132, minor(number), true);
  view.setUint32(136, major(dev), true);
  view.setUint32(140, minor(dev), true);
  for (
    const [index, time] of [
      times.atime,
      named && asked & STATX_BTIME ? times.btime : 0n,
      times.ctime,
      times.mtime,
    ].entries()
  ) {
    view.setBigInt64(64 + 16 * index, seconds(time), true);
    view.setUint32(72 + 16 * index, Number(nanoseconds(time)), true);
  }
  view.setBigUint64(144, look.mount ?? (named ? 2n : 14n), true);
  return bytes;
}

/** struct statfs, the same on both: type i64@0, bsize i64@8, namelen i64@64, frsize i64@72, flags i64@80. */
export function encodeStatfs(system: keyof typeof FILE_SYSTEMS): Uint8Array {
  const bytes = new Uint8Array(STATFS_SIZE);
  const view = new DataView(bytes.buffer);
  const [type, flags] = FILE_SYSTEMS[system];
  view.setBigUint64(0, BigInt(type), true);
  view.setBigUint64(8, 4096n, true);
  view.setBigUint64(64, 255n, true);
  view.setBigUint64(72, 4096n, true);
  view.setBigUint64(80, BigInt(flags), true);
  return bytes;
}
