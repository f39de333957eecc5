/** Cases with a kexec: a preserved file comes back as it was. */
import {
  F_GETFD,
  F_GETFL,
  F_SETFL,
  FALLOC_FL_KEEP_SIZE,
  FD_CLOEXEC,
  MAP_SHARED,
  O_APPEND,
  O_CLOEXEC,
  O_LARGEFILE,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_WRONLY,
  PROT_READ,
  PROT_WRITE,
  S_IFREG,
  SEEK_CUR,
  SEEK_SET,
} from "../../../ffi/abi/fcntl.ts";
import { answers, equal, pattern, type RebootCase, type World } from "../world.ts";

const PAGE = 4096;
const MIB = 1 << 20;

const sizes = [0, 1, 100, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE + 17, 2 * MIB, 3 * MIB + 5];

/** Files of different kinds, which all come back as the same kind. */
const kinds: readonly [what: string, make: (world: World) => number][] = [
  ["a memfd", (world) => world.memfd(pattern(5000))],
  ["a memfd without flags", (world) => world.memfd(pattern(5000), 0)],
  ["a read-only fd", (world) => {
    const memfd = world.memfd(pattern(5000));
    return world.keep(world.sys.open(`/proc/self/fd/${memfd}`, O_RDONLY));
  }],
  ["an O_APPEND fd", (world) => withFlags(world, O_APPEND)],
  ["an O_NONBLOCK fd", (world) => withFlags(world, O_NONBLOCK)],
  ["a write-only O_TMPFILE", (world) => {
    const file = world.keep(world.sys.open(world.paths.tmpfs, O_TMPFILE | O_WRONLY, 0o600));
    answers(world.sys.pwrite(file, pattern(5000), 0n), 5000);
    return file;
  }],
  ["a file whose mode was changed", (world) => {
    const memfd = world.memfd(pattern(5000));
    answers(world.sys.fchmod(memfd, 0o600), 0);
    return memfd;
  }],
];

function withFlags(world: World, flags: number): number {
  const memfd = world.memfd(pattern(5000));
  answers(world.sys.fcntl(memfd, F_SETFL, flags), 0);
  return memfd;
}

/** A case with one file in a session: `give` makes the file, `take` checks it after the kexec. */
function one(
  name: string,
  give: (world: World) => number,
  take: (world: World, file: number) => void,
): RebootCase {
  return {
    name,
    before(world) {
      const file = give(world);
      world.preserve(world.create(name.slice(0, 63)), file, 1n);
    },
    after(world) {
      take(world, world.restore(world.retrieve(name.slice(0, 63)), 1n));
    },
  };
}

