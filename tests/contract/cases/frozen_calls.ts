/** Cases: every system call that could change the size of a preserved file, in a table. */
import {
  F_ADD_SEALS,
  F_SEAL_GROW,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  O_RDWR,
  O_TRUNC,
  SEEK_END,
} from "../../../ffi/abi/fcntl.ts";
import { answers, type Case, equal, pattern, type World } from "../world.ts";

export const PAGE = 4096;
export const MIB = 1 << 20;

/** A preserved memfd of `size` bytes. */
export function preserved(world: World, size: number, session = world.create("frozen")): number {
  const memfd = world.memfd(size);
  world.preserve(session, memfd, 1n);
  return memfd;
}

interface Row {
  readonly what: string;
  readonly size: number;
  readonly act: (world: World, fd: number) => number | bigint;
  readonly answer: number | "EPERM" | "EOPNOTSUPP" | "EINVAL" | "EBUSY";
}

export const write = (offset: number, length: number) => (world: World, fd: number) =>
  world.sys.pwrite(fd, pattern(length, 9), BigInt(offset));
export const truncate = (length: number) => (world: World, fd: number) =>
  world.sys.ftruncate(fd, BigInt(length));
export const allocate = (mode: number, offset: number, length: number) => (world: World, fd: number) =>
  world.sys.fallocate(fd, mode, BigInt(offset), BigInt(length));
/** The size of most files here. */
export const page = 3 * PAGE;

const rows: readonly Row[] = [
  { what: "ftruncate to the same size", size: page, act: truncate(page), answer: 0 },
  { what: "ftruncate to 0", size: page, act: truncate(0), answer: "EPERM" },
  { what: "ftruncate to one byte less", size: page, act: truncate(page - 1), answer: "EPERM" },
  { what: "ftruncate to one byte more", size: page, act: truncate(page + 1), answer: "EPERM" },
  { what: "ftruncate of an empty file to a page", size: 0, act: truncate(PAGE), answer: "EPERM" },
  { what: "ftruncate of an empty file to 0", size: 0, act: truncate(0), answer: 0 },
  { what: "fallocate within the file", size: page, act: allocate(0, 0, PAGE), answer: "EPERM" },
  { what: "fallocate past the end", size: page, act: allocate(0, page, PAGE), answer: "EPERM" },
  { what: "fallocate KEEP_SIZE", size: page, act: allocate(FALLOC_FL_KEEP_SIZE, 0, PAGE), answer: "EPERM" },
  {
    what: "fallocate PUNCH_HOLE",
    size: page,
    act: allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE),
    answer: "EPERM",
  },
  {
    what: "fallocate PUNCH_HOLE far after the end",
    size: page,
    act: allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 ** 62, 1),
    answer: "EPERM",
  },
  {
    what: "fallocate PUNCH_HOLE without KEEP_SIZE",
    size: page,
    act: allocate(FALLOC_FL_PUNCH_HOLE, 0, PAGE),
    answer: "EOPNOTSUPP",
  },
  {
    what: "fallocate ZERO_RANGE",
    size: page,
    act: allocate(FALLOC_FL_ZERO_RANGE, 0, PAGE),
    answer: "EOPNOTSUPP",
  },
  {
    what: "fallocate COLLAPSE_RANGE",
    size: page,
    act: allocate(FALLOC_FL_COLLAPSE_RANGE, 0, PAGE),
    answer: "EOPNOTSUPP",
  },
  { what: "fallocate of length 0", size: page, act: allocate(0, 0, 0), answer: "EINVAL" },
  { what: "a write within the file", size: page, act: write(PAGE + 7, 100), answer: 100 },
  { what: "a write up to the end", size: page, act: write(page - 10, 10), answer: 10 },
  { what: "a write of the whole file", size: page, act: write(0, page), answer: page },
  { what: "a write at the end", size: page, act: write(page, 1), answer: "EPERM" },
  { what: "a write far past the end", size: page, act: write(5 * MIB, 1), answer: "EPERM" },
  { what: "a write over the end, one byte too long", size: page, act: write(page - 10, 11), answer: "EPERM" },
  { what: "12,288 bytes at 0 into 8,192", size: 2 * PAGE, act: write(0, page), answer: "EPERM" },
  { what: "a write of nothing past the end", size: page, act: write(2 * page, 0), answer: 0 },
  { what: "a write into the rest of the last page", size: 100, act: write(100, 1), answer: "EPERM" },
  { what: "a write over the end of 100 bytes", size: 100, act: write(90, 20), answer: "EPERM" },
  {
    what: "3 MiB at 0 into 3 MiB - 4,096: a short write of 2 MiB",
    size: 3 * MIB - PAGE,
    act: write(0, 3 * MIB),
    answer: 2 * MIB,
  },
  {
    what: "3 MiB at 1 MiB into 3 MiB: the chunk from 2 MiB on is refused whole, short write of 1 MiB",
    size: 3 * MIB,
    act: write(MIB, 3 * MIB),
    answer: MIB,
  },
  {
    what: "3 MiB at 1 MiB into 2 MiB and a page: a short write of 1 MiB",
    size: 2 * MIB + PAGE,
    act: write(MIB, 3 * MIB),
    answer: MIB,
  },
  { what: "2 MiB exactly at 0 into 2 MiB", size: 2 * MIB, act: write(0, 2 * MIB), answer: 2 * MIB },
  { what: "2 MiB at 2 MiB into 2 MiB", size: 2 * MIB, act: write(2 * MIB, 2 * MIB), answer: "EPERM" },
  { what: "fchmod", size: page, act: (world, fd) => world.sys.fchmod(fd, 0o640), answer: 0 },
  { what: "lseek", size: page, act: (world, fd) => world.sys.lseek(fd, 0n, SEEK_END), answer: page },
  {
    what: "an open with O_TRUNC through /proc/self/fd",
    size: page,
    act: (world, fd) => world.sys.open(`/proc/self/fd/${fd}`, O_RDWR | O_TRUNC),
    answer: "EPERM",
  },
  {
    what: "F_SEAL_GROW",
    size: page,
    act: (world, fd) => world.sys.fcntl(fd, F_ADD_SEALS, F_SEAL_GROW),
    answer: 0,
  },
];

/** Every call on a preserved file, with its answer. The size stays the same. */
export const frozenCallCases: readonly Case[] = rows.map((row): Case => ({
  name: `frozen (${row.size} bytes): ${row.what} is ${row.answer}`,
  run(world) {
    const memfd = preserved(world, row.size);
    answers(row.act(world, memfd), row.answer);
    equal(world.stat(memfd).size, BigInt(row.size));
  },
}));
