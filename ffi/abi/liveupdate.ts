/**
 * The ioctls of `/dev/liveupdate` and of its sessions (`include/uapi/linux/liveupdate.h`, Linux 7.3): numbers, sizes, codecs.
 * All structs are little endian, the byte order of both architectures. Pure data.
 */
import { writeAscii } from "./os_text.ts";

/** The second byte of the numbers of all ioctls of LUO. */
export const LIVEUPDATE_IOCTL_TYPE = 0xba;
/** The path of the device. */
export const LIVEUPDATE_DEVICE = "/dev/liveupdate";
/** Bytes of the name field, the terminating NUL included. */
export const LIVEUPDATE_SESSION_NAME_LENGTH = 64;

/** ioctl of the device: creates an outgoing session. */
export const LIVEUPDATE_IOCTL_CREATE_SESSION = 0xba00;
/** ioctl of the device: retrieves a session that the previous kernel handed over. */
export const LIVEUPDATE_IOCTL_RETRIEVE_SESSION = 0xba01;
/** ioctl of an outgoing session: preserves a file. */
export const LIVEUPDATE_SESSION_PRESERVE_FD = 0xba40;
/** ioctl of an incoming session: restores a file. */
export const LIVEUPDATE_SESSION_RETRIEVE_FD = 0xba41;
/** ioctl of an incoming session: lets go of its files. */
export const LIVEUPDATE_SESSION_FINISH = 0xba42;
/** ioctl of a session: its name. Linux 6.19 does not know it. */
export const LIVEUPDATE_SESSION_GET_NAME = 0xba43;

/**
 * Sizes in bytes. The kernel takes no smaller struct.
 *
 * | struct | layout |
 * |---|---|
 * | session (create, retrieve) | u32 size @0; s32 fd @4 (out); u8 name[64] @8 |
 * | fd (preserve, retrieve) | u32 size @0; s32 fd @4; u64 token @8 |
 * | finish | u32 size @0; u32 reserved @4 |
 * | get_name | u32 size @0; u32 reserved @4; u8 name[64] @8 (out) |
 */
export const SESSION_STRUCT_SIZE = 72;
/** Bytes of the struct of PRESERVE_FD and RETRIEVE_FD. */
export const FD_STRUCT_SIZE = 16;
/** Bytes of the struct of FINISH. */
export const FINISH_STRUCT_SIZE = 8;
/** Bytes of the struct of GET_NAME. */
export const GET_NAME_STRUCT_SIZE = 72;

function struct(size: number, bytes = new Uint8Array(size)): Uint8Array<ArrayBuffer> {
  set_u32(bytes, 0, size);
  set_u32(bytes, 4, 0);
  return bytes;
}

function set_u32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/**
 * The argument of CREATE_SESSION and RETRIEVE_SESSION, with the first 64 bytes of the name. The name is not checked here: the
 * kernel takes 1 to 63 bytes. `into`: memory of the struct's size that is overwritten; without it, the memory is new.
 */
export function encodeSession(
  name: string | Uint8Array,
  into?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const bytes = struct(SESSION_STRUCT_SIZE, into);
  set_u32(bytes, 4, -1);
  const end = typeof name === "string" ? writeAscii(name, bytes, 8) : 0;
  bytes.fill(0, end || 8);
  if (end > 0) return bytes;
  // A name that does not fit is cut within a character, as C would cut it.
  const raw = typeof name === "string" ? new TextEncoder().encode(name) : name;
  bytes.set(raw.subarray(0, LIVEUPDATE_SESSION_NAME_LENGTH), 8);
  return bytes;
}

/** The argument of SESSION_PRESERVE_FD, and without `fd` the argument of SESSION_RETRIEVE_FD. */
export function encodeFd(token: bigint, fd = -1): Uint8Array<ArrayBuffer> {
  const bytes = struct(FD_STRUCT_SIZE);
  set_u32(bytes, 4, fd);
  set_u32(bytes, 8, Number(BigInt.asUintN(32, token)));
  set_u32(bytes, 12, Number(BigInt.asUintN(32, token >> 32n)));
  return bytes;
}

/** The argument of SESSION_FINISH. */
export function encodeFinish(): Uint8Array<ArrayBuffer> {
  return struct(FINISH_STRUCT_SIZE);
}

/** The argument of SESSION_GET_NAME. */
export function encodeGetName(): Uint8Array<ArrayBuffer> {
  return struct(GET_NAME_STRUCT_SIZE);
}

/** The fd that the kernel wrote into the argument of CREATE_SESSION, RETRIEVE_SESSION or SESSION_RETRIEVE_FD. */
export function decodeFd(bytes: Uint8Array): number {
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0] = [bytes[4], bytes[5], bytes[6], bytes[7]];
  return b0 | b1 << 8 | b2 << 16 | b3 << 24;
}

/** The name in a session or get_name struct: the bytes up to the first NUL. Names may be any bytes, not only UTF-8. */
export function decodeName(bytes: Uint8Array): Uint8Array {
  const field = bytes.subarray(8, 8 + LIVEUPDATE_SESSION_NAME_LENGTH);
  const end = field.indexOf(0);
  return field.slice(0, end < 0 ? field.length : end);
}
