/** Cases: /dev/liveupdate as a file, and one opener at a time. */
import {
  F_GETFD,
  F_GETFL,
  F_SETFL,
  F_SETPIPE_SZ,
  FD_CLOEXEC,
  MAP_SHARED,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  POLLIN,
  POLLOUT,
  PROT_READ,
  S_IFCHR,
  S_IFMT,
  SEEK_SET,
} from "../../../ffi/abi/fcntl.ts";
import { LIVEUPDATE_DEVICE } from "../../../ffi/abi/liveupdate.ts";
import { create, preserve } from "../calls.ts";
import { answers, type Case, equal, good, type World } from "../world.ts";

const O_DIRECT = 0o40000;
const POLLRDNORM = 0x40;
const POLLWRNORM = 0x100;

const open = (world: World, flags = O_RDWR) => world.sys.open(LIVEUPDATE_DEVICE, flags | O_CLOEXEC);

export const deviceCases: readonly Case[] = [
  {
    name: "device: a second open in the same process is EBUSY, until the first is closed",
    run(world) {
      const first = world.keep(open(world));
      answers(open(world), "EBUSY");
      answers(open(world, O_RDONLY), "EBUSY");
      world.close(first);
      world.keep(open(world));
    },
  },
  {
    name: "device: a dup keeps it busy",
    run(world) {
      const first = world.keep(open(world));
      const second = world.keep(world.sys.dup(first));
      world.close(first);
      answers(open(world), "EBUSY");
      world.close(second);
      world.keep(open(world));
    },
  },
  {
    name: "device: another process's open is EBUSY, its death frees the device",
    async run(world) {
      const other = world.spawn();
      good(other.sys.open(LIVEUPDATE_DEVICE, O_RDWR | O_CLOEXEC), "open in the other process");
      answers(open(world), "EBUSY");
      await other.kill();
      world.keep(open(world));
    },
  },
  {
    name: "device: reopening it through /proc/self/fd is EBUSY",
    run(world) {
      answers(world.sys.open(`/proc/self/fd/${world.device}`, O_RDWR), "EBUSY");
    },
  },
  ...([["read-only", O_RDONLY], ["write-only", O_WRONLY]] as const).map(([how, flags]): Case => ({
    name: `device: opened ${how} it takes every ioctl`,
    run(world) {
      const device = world.keep(open(world, flags));
      const session = world.keep(create(world.sys, device, "any access"));
      answers(preserve(world.sys, session, world.memfd(), 1n), 0);
    },
  })),
  {
    name: "device: a path that ends with a slash, or goes on after the device, is ENOTDIR",
    run({ sys }) {
      answers(sys.open(`${LIVEUPDATE_DEVICE}/`, O_RDWR), "ENOTDIR");
      answers(sys.open(`${LIVEUPDATE_DEVICE}/x`, O_RDWR), "ENOTDIR");
    },
  },
  {
    name: "device: opened with O_PATH it is not busy, and takes no ioctl",
    run(world) {
      const path = world.keep(open(world, O_PATH | O_CREAT | O_EXCL));
      answers(world.sys.fcntl(path, F_GETFL), O_PATH);
      answers(create(world.sys, path, "by path"), "EBADF");
      world.create("not busy");
    },
  },
  {
    name: "device: opened with O_DIRECT it is EINVAL, and not busy afterwards",
    run(world) {
      answers(open(world, O_RDWR | O_DIRECT), "EINVAL");
      answers(world.sys.fcntl(world.device, F_SETFL, O_DIRECT), "EINVAL");
      answers(world.sys.fcntl(world.create("direct"), F_SETFL, O_DIRECT), "EINVAL");
    },
  },
  {
    name: "device: closing it does nothing to sessions",
    run(world) {
      const session = world.create("stays");
      world.closeDevice();
      world.preserve(session, world.memfd(), 1n);
      answers(world.tryCreate("stays"), "EEXIST");
    },
  },
  {
    name: "device: a character device of mode 0600",
    run(world) {
      const { mode } = world.stat(world.device);
      equal(mode & S_IFMT, S_IFCHR);
      equal(mode & 0o777, 0o600);
    },
  },
  ...([["device", (world: World) => world.device], [
    "session",
    (world: World) => world.create("file calls"),
  ]] as const)
    .map(([what, fd_of]): Case => ({
      name: `${what}: poll is IN|OUT, read and write EINVAL, lseek ESPIPE`,
      run(world) {
        const fd = fd_of(world);
        answers(world.sys.poll(fd, POLLIN | POLLOUT), POLLIN | POLLOUT);
        answers(world.sys.poll(fd, POLLIN), POLLIN);
        answers(world.sys.poll(fd, 0x3fff), POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
        answers(world.sys.fcntl(fd, F_SETPIPE_SZ, 4096), "EBADF");
        answers(world.sys.read(fd, new Uint8Array(8)), "EINVAL");
        answers(world.sys.write(fd, new Uint8Array(8)), "EINVAL");
        answers(world.sys.lseek(fd, 0n, SEEK_SET), "ESPIPE");
      },
    })),
  {
    name: "session: mmap, ftruncate, fallocate, fchmod and another open are errors",
    run(world) {
      const session = world.create("not a file");
      answers(world.sys.mmap(4096n, PROT_READ, MAP_SHARED, session, 0n), "ENODEV");
      answers(world.sys.ftruncate(session, 0n), "EINVAL");
      answers(world.sys.fallocate(session, 0, 0n, 4096n), "ENODEV");
      answers(world.sys.fchmod(session, 0o600), "EOPNOTSUPP");
      answers(world.sys.fcntl(session, F_GETFL), O_RDWR);
      answers(world.sys.open(`/proc/self/fd/${session}`, O_RDWR), "ENXIO");
    },
  },
  {
    name: "session: the fd is O_CLOEXEC and says its name",
    run(world) {
      const session = world.create("name shown");
      answers(world.sys.fcntl(session, F_GETFD), FD_CLOEXEC);
      equal(world.sys.readlink(`/proc/self/fd/${session}`), "anon_inode:[luo_session] name shown");
    },
  },
];
