/** Cases: the size of a preserved file is frozen, its contents are not. */
import {
  F_ADD_SEALS,
  F_GET_SEALS,
  F_SEAL_GROW,
  F_SETFL,
  FALLOC_FL_COLLAPSE_RANGE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  MADV_REMOVE,
  MAP_SHARED,
  O_APPEND,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  PROT_READ,
  PROT_WRITE,
  S_IFMT,
  SEEK_END,
  SEEK_SET,
} from "../../../ffi/abi/fcntl.ts";
import { answers, type Case, deepEqual, equal, good, pattern, type World } from "../world.ts";

const PAGE = 4096;
const MIB = 1 << 20;

/** A memfd of `size` bytes, preserved. */
function preserved(world: World, size: number, session = world.create("frozen")): number {
  const memfd = world.memfd(size);
  world.preserve(session, memfd, 1n);
  return memfd;
}

interface Row {
  readonly what: string;
  readonly size: number;
  readonly act: (world: World, fd: number) => number | bigint;
  readonly answer: number | "EPERM" | "EOPNOTSUPP" | "EINVAL" | "EBUSY";
  /** Bytes afterwards, where they are not `size`. */
  readonly after?: number;
}

const write = (offset: number, length: number) => (world: World, fd: number) =>
  world.sys.pwrite(fd, pattern(length, 9), BigInt(offset));
const truncate = (length: number) => (world: World, fd: number) => world.sys.ftruncate(fd, BigInt(length));
const allocate = (mode: number, offset: number, length: number) => (world: World, fd: number) =>
  world.sys.fallocate(fd, mode, BigInt(offset), BigInt(length));
const page = 3 * PAGE;

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

const table = rows.map((row): Case => ({
  name: `frozen (${row.size} bytes): ${row.what} is ${row.answer}`,
  run(world) {
    const memfd = preserved(world, row.size);
    answers(row.act(world, memfd), row.answer);
    equal(world.stat(memfd).size, BigInt(row.size));
  },
}));

/** From PRESERVE_FD until the session is closed: the mapping of the file is frozen, its bytes are not. */
export const frozenCases: readonly Case[] = [
  ...table,
  {
    name: "frozen: a refused write leaves all bytes and the position as they were",
    run(world) {
      const memfd = preserved(world, 2 * PAGE);
      answers(world.sys.write(memfd, pattern(page)), "EPERM");
      world.holds(memfd, new Uint8Array(2 * PAGE));
      answers(world.sys.lseek(memfd, 0n, 1), 0);
    },
  },
  {
    name: "frozen: a short write leaves the position and the bytes behind what was written",
    run(world) {
      const size = 3 * MIB - PAGE;
      const memfd = preserved(world, size);
      answers(world.sys.write(memfd, pattern(3 * MIB)), 2 * MIB);
      answers(world.sys.lseek(memfd, 0n, 1), 2 * MIB);
      const expected = new Uint8Array(size);
      expected.set(pattern(3 * MIB).subarray(0, 2 * MIB));
      world.holds(memfd, expected);
    },
  },
  {
    name: "frozen: O_APPEND writes are EPERM",
    run(world) {
      const memfd = preserved(world, page);
      answers(world.sys.fcntl(memfd, F_SETFL, O_APPEND), 0);
      answers(world.sys.write(memfd, new Uint8Array(1)), "EPERM");
      equal(world.stat(memfd).size, BigInt(page));
    },
  },
  {
    name: "frozen: a refused O_TRUNC leaves the contents",
    run(world) {
      const session = world.create("not truncated");
      const memfd = world.memfd(pattern(page));
      world.preserve(session, memfd, 1n);
      answers(world.sys.open(`/proc/self/fd/${memfd}`, O_RDWR | O_TRUNC), "EPERM");
      world.holds(memfd, pattern(page));
    },
  },
  {
    name: "frozen: a mapping is written through, MADV_REMOVE is EPERM",
    run(world) {
      const memfd = world.memfd(page);
      const address = world.sys.mmap(BigInt(page), PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0n);
      equal(address > 0n, true);
      world.preserve(world.create("mapped"), memfd, 1n);
      world.sys.store(address + 5n, pattern(10));
      answers(world.sys.madvise(address, BigInt(PAGE), MADV_REMOVE), "EPERM");
      const got = new Uint8Array(10);
      good(world.sys.pread(memfd, got, 5n), "pread");
      deepEqual(got, pattern(10).slice());
      answers(world.sys.munmap(address, BigInt(page)), 0);
    },
  },
  {
    name: "frozen: MADV_REMOVE of the same mapping works before and after",
    run(world) {
      const memfd = world.memfd(pattern(page));
      const address = world.sys.mmap(BigInt(page), PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0n);
      const remove = () => world.sys.madvise(address, BigInt(PAGE), MADV_REMOVE);
      answers(remove(), 0);
      const session = world.create("for a while");
      world.preserve(session, memfd, 1n);
      answers(remove(), "EPERM");
      world.close(session);
      answers(remove(), 0);
      answers(world.sys.munmap(address, BigInt(page)), 0);
    },
  },
  {
    name: "frozen: the mode is what fchmod makes it",
    run(world) {
      const memfd = preserved(world, 1);
      answers(world.sys.fchmod(memfd, 0o604), 0);
      equal(world.stat(memfd).mode & ~S_IFMT, 0o604);
    },
  },
  {
    name: "PRESERVE_FD fills the holes: a sparse file becomes dense",
    run(world) {
      const memfd = world.memfd(64 * PAGE);
      equal(world.stat(memfd).blocks, 0n);
      world.preserve(world.create("dense"), memfd, 1n);
      equal(world.stat(memfd).blocks, 64n * 8n);
      world.holds(memfd, new Uint8Array(64 * PAGE));
    },
  },
  {
    name: "an O_TMPFILE is frozen as a memfd is",
    run(world) {
      const file = world.keep(world.sys.open(world.paths.tmpfs, O_TMPFILE | O_RDWR, 0o600));
      answers(world.sys.write(file, pattern(100)), 100);
      world.preserve(world.create("tmpfile"), file, 1n);
      answers(world.sys.ftruncate(file, 0n), "EPERM");
      answers(world.sys.fcntl(file, F_GET_SEALS), 1);
      world.holds(file, pattern(100));
    },
  },
  ...([["ftruncate", truncate(0)], ["fallocate", allocate(0, 0, 8 * PAGE)], [
    "a write",
    write(page, 10),
  ]] as const).map((
    [what, act],
  ): Case => ({
    name: `the close of the session thaws the file: ${what} works again`,
    run(world) {
      const session = world.create("thaw");
      const memfd = preserved(world, page, session);
      answers(act(world, memfd), "EPERM");
      world.close(session);
      equal(act(world, memfd) >= 0, true);
    },
  })),
  {
    name: "frozen: every fd of the inode, a dup and a reopen",
    run(world) {
      const memfd = preserved(world, page);
      const dup = world.keep(world.sys.dup(memfd));
      const again = world.keep(world.sys.open(`/proc/self/fd/${memfd}`, O_RDWR));
      answers(world.sys.ftruncate(dup, 0n), "EPERM");
      answers(world.sys.ftruncate(again, 0n), "EPERM");
      world.close(memfd);
      answers(world.sys.ftruncate(again, 0n), "EPERM");
      answers(world.sys.lseek(again, 0n, SEEK_SET), 0);
    },
  },
];
