/** Cases: from PRESERVE_FD until the close of the session the size of a file is frozen, its contents are not. */
import {
  F_GET_SEALS,
  F_SETFL,
  MADV_REMOVE,
  MAP_SHARED,
  O_APPEND,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  PROT_READ,
  PROT_WRITE,
  S_IFMT,
  SEEK_SET,
} from "../../../ffi/abi/fcntl.ts";
import { answers, type Case, deepEqual, equal, good, pattern } from "../world.ts";
import { allocate, frozenCallCases, MIB, PAGE, page, preserved, truncate, write } from "./frozen_calls.ts";

export const frozenCases: readonly Case[] = [
  ...frozenCallCases,
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
    name: "frozen: a short write moves the position and changes no bytes after its end",
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
    name: "frozen: a dup and another open of the same file, too",
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
