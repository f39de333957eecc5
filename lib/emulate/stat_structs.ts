/** The answers of stat(2), fstat(2) and statx(2) for the device and for a session fd, as the kernel's structs. */

const S_IFCHR = 0o020000;
/** misc devices have major 10; Linux chooses the minor dynamically. */
const [MAJOR, MINOR] = [10, 261];
const STATX_BASIC_STATS = 0x7ff;

export interface FileLook {
  readonly mode: number;
  readonly ino: bigint;
  readonly device: boolean;
}

export const DEVICE: FileLook = { mode: S_IFCHR | 0o600, ino: 261n, device: true };
export const SESSION: FileLook = { mode: 0o600, ino: 1057n, device: false };

/** makedev() of small numbers */
const RDEV = BigInt((MINOR & 0xff) | (MAJOR << 8) | ((MINOR & ~0xff) << 12));

/** struct stat of this architecture. */
export function encodeStat(look: FileLook): Uint8Array {
  return Deno.build.arch === "aarch64" ? encodeStatAarch64(look) : encodeStatX86(look);
}

/** 128 bytes: dev u64@0, ino u64@8, mode u32@16, nlink u32@20, rdev u64@32, blksize i32@56. */
export function encodeStatAarch64({ mode, ino, device }: FileLook): Uint8Array {
  const bytes = new Uint8Array(128);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, 5n, true);
  view.setBigUint64(8, ino, true);
  view.setUint32(16, mode, true);
  view.setUint32(20, 1, true);
  if (device) view.setBigUint64(32, RDEV, true);
  view.setInt32(56, 4096, true);
  return bytes;
}

/** 144 bytes: dev u64@0, ino u64@8, nlink u64@16, mode u32@24, rdev u64@40, blksize i64@56. */
export function encodeStatX86({ mode, ino, device }: FileLook): Uint8Array {
  const bytes = new Uint8Array(144);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, 5n, true);
  view.setBigUint64(8, ino, true);
  view.setBigUint64(16, 1n, true);
  view.setUint32(24, mode, true);
  if (device) view.setBigUint64(40, RDEV, true);
  view.setBigUint64(56, 4096n, true);
  return bytes;
}

/**
 * struct statx, 256 bytes: mask u32@0, blksize u32@4, nlink u32@16, mode u16@28, ino u64@32, rdev u32@128, u32@132,
 * dev u32@136.
 */
export function encodeStatx({ mode, ino, device }: FileLook): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, STATX_BASIC_STATS, true);
  view.setUint32(4, 4096, true);
  view.setUint32(16, 1, true);
  view.setUint16(28, mode, true);
  view.setBigUint64(32, ino, true);
  if (device) view.setUint32(128, MAJOR, true);
  if (device) view.setUint32(132, MINOR, true);
  view.setUint32(140, 5, true);
  return bytes;
}
