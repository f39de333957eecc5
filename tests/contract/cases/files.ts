/** Cases: system calls on files, mappings, pipes and pidfds, without the device. */
import {
  F_ADD_SEALS,
  F_GETFL,
  F_SEAL_GROW,
  F_SETFL,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  MAP_PRIVATE,
  MAP_SHARED,
  MFD_CLOEXEC,
  MFD_HUGETLB,
  O_ACCMODE,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  POLLIN,
  PROT_READ,
  PROT_WRITE,
  SEEK_CUR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
  SEEK_SET,
} from "../../../ffi/abi/fcntl.ts";
import { answers, type Case, deepEqual, equal, good, pattern, type World } from "../world.ts";

const PAGE = 4096n;
const HUGE_PAGE = 2n * 1024n * 1024n;
const POLLHUP = 0x10;
/** The value of x86-64. */
const O_DIRECT = 0o40000;

const pidfd = (world: World) => world.keep(world.sys.pidfd_open(world.sys.getpid(), 0));
const reopen = ({ sys }: World, fd: number, flags: number) =>
  sys.open(`/proc/self/fd/${fd}`, flags | O_CLOEXEC);

function mapped(world: World, fd: number, flags: number, pages = 1n): bigint {
  const address = world.sys.mmap(pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0n);
  good(Number(address < 0n ? address : 0n), "mmap");
  return address;
}

function loaded(world: World, address: bigint): number {
  const into = new Uint8Array(1);
  world.sys.load(address, into);
  return into[0] ?? -1;
}

