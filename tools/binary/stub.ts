/** The start program of the single file `luo`, and the data that it carries. */
import type { Target } from "./elf.ts";
import { MACHINE_CODE } from "./machine_code.ts";

/** The data of the start program. */
export interface Start {
  /** Arguments for Deno, before the path of the script (`/proc/self/fd/N`) and the user's arguments. */
  readonly words: readonly string[];
  /** Variables for Deno, `NAME=value`. /proc/self/environ does not show them, and programs that read it do not inherit them. */
  readonly env: readonly string[];
  /** The texts that the script reads in memory. They lie after the last variable, and the script finds them there (loader.ts). */
  readonly texts: Uint8Array;
  readonly script: Uint8Array;
}

const HEADER = 48;

/**
 * The segment with which `luo` starts. Its code writes the script to a memfd N and jumps to Deno's entry with the arguments `words`,
 * `/proc/self/fd/N` and the user's arguments. ps and /proc show only the user's arguments.
 *
 * The segment has the machine code (stub/ARCH.S) and then this struct; distances count from the start of the struct:
 *
 *     0  i64  distance to Deno's entry            24  u64   number of words
 *     8  u64  distance to the script              32  u64   number of variables
 *    16  u64  length of the script                40  i64   distance to the address of `environ`
 *                                                 48  char  words and variables, each with a NUL; the texts; the script
 *
 * @param entry the distance from the start of the segment to Deno's entry.
 * @param environ the distance from the start of the segment to the place where Deno keeps the address of the C library's `environ`.
 */
export function stubSegment(target: Target, start: Start, entry: bigint, environ: bigint): Uint8Array {
  const code = Uint8Array.fromBase64(MACHINE_CODE[target]);
  const strings = new TextEncoder().encode(
    [...start.words, ...start.env].map((word) => `${word}\0`).join(""),
  );
  const before = HEADER + strings.length + start.texts.length;
  const segment = new Uint8Array(code.length + before + start.script.length);
  const header = new DataView(segment.buffer, code.length, HEADER);
  const here = BigInt(code.length);
  const sizes = [before, start.script.length, start.words.length, start.env.length];
  [entry - here, ...sizes.map(BigInt), environ - here].forEach((value, index) =>
    header.setBigInt64(8 * index, value, true)
  );
  segment.set(code);
  segment.set(strings, code.length + HEADER);
  segment.set(start.texts, code.length + HEADER + strings.length);
  segment.set(start.script, code.length + before);
  return segment;
}
