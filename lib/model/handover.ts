/**
 * What one kernel hands to the next: bytes, and nothing else. Provisional; the real KHO tree and the `luo-v5` blocks take its
 * place later. All numbers little endian, "block" is a u32 length and that many bytes:
 *
 * | part | layout |
 * |---|---|
 * | header | block: 16 bytes `luo-model-v1`, zero-filled |
 * | KHO | block: KHO's format; block: release of the kernel that hands over; u32 kexec count |
 * | LUO | u32 1 when LUO was on, else 0 and the end; block: its format; u64 liveupdate number; u64 number of FLBs; u64 number of sessions |
 * | FLB | block: compatible string; u64 data; u64 count |
 * | session | block: name; u64 number of files; per file block: compatible string, u64 token, block: the handler's bytes |
 * | frames | u64 number of extents; per extent u64 first page frame, u64 count: these survive the kexec, all others are lost |
 */
import { BadBytes, Reader, Writer } from "./bytes.ts";
import type { SerializedFlb } from "./flb.ts";
import type { SerializedFile } from "./luo_file.ts";

const VERSION = "luo-model-v1";

export interface Handover {
  /** KHO's format: a kernel that does not speak it takes nothing. */
  readonly format: string;
  readonly previous_release: string;
  readonly kexec_count: number;
  /** Undefined when the old kernel had no LUO. */
  readonly luo: SerializedLuo | undefined;
  readonly frames: { base: number; count: number }[];
}

export interface SerializedLuo {
  /** LUO's format: a kernel that does not speak it must not read on. */
  readonly format: string;
  readonly flbs: readonly SerializedFlb[];
  readonly number: bigint;
  readonly sessions: { name: Uint8Array; files: SerializedFile[] }[];
}

export function encode_handover(handover: Handover): Uint8Array {
  const out = new Writer().text(VERSION.padEnd(16, "\0"));
  out.text(handover.format).text(handover.previous_release).u32(handover.kexec_count).u32(
    handover.luo === undefined ? 0 : 1,
  );
  if (handover.luo !== undefined) encode_luo(out, handover.luo);
  out.u64(handover.frames.length);
  for (const { base, count } of handover.frames) out.u64(base).u64(count);
  return out.finish();
}

function encode_luo(out: Writer, luo: SerializedLuo): void {
  out.text(luo.format).u64(luo.number).u64(luo.flbs.length).u64(luo.sessions.length);
  for (const { compatible, data, count } of luo.flbs) out.text(compatible).u64(data).u64(count);
  for (const { name, files } of luo.sessions) {
    out.block(name).u64(files.length);
    for (const { compatible, token, data } of files) out.text(compatible).u64(token).block(data);
  }
}

/** @throws BadBytes for anything that `encode_handover` would not have written */
export function decode_handover(bytes: Uint8Array): Handover {
  const input = new Reader(bytes);
  const version = input.text();
  if (version !== VERSION.padEnd(16, "\0")) throw new BadBytes(`handover version ${JSON.stringify(version)}`);
  const format = input.text();
  const previous_release = input.text();
  const kexec_count = input.u32();
  const luo = input.u32() === 0 ? undefined : decode_luo(input);
  const frames = [];
  for (let left = input.count(16); left > 0; left--) {
    frames.push({ base: frame_number(input), count: frame_number(input) });
  }
  if (input.left > 0) throw new BadBytes(`${input.left} bytes behind the end`);
  return { format, previous_release, kexec_count, luo, frames };
}

function decode_luo(input: Reader): SerializedLuo {
  const [format, number] = [input.text(), input.u64()];
  const [flb_count, session_count] = [input.count(20), input.count(12)];
  const flbs = [];
  for (let left = flb_count; left > 0; left--) {
    flbs.push({ compatible: input.text(), data: input.u64(), count: input.u64() });
  }
  const sessions = [];
  for (let left = session_count; left > 0; left--) {
    const name = input.block();
    const files = [];
    for (let more = input.count(16); more > 0; more--) {
      files.push({ compatible: input.text(), token: input.u64(), data: input.block() });
    }
    sessions.push({ name, files });
  }
  return { format, number, flbs, sessions };
}

function frame_number(input: Reader): number {
  const value = input.u64();
  if (value === 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw new BadBytes(`page frame ${value}`);
  return Number(value);
}
