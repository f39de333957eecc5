/** Cases: which files a session takes, and under which tokens. */
import {
  MFD_CLOEXEC,
  MFD_HUGETLB,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
} from "../../../ffi/abi/fcntl.ts";
import { preserve } from "../calls.ts";
import { answers, type Case, ok, type World } from "../world.ts";

const linked = (world: World, name: string) =>
  world.keep(world.sys.open(`${world.paths.tmpfs}/${name}`, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600));

const reopened = (world: World, fd: number, flags: number) =>
  world.keep(world.sys.open(`/proc/self/fd/${fd}`, flags | O_CLOEXEC));

function endOf(world: World, pair: [number, number] | number): number {
  ok(typeof pair !== "number");
  pair.forEach((fd) => world.keep(fd));
  return pair[0];
}

/** Files of every kind, with the answer of PRESERVE_FD. */
const kinds: readonly [what: string, make: (world: World) => number, answer: 0 | "ENOENT" | "EBADF"][] = [
  ["a memfd", (world) => world.memfd(100), 0],
  ["an empty memfd", (world) => world.memfd(), 0],
  ["a memfd without flags", (world) => world.memfd(10, 0), 0],
  ["a read-only memfd", (world) => reopened(world, world.memfd(10), O_RDONLY), 0],
  [
    "an O_TMPFILE of a tmpfs",
    (world) => world.keep(world.sys.open(world.paths.tmpfs, O_TMPFILE | O_RDWR, 0o600)),
    0,
  ],
  [
    "a write-only O_TMPFILE",
    (world) => world.keep(world.sys.open(world.paths.tmpfs, O_TMPFILE | O_WRONLY, 0o600)),
    0,
  ],
  ["an unlinked tmpfs file", (world) => {
    const fd = linked(world, "unlinked");
    answers(world.sys.unlink(`${world.paths.tmpfs}/unlinked`), 0);
    return fd;
  }, 0],
  ["a hugetlb memfd", (world) => world.memfd(0, MFD_CLOEXEC | MFD_HUGETLB), "ENOENT"],
  ["a linked tmpfs file", (world) => {
    const fd = linked(world, "linked");
    answers(preserve(world.sys, world.create("linked"), fd, 1n), "ENOENT");
    answers(world.sys.unlink(`${world.paths.tmpfs}/linked`), 0);
    return linked(world, "linked again");
  }, "ENOENT"],
  ["a tmpfs directory", (world) => world.keep(world.sys.open(world.paths.tmpfs, O_RDONLY)), "ENOENT"],
  ["a tmpfs FIFO", (world) => {
    answers(world.sys.mkfifo(`${world.paths.tmpfs}/fifo`, 0o600), 0);
    const fd = world.keep(world.sys.open(`${world.paths.tmpfs}/fifo`, O_RDWR | O_NONBLOCK));
    answers(world.sys.unlink(`${world.paths.tmpfs}/fifo`), 0);
    return fd;
  }, "ENOENT"],
  ["a pipe", (world) => endOf(world, world.sys.pipe2(O_CLOEXEC)), "ENOENT"],
  ["a socket", (world) => endOf(world, world.sys.socketpair()), "ENOENT"],
  ["a character device", (world) => world.keep(world.sys.open("/dev/null", O_RDWR)), "ENOENT"],
  ["a disk file", (world) => world.keep(world.sys.open(world.paths.disk, O_RDONLY)), "ENOENT"],
  ["a session", (world) => world.create("preserved session"), "ENOENT"],
  ["the device", (world) => world.device, "ENOENT"],
  ["a pidfd", (world) => world.keep(world.sys.pidfd_open(world.sys.getpid(), 0)), "ENOENT"],
  ["an O_PATH fd", (world) => reopened(world, world.memfd(10), O_PATH), "EBADF"],
  ["fd -1", () => -1, "EBADF"],
  ["an fd never opened", () => 0x7fffffff, "EBADF"],
  ["a closed fd", (world) => {
    const fd = world.memfd();
    world.close(fd);
    return fd;
  }, "EBADF"],
];