/** Random traffic has found a defect of the model in each of these cases. */
export const fileCases: readonly Case[] = [
  {
    name: "pidfd: read, write, lseek, ftruncate and fallocate are errors",
    run(world) {
      const { sys } = world;
      const fd = pidfd(world);
      answers(sys.pread(fd, new Uint8Array(1), 0n), "EINVAL");
      answers(sys.pwrite(fd, new Uint8Array(1), 0n), "EINVAL");
      answers(sys.lseek(fd, 0n, SEEK_SET), "ESPIPE");
      answers(sys.ftruncate(fd, 0n), "EOPNOTSUPP");
      answers(sys.fallocate(fd, 0, 0n, 1n), "EOPNOTSUPP");
    },
  },
  {
    name: "pidfd: one inode for a process, opened again by its fd",
    run(world) {
      const fd = pidfd(world);
      equal(world.stat(fd).ino, world.stat(pidfd(world)).ino);
      equal(world.stat(fd).mode, 0o700);
      const again = world.keep(reopen(world, fd, O_RDONLY));
      equal(world.stat(again).ino, world.stat(fd).ino);
      answers(world.sys.ftruncate(again, 0n), "EINVAL");
      answers(reopen(world, fd, O_RDWR | O_TRUNC), "EOPNOTSUPP");
    },
  },
  {
    name: "kexec load: a pidfd is ETXTBSY, and one that is only open read-only is EINVAL",
    run(world) {
      const { sys } = world;
      const fd = pidfd(world);
      answers(sys.kexec_file_load(fd, -1, 0n, null, 0n), "ETXTBSY");
      const again = world.keep(reopen(world, fd, O_RDONLY));
      world.close(fd);
      answers(sys.kexec_file_load(again, -1, 0n, null, 0n), "EINVAL");
    },
  },
  {
    name: "hugetlb memfd: mmap is ENOMEM without huge pages, and SEEK_DATA finds no holes",
    run(world) {
      const { sys } = world;
      const fd = world.memfd(0, MFD_CLOEXEC | MFD_HUGETLB);
      answers(sys.ftruncate(fd, 2n * HUGE_PAGE), 0);
      answers(sys.mmap(PAGE, PROT_READ, MAP_SHARED, fd, 0n), "ENOMEM");
      answers(sys.mmap(PAGE, PROT_READ, MAP_SHARED, fd, PAGE), "EINVAL");
      answers(sys.lseek(fd, 5n, SEEK_DATA), 5n);
      answers(sys.lseek(fd, 5n, SEEK_HOLE), 2n * HUGE_PAGE);
      answers(sys.lseek(fd, 2n * HUGE_PAGE, SEEK_DATA), "ENXIO");
    },
  },
  {
    name: "memfd: O_DIRECT is EINVAL by F_SETFL, until it is opened by its link",
    run(world) {
      const { sys } = world;
      const fd = world.memfd();
      answers(sys.fcntl(fd, F_SETFL, O_DIRECT), "EINVAL");
      const again = world.keep(sys.open(`/proc/self/fd/${fd}`, O_RDWR | O_CLOEXEC));
      answers(sys.fcntl(again, F_SETFL, O_DIRECT), 0);
      equal((good(sys.fcntl(again, F_GETFL), "F_GETFL") & O_DIRECT) !== 0, true);
    },
  },
  {
    name: "tmpfs directory: lseek moves the position, SEEK_END is EINVAL",
    run(world) {
      const { sys } = world;
      const fd = world.keep(sys.open(world.paths.tmpfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      answers(sys.lseek(fd, 7n, SEEK_SET), 7n);
      answers(sys.lseek(fd, 7n, SEEK_CUR), 14n);
      answers(sys.lseek(fd, 0n, SEEK_END), "EINVAL");
    },
  },
  {
    name: "O_PATH: keeps a memfd, which can be opened again when every other fd is closed",
    run(world) {
      const contents = pattern(5000);
      const fd = world.memfd(contents);
      const path = world.keep(reopen(world, fd, O_PATH));
      world.close(fd);
      answers(world.sys.read(path, new Uint8Array(1)), "EBADF");
      world.holds(world.keep(reopen(world, path, O_RDWR)), contents);
    },
  },
  {
    name: "private mapping: written pages survive a hole in the file, and are lost when the file is cut",
    run(world) {
      const { sys } = world;
      const fd = world.memfd(3 * Number(PAGE));
      const address = mapped(world, fd, MAP_PRIVATE, 3n);
      for (let page = 0n; page < 3n; page++) sys.store(address + page * PAGE, new Uint8Array([7]));
      answers(sys.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0n, 3n * PAGE), 0);
      equal(loaded(world, address + 2n * PAGE), 7);
      answers(sys.ftruncate(fd, PAGE + 1n), 0);
      answers(sys.ftruncate(fd, 3n * PAGE), 0);
      deepEqual([0n, 1n, 2n].map((page) => loaded(world, address + page * PAGE)), [7, 7, 0]);
      answers(sys.munmap(address, 3n * PAGE), 0);
    },
  },
  {
    name: "memfd: a hole punched far after the end changes nothing",
    run(world) {
      const fd = world.memfd(Number(PAGE));
      const before = world.stat(fd);
      answers(world.sys.fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1n << 62n, 1n), 0);
      deepEqual(world.stat(fd), before);
    },
  },
  {
    name: "memfd: fallocated pages are blocks, and holes until they are used or fallocated again",
    run(world) {
      const { sys } = world;
      const fd = world.memfd();
      answers(sys.fallocate(fd, 0, 0n, 4n * PAGE), 0);
      equal(world.stat(fd).blocks, 32n);
      answers(sys.lseek(fd, 0n, SEEK_DATA), "ENXIO");
      answers(sys.pwrite(fd, new Uint8Array(1), PAGE), 1);
      answers(sys.lseek(fd, 0n, SEEK_DATA), PAGE);
      answers(sys.lseek(fd, PAGE, SEEK_HOLE), 2n * PAGE);
      answers(sys.fallocate(fd, 0, 3n * PAGE, PAGE), 0);
      answers(sys.lseek(fd, 2n * PAGE, SEEK_DATA), 3n * PAGE);
    },
  },
  {
    name: "memfd: reading a hole through a mapping gives it a page, read(2) does not",
    run(world) {
      const fd = world.memfd(2 * Number(PAGE));
      good(world.sys.read(fd, new Uint8Array(100)), "read");
      equal(world.stat(fd).blocks, 0n);
      const address = mapped(world, fd, MAP_SHARED);
      equal(loaded(world, address), 0);
      equal(world.stat(fd).blocks, 8n);
      answers(world.sys.munmap(address, PAGE), 0);
    },
  },
  {
    name: "memfd: opened with the access mode 3 it is neither read nor written, and can be preserved",
    run(world) {
      const { sys } = world;
      const fd = world.keep(reopen(world, world.memfd(100), O_ACCMODE));
      answers(sys.pread(fd, new Uint8Array(1), 0n), "EBADF");
      answers(sys.pwrite(fd, new Uint8Array(1), 0n), "EBADF");
      answers(sys.ftruncate(fd, 1n), "EINVAL");
      answers(sys.fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), "EPERM");
      world.preserve(world.create("neither"), fd, 1n);
    },
  },
  {
    name: "FIFO: no hang-up before the first writer, one after it",
    run(world) {
      const { sys } = world;
      const path = `${world.paths.tmpfs}/quiet`;
      answers(sys.mkfifo(path, 0o600), 0);
      const reader = world.keep(sys.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
      answers(sys.poll(reader, POLLIN), 0);
      world.close(world.keep(sys.open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)));
      answers(sys.poll(reader, POLLIN), POLLHUP);
      answers(sys.unlink(path), 0);
    },
  },
  {
    name: "link: a FIFO gets a second name, a directory is EPERM",
    run(world) {
      const { sys, paths: { tmpfs } } = world;
      answers(sys.mkfifo(`${tmpfs}/one name`, 0o600), 0);
      const fifo = world.keep(sys.open(`${tmpfs}/one name`, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
      answers(sys.link_fd(fifo, `${tmpfs}/two names`), 0);
      equal(world.stat(fifo).nlink, 2);
      const directory = world.keep(sys.open(tmpfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      answers(sys.link_fd(directory, `${tmpfs}/a directory`), "EPERM");
      for (const name of ["one name", "two names"]) answers(sys.unlink(`${tmpfs}/${name}`), 0);
    },
  },
];
