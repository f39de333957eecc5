import type { Target } from "./elf.ts";

/**
 * What `luo` begins with, before Deno does: it writes the script to a memfd, N, and goes on into Deno as if that had been called
 * with words and `/proc/self/fd/N` in front of the arguments. What ps and /proc show as its arguments stay what was typed.
 *
 * Machine code, from stub/ARCH.S by stub/assemble.sh; a test assembles it again. Behind it comes, for it to read:
 *
 *     0  i64  from here to where Deno begins      24  u64   words, with the script's path; an even number
 *     8  u64  from here to the script             32  char  the words but the path, each with a NUL
 *    16  u64  the script's length                     u8    the script
 */
export const CODE: Readonly<Record<Target, string>> = {
  x86_64:
    "SYnUSI0dhgEAAEiNPUEBAAC+CQAAALg/AQAADwWFwHkUvgEAAAC4PwEAAA8FhcAPiPkAAABBicVEie++BgQAALoDAAAAuEgAAAAP" +
    "BYXAD4jaAAAAQYnGRInvuAMAAAAPBUiJ3kgDcwhIi1MQRIn3uAEAAAAPBUiFwA+OrwAAAEgBxkgpwnXlMf++ABAAALoDAAAAQboi" +
    "AAAAScfA/////0UxybgJAAAADwVIhcB4f0iNeD9EifC5CgAAADHS9/GAwjBI/8+IF4XAdfBIg+8OSIsFgAAAAEiJB0iLBXwAAABI" +
    "iUcGSItLGEiLBCRIi1QkCEyNBM0AAAAATCnESAHISIkEJEiJVCQITI1MJBBIjXMg/8lJiTFJg8EIrITAdfv/yXXwSYk5TIniSAMb" +
    "/+O/AgAAAEiNNSoAAAC6LAAAALgBAAAADwW/AQAAALjnAAAADwVsdW8AL3Byb2Mvc2VsZi9mZC9DYW5ub3Qgc3RhcnQgbHVvOiBu" +
    "byBtZW1vcnkgZm9yIGl0cyBwcm9ncmFtCg==",
  aarch64:
    "8wMAqnQMABAACgAQIQGA0ugigNIBAADUwAD4NmAJABAhAIDS6CKA0gEAANTgB/g39QMAKsGAgNJiAIDSKAOA0gEAANQgB/g39gMA" +
    "KuADFSooB4DSAQAA1IEGQPmBAgGLggpA+eADFioICIDSAQAA1B8AAPGtBQBUIQAAi0IAAOsh//9UAACA0gEAgtJiAIDSQwSA0gQA" +
    "gJIFAIDSyBuA0gEAANQgBPi3CfwAkUoBgFLLCsoabNkKG4zBABEs/R849gMLKnb//zUpOQDRKgQAEEsBQPkrAQD5S2FA+CthAPiK" +
    "DkD56zNAqf9vKstrAQqL6zMAqe1DAJGOggCRSgUA0a6FAPjPFUA47///NUoFAPGB//9UqQEA+eADE6qKAkD5igIKi0ABH9ZAAIDS" +
    "gQEAUIIFgNIICIDSAQAA1CAAgNLIC4DSAQAA1Gx1bwAfIAPVL3Byb2Mvc2VsZi9mZC9DYW5ub3Qgc3RhcnQgbHVvOiBubyBtZW1v" +
    "cnkgZm9yIGl0cyBwcm9ncmFtCgAAHyAD1Q==",
};

const HEADER = 32;

/** Stub, words and script, to be mapped as they are. `toEntry`: from their start to where Deno begins. */
export function stubSegment(
  target: Target,
  words: readonly string[],
  script: Uint8Array,
  toEntry: bigint,
): Uint8Array {
  // The stack stays at a multiple of 16 bytes only if an even number of pointers is put there: the path is one more.
  if (words.length % 2 === 0) throw new RangeError("Cannot pass an even number of words");
  const code = Uint8Array.fromBase64(CODE[target]);
  const strings = new TextEncoder().encode(words.map((word) => `${word}\0`).join(""));
  const segment = new Uint8Array(code.length + HEADER + strings.length + script.length);
  const header = new DataView(segment.buffer, code.length, HEADER);
  header.setBigInt64(0, toEntry - BigInt(code.length), true);
  header.setBigUint64(8, BigInt(HEADER + strings.length), true);
  header.setBigUint64(16, BigInt(script.length), true);
  header.setBigUint64(24, BigInt(words.length + 1), true);
  segment.set(code);
  segment.set(strings, code.length + HEADER);
  segment.set(script, code.length + HEADER + strings.length);
  return segment;
}