const kindCases = kinds.map(([what, make, answer]): Case => ({
  name: `PRESERVE_FD: ${what} is ${answer}`,
  run(world) {
    const session = world.create("kinds");
    const fd = make(world);
    answers(preserve(world.sys, session, fd, 1n), answer);
    // The token of a refused fd is still free.
    if (answer !== 0) answers(preserve(world.sys, session, world.memfd(), 1n), 0);
    world.sys.unlink(`${world.paths.tmpfs}/linked again`);
  },
}));

const seconds: readonly [what: string, make: (world: World, fd: number) => number][] = [
  ["the same fd", (_, fd) => fd],
  ["a dup", (world, fd) => world.keep(world.sys.dup(fd))],
  ["a read-only reopen", (world, fd) => reopened(world, fd, O_RDONLY)],
  ["a read-write reopen", (world, fd) => reopened(world, fd, O_RDWR)],
];

const busyCases = seconds.flatMap(([what, make]) =>
  (["the same", "another"] as const).map((where): Case => ({
    name: `PRESERVE_FD: ${what} of a preserved file is EBUSY in ${where} session`,
    run(world) {
      const first = world.create("first");
      const second = where === "another" ? world.create("second") : first;
      const memfd = world.memfd(10);
      world.preserve(first, memfd, 1n);
      const again = make(world, memfd);
      answers(preserve(world.sys, second, again, 2n), "EBUSY");
      world.close(first);
      if (where === "another") answers(preserve(world.sys, second, again, 2n), 0);
    },
  }))
);

const tokens = [0n, 1n, (1n << 32n) - 1n, 1n << 32n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n];

export const preserveCases: readonly Case[] = [
  ...kindCases,
  ...busyCases,
  {
    name: "PRESERVE_FD: tokens from 0 to 2^64-1, each once in a session",
    run(world) {
      const session = world.create("tokens");
      for (const token of tokens) world.preserve(session, world.memfd(), token);
      for (const token of tokens) answers(preserve(world.sys, session, world.memfd(), token), "EEXIST");
      const other = world.create("other tokens");
      for (const token of tokens) world.preserve(other, world.memfd(), token);
    },
  },
  {
    name: "PRESERVE_FD: a taken token is EEXIST before the fd is looked at",
    run(world) {
      const session = world.create("taken");
      const memfd = world.memfd();
      world.preserve(session, memfd, 7n);
      answers(preserve(world.sys, session, -1, 7n), "EEXIST");
      answers(preserve(world.sys, session, memfd, 7n), "EEXIST");
      answers(preserve(world.sys, session, world.device, 7n), "EEXIST");
    },
  },
  {
    name: "PRESERVE_FD: more than 2^32-1 pages are EFBIG",
    run(world) {
      const session = world.create("big");
      const memfd = world.memfd();
      answers(world.sys.ftruncate(memfd, 1n << 44n), 0);
      answers(preserve(world.sys, session, memfd, 1n), "EFBIG");
      answers(world.sys.ftruncate(memfd, 4096n), 0);
      world.preserve(session, memfd, 1n);
    },
  },
  {
    name: "PRESERVE_FD: 200 files in a session",
    run(world) {
      const session = world.create("many files");
      for (let token = 0n; token < 200n; token++) {
        const memfd = world.memfd(1);
        world.preserve(session, memfd, token);
        world.close(memfd);
      }
      answers(preserve(world.sys, session, world.memfd(), 199n), "EEXIST");
    },
  },
  {
    name: "PRESERVE_FD: an O_TMPFILE linked afterwards stays preserved",
    run(world) {
      const session = world.create("linked later");
      const file = world.keep(world.sys.open(world.paths.tmpfs, O_TMPFILE | O_RDWR, 0o600));
      world.preserve(session, file, 1n);
      const path = `${world.paths.tmpfs}/linked later`;
      answers(world.sys.link_fd(file, path), 0);
      answers(world.sys.ftruncate(file, 1n), "EPERM");
      // The file has a name, so no handler takes it. The kernel checks that before EBUSY.
      answers(preserve(world.sys, world.create("linked now"), file, 1n), "ENOENT");
      answers(world.sys.unlink(path), 0);
    },
  },
  {
    name: "an outgoing session's close frees its files for another",
    run(world) {
      const memfd = world.memfd(10);
      const first = world.create("first holder");
      world.preserve(first, memfd, 1n);
      world.close(first);
      world.preserve(world.create("second holder"), memfd, 1n);
    },
  },
];
