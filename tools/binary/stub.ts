/** The start program of the single file `luo`, and the data that it carries. */
import type { Target } from "./elf.ts";
import { MACHINE_CODE } from "./machine_code.ts";

/** What is put before Deno. */
export interface Start {
  /** Come between the program's name and its arguments; the script's path, `/proc/self/fd/N`, comes behind them. */
  readonly words: readonly string[];
  /** `NAME=value`: for Deno to find. Who asks /proc/self/environ does not see them, nor do programs started from there. */
  readonly env: readonly string[];
  readonly script: Uint8Array;
}

const HEADER = 48;

/**
 * What `luo` begins with, before Deno does: it writes the script to a memfd N and goes on into Deno as if that had been called
 * with the words, `/proc/self/fd/N` and then what was typed. ps and /proc show what was typed.
 *
 * Machine code (stub/ARCH.S), and behind it, for it to read:
 *
 *     0  i64  from here to where Deno begins      24  u64   words
 *     8  u64  from here to the script             32  u64   variables
 *    16  u64  the script's length                 40  i64   from here to the address of `environ`
 *                                                 48  char  words and variables, each with a NUL; the script
 *
 * @param entry from the segment's start to where Deno begins.
 * @param environ from the segment's start to where Deno has the address of the C library's `environ`.
 */
export function stubSegment(target: Target, start: Start, entry: bigint, environ: bigint): Uint8Array {
  const code = Uint8Array.fromBase64(MACHINE_CODE[target]);
  const strings = new TextEncoder().encode(
    [...start.words, ...start.env].map((word) => `${word}\0`).join(""),
  );
  const segment = new Uint8Array(code.length + HEADER + strings.length + start.script.length);
  const header = new DataView(segment.buffer, code.length, HEADER);
  const here = BigInt(code.length);
  const sizes = [HEADER + strings.length, start.script.length, start.words.length, start.env.length];
  [entry - here, ...sizes.map(BigInt), environ - here].forEach((value, index) =>
    header.setBigInt64(8 * index, value, true)
  );
  segment.set(code);
  segment.set(strings, code.length + HEADER);
  segment.set(start.script, code.length + HEADER + strings.length);
  return segment;
}
