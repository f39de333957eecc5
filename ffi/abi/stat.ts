/** statx, statfs and uname (`include/uapi/linux/stat.h`, `linux/magic.h`, `linux/utsname.h`): numbers and codecs. Pure data. */
import { encodeOsText } from "./os_text.ts";
import type { Stat, Utsname } from "./values.ts";

/** luo calls statx because `struct statx`, unlike `struct stat`, is the same on every architecture. */
export const STATX_SIZE = 256;
export const STATX_BASIC_STATS = 0x7ff;
export const AT_FDCWD = -100;
export const AT_EMPTY_PATH = 0x1000;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_SYMLINK_NOFOLLOW = 0x100;

/** Values of `f_type` of fstatfs(2). */
export const TMPFS_MAGIC = 0x01021994;
export const HUGETLBFS_MAGIC = 0x958458f6;
export const RAMFS_MAGIC = 0x858458f6;
export const FUSE_SUPER_MAGIC = 0x65735546;
export const PROC_SUPER_MAGIC = 0x9fa0;
export const DEBUGFS_MAGIC = 0x64626720;
export const SYSFS_MAGIC = 0x62656572;
export const CONFIGFS_MAGIC = 0x62656570;
/** Bytes of `struct statfs` on 64-bit architectures; `f_type` is its first word. */
export const STATFS_SIZE = 120;

/** Bytes of one of the six fields of `struct new_utsname`. */
export const UTSNAME_FIELD_SIZE = 65;

/** `makedev(3)` of glibc, so that the number is the one `stat -c %d` prints. */
export function makedev(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) |
    (low & 0xffn);
}

export function major(dev: bigint): number {
  return Number(((dev >> 32n) & 0xfffff000n) | ((dev >> 8n) & 0xfffn));
}

export function minor(dev: bigint): number {
  return Number(((dev >> 12n) & 0xffffff00n) | (dev & 0xffn));
}

/** `struct statx`: nlink @16; uid @20; mode u16 @28; ino @32; size @40; blocks @48; dev_major @136; dev_minor @140. */
export function decodeStatx(bytes: Uint8Array<ArrayBuffer>): Stat {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    dev: makedev(view.getUint32(136, true), view.getUint32(140, true)),
    ino: view.getBigUint64(32, true),
    mode: view.getUint16(28, true),
    nlink: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    size: view.getBigUint64(40, true),
    blocks: view.getBigUint64(48, true),
  };
}

/** The mode and the owner of a file: gid @24. */
export function decodeOwner(bytes: Uint8Array<ArrayBuffer>): Owner {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    mode: view.getUint16(28, true),
    nlink: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
  };
}

export interface Owner {
  readonly mode: number;
  /** 0: the file is removed. */
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
}

/** `stx_mtime`: seconds s64 @112, nanoseconds u32 @120. In nanoseconds. */
export function decodeModified(bytes: Uint8Array<ArrayBuffer>): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getBigInt64(112, true) * 1_000_000_000n + BigInt(view.getUint32(120, true));
}

export function decodeUtsname(bytes: Uint8Array<ArrayBuffer>): Utsname {
  const field = (index: number) => {
    const raw = bytes.subarray(index * UTSNAME_FIELD_SIZE, (index + 1) * UTSNAME_FIELD_SIZE);
    return new TextDecoder().decode(raw.subarray(0, raw.indexOf(0)));
  };
  return { sysname: field(0), nodename: field(1), release: field(2), version: field(3), machine: field(4) };
}

/** The sixth field is the domain name of NIS. */
export function encodeUtsname(
  { sysname, nodename, release, version, machine }: Utsname,
  domainname = "(none)",
): Uint8Array {
  const bytes = new Uint8Array(6 * UTSNAME_FIELD_SIZE);
  for (const [index, field] of [sysname, nodename, release, version, machine, domainname].entries()) {
    bytes.set(
      encodeOsText(field).subarray(0, UTSNAME_FIELD_SIZE - 1),
      index * UTSNAME_FIELD_SIZE,
    );
  }
  return bytes;
}