export const fileRebootCases: readonly RebootCase[] = [
  ...sizes.map((size) =>
    one(
      `contents and size: ${size} bytes`,
      (world) => world.memfd(pattern(size, size)),
      (world, file) => world.holds(file, pattern(size, size)),
    )
  ),
  ...kinds.map(([what, make]) =>
    one(`${what} comes back read-write, mode 0777, nameless`, make, (world, file) => {
      answers(world.sys.fcntl(file, F_GETFL), O_RDWR | O_LARGEFILE);
      answers(world.sys.fcntl(file, F_GETFD), FD_CLOEXEC);
      equal(world.sys.readlink(`/proc/self/fd/${file}`), "/ (deleted)");
      const { mode, nlink, uid } = world.stat(file);
      equal(mode, S_IFREG | 0o777);
      equal(nlink, 0);
      equal(uid, 0);
      world.holds(file, pattern(5000));
      answers(world.sys.pwrite(file, pattern(10, 2), 0n), 10);
    })
  ),
  one("a sparse file comes back dense", (world) => {
    const memfd = world.memfd(32 * PAGE);
    answers(world.sys.pwrite(memfd, pattern(100), BigInt(16 * PAGE)), 100);
    return memfd;
  }, (world, file) => {
    equal(world.stat(file).blocks, 32n * 8n);
    const expected = new Uint8Array(32 * PAGE);
    expected.set(pattern(100), 16 * PAGE);
    world.holds(file, expected);
  }),
  one("pages after the end of a file (FALLOC_FL_KEEP_SIZE) are not handed over", (world) => {
    const memfd = world.memfd(pattern(100));
    answers(world.sys.fallocate(memfd, FALLOC_FL_KEEP_SIZE, 0n, BigInt(10 * PAGE)), 0);
    equal(world.stat(memfd).blocks, 10n * 8n);
    return memfd;
  }, (world, file) => {
    equal(world.stat(file).blocks, 8n);
    world.holds(file, pattern(100));
  }),
  {
    name: "bytes written after PRESERVE_FD, by write and through a mapping, come over",
    before(world) {
      const memfd = world.memfd(2 * PAGE);
      world.preserve(world.create("written later"), memfd, 1n);
      const address = world.sys.mmap(
        BigInt(PAGE),
        PROT_READ | PROT_WRITE,
        MAP_SHARED,
        memfd,
        BigInt(PAGE),
      );
      answers(world.sys.pwrite(memfd, pattern(100, 2), 10n), 100);
      world.sys.store(address + 20n, pattern(100, 3));
    },
    after(world) {
      const expected = new Uint8Array(2 * PAGE);
      expected.set(pattern(100, 2), 10);
      expected.set(pattern(100, 3), PAGE + 20);
      world.holds(world.restore(world.retrieve("written later"), 1n), expected);
    },
  },
  ...([[0n, 0n], [0n, 100n], [100n, 4000n], [4000n, 100n], [4000n, 9000n]] as const).map((
    [at_preserve, at_kexec],
  ) => ({
    name: `position ${at_kexec} at the kexec (${at_preserve} at PRESERVE_FD) comes over`,
    before(world: World) {
      const memfd = world.memfd(pattern(5000));
      answers(world.sys.lseek(memfd, at_preserve, SEEK_SET), at_preserve);
      world.preserve(world.create(`position ${at_preserve} ${at_kexec}`), memfd, 1n);
      answers(world.sys.lseek(memfd, at_kexec, SEEK_SET), at_kexec);
    },
    after(world: World) {
      const file = world.restore(world.retrieve(`position ${at_preserve} ${at_kexec}`), 1n);
      answers(world.sys.lseek(file, 0n, SEEK_CUR), at_kexec);
    },
  })),
  {
    name: "the position is that of the fd passed in: a dup moves it, another open does not",
    before(world) {
      const memfd = world.memfd(pattern(5000));
      const dup = world.keep(world.sys.dup(memfd));
      const again = world.keep(world.sys.open(`/proc/self/fd/${memfd}`, O_RDWR | O_CLOEXEC));
      world.preserve(world.create("which position"), memfd, 1n);
      world.close(memfd);
      answers(world.sys.lseek(dup, 77n, SEEK_SET), 77);
      answers(world.sys.lseek(again, 99n, SEEK_SET), 99);
    },
    after(world) {
      const file = world.restore(world.retrieve("which position"), 1n);
      answers(world.sys.lseek(file, 0n, SEEK_CUR), 77);
    },
  },
  one(
    "a retrieved file is not frozen, before FINISH already",
    (world) => world.memfd(pattern(100)),
    (world, file) => {
      answers(world.sys.ftruncate(file, 5000n), 0);
      answers(world.sys.fallocate(file, 0, 0n, 9000n), 0);
      answers(world.sys.pwrite(file, pattern(10), 20000n), 10);
      answers(world.sys.ftruncate(file, 100n), 0);
      world.holds(file, pattern(100));
      answers(world.sys.ftruncate(file, 5000n), 0);
      const expected = new Uint8Array(5000);
      expected.set(pattern(100));
      world.holds(file, expected);
    },
  ),
  {
    name: "an O_TMPFILE linked after PRESERVE_FD comes over, nameless",
    before(world) {
      const file = world.keep(world.sys.open(world.paths.tmpfs, O_TMPFILE | O_RDWR, 0o600));
      answers(world.sys.pwrite(file, pattern(100), 0n), 100);
      world.preserve(world.create("linked, handed over"), file, 1n);
      answers(world.sys.link_fd(file, `${world.paths.tmpfs}/linked, handed over`), 0);
    },
    after(world) {
      const file = world.restore(world.retrieve("linked, handed over"), 1n);
      equal(world.stat(file).nlink, 0);
      world.holds(file, pattern(100));
    },
  },
];
