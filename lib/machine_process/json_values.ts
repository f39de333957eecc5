/** Arguments and answers of system calls as JSON, between client and machine. Bytes are base64, 64-bit numbers are text. */
import type { Received, Ret, Stat, UserMemory, UserPointer, Utsname } from "../system_calls.ts";
import { BadPacket } from "./packets.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The most bytes of one read, write or ioctl. A longer read or write is short, which Linux allows too. */
export const BYTES_MAX = 32 << 20;
const TEXT_MAX = 4096;
const FDS_MAX = 1024;

/** The version of the protocol. The machine refuses a client of another version. */
export const HELLO = "luo-machine-1";

export function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadPacket("A packet is no JSON");
  }
}

/** An `int` or `unsigned int`. */
export function int(value: Json | undefined): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32) {
    return value;
  }
  throw new BadPacket("A 32-bit number is expected");
}

/** A `long` or `unsigned long`. */
export function big(value: Json | undefined): bigint {
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) {
    const answer = BigInt(value);
    if (answer >= -(2n ** 63n) && answer < 2n ** 64n) return answer;
  }
  throw new BadPacket("A 64-bit number is expected");
}

export function text(value: Json | undefined): string {
  if (typeof value === "string" && value.length <= TEXT_MAX) return value;
  throw new BadPacket("A text is expected");
}

export function bytes(value: Json | undefined): Uint8Array {
  if (typeof value !== "string") throw new BadPacket("Bytes are expected");
  try {
    return Uint8Array.fromBase64(value);
  } catch {
    throw new BadPacket("Bytes are no base64");
  }
}

/** The length of a buffer that the call fills. */
export function length(value: Json | undefined): number {
  const answer = int(value);
  if (answer < 0 || answer > BYTES_MAX) throw new BadPacket("A buffer is too long");
  return answer;
}

export function ints(value: Json | undefined): number[] {
  if (!Array.isArray(value) || value.length > FDS_MAX) throw new BadPacket("A list of numbers is expected");
  return value.map(int);
}

function record(value: Json | undefined): { readonly [key: string]: Json } {
  if (typeof value === "object" && value !== null && !isList(value)) return value;
  throw new BadPacket("An object is expected");
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** A pointer: null, the base64 of plain memory, or `{bytes, writable}` for a `UserMemory`. */
export function fromPointer(pointer: UserPointer): Json {
  if (pointer === null) return null;
  if (pointer instanceof Uint8Array) return pointer.toBase64();
  return { bytes: pointer.bytes.toBase64(), writable: pointer.writable };
}

export function toPointer(value: Json | undefined): UserPointer {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return bytes(value);
  const { bytes: content, writable } = record(value);
  return { bytes: bytes(content), writable: writable === true } satisfies UserMemory;
}

/** The bytes that a pointer points to, in which the kernel has written its answer. */
export function pointee(pointer: UserPointer): Uint8Array | undefined {
  if (pointer === null) return undefined;
  return pointer instanceof Uint8Array ? pointer : pointer.bytes;
}

export function fromStat(stat: Stat | Ret): Json {
  if (typeof stat === "number") return stat;
  const { dev, ino, size, blocks, ...rest } = stat;
  return { ...rest, dev: `${dev}`, ino: `${ino}`, size: `${size}`, blocks: `${blocks}` };
}

export function toStat(value: Json | undefined): Stat | Ret {
  if (typeof value === "number") return value;
  const { dev, ino, mode, nlink, uid, size, blocks } = record(value);
  return {
    dev: big(dev),
    ino: big(ino),
    mode: int(mode),
    nlink: int(nlink),
    uid: int(uid),
    size: big(size),
    blocks: big(blocks),
  };
}

export function toPair(value: Json | undefined): [number, number] | Ret {
  if (typeof value === "number") return value;
  const [first, second] = ints(value);
  return [int(first), int(second)];
}

export function toReceived(value: Json | undefined): Received | Ret {
  if (typeof value === "number") return value;
  const { bytes, fds } = record(value);
  return { bytes: int(bytes), fds: ints(fds) };
}

export function fromUtsname(name: Utsname): Json {
  return { ...name };
}

export function toUtsname(value: Json | undefined): Utsname {
  const { sysname, nodename, release, version, machine } = record(value);
  return {
    sysname: text(sysname),
    nodename: text(nodename),
    release: text(release),
    version: text(version),
    machine: text(machine),
  };
}

/** `{call, args}`. */
export function toRequest(value: Json): { call: string; args: readonly Json[] } {
  const { call, args } = record(value);
  if (args === undefined || !isList(args)) throw new BadPacket("Arguments are expected");
  return { call: text(call), args };
}

/** `{ret, out}`: the answer, and the bytes that the call wrote into the caller's memory. */
export function toReply(value: Json): { ret: Json | undefined; out: Uint8Array } {
  const { ret, out } = record(value);
  return { ret, out: out === undefined ? new Uint8Array(0) : bytes(out) };
}
