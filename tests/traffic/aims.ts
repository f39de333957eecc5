/** The targets of random traffic: slots, names, tokens, lengths and offsets. */
import type { Random } from "./random.ts";

/** Slots 0-5 are for sessions, 6-13 for files, 14 for the device. A call may get an fd of any slot. */
export const SLOTS = 15;
export const DEVICE = 14;
export const SESSIONS = 6;
const FILES = 8;
export const PAGE = 4096;
const MIB = 1 << 20;
export const BIG = 4 * MIB;

export const sessionNames = ["a", "b", "c", "vm0", "vm1", "n".repeat(63), "\u00e9t\u00e9", "x y/z"];
export const tokens = [0n, 1n, 2n, 3n, 7n, 1n << 63n, (1n << 64n) - 1n];
const sizes = [0, 1, 100, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE, 64 * 1024];
const largeSizes = [2 * MIB - PAGE, 2 * MIB, 2 * MIB + 1, 3 * MIB];

/** The slot for a call: usually one of the right kind. */
export const fileSlot = (random: Random) => SESSIONS + random.below(FILES);
export const session = (random: Random) => random.chance(95) ? random.below(SESSIONS) : random.below(SLOTS);
export const file = (random: Random) => random.chance(92) ? fileSlot(random) : random.below(SLOTS);
export const device = (random: Random) => random.chance(97) ? DEVICE : random.below(SLOTS);
export const length = (random: Random) => random.chance(4) ? random.pick(largeSizes) : random.pick(sizes);
export const offset = (random: Random) =>
  BigInt(random.chance(3) ? random.pick(largeSizes) : random.pick(sizes));
