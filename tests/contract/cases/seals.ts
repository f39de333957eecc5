/** Cases with a kexec: the seals of a memfd before and after it. */
import {
  F_ADD_SEALS,
  F_GET_SEALS,
  F_SEAL_EXEC,
  F_SEAL_FUTURE_WRITE,
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_NOEXEC_SEAL,
} from "../../../ffi/abi/fcntl.ts";
import { answers, type Case, equal, pattern, type RebootCase } from "../world.ts";

const ALL = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;

/** Seals at PRESERVE_FD, and the seals of the retrieved file. */
const kept: readonly [given: number, flags: number, found: number][] = [
  [0, MFD_ALLOW_SEALING | MFD_EXEC, 0],
  [F_SEAL_SEAL, MFD_EXEC, F_SEAL_SEAL],
  [F_SEAL_SHRINK, MFD_ALLOW_SEALING | MFD_EXEC, F_SEAL_SHRINK],
  [F_SEAL_GROW, MFD_ALLOW_SEALING | MFD_EXEC, F_SEAL_GROW],
  [F_SEAL_WRITE, MFD_ALLOW_SEALING | MFD_EXEC, F_SEAL_WRITE],
  [F_SEAL_FUTURE_WRITE, MFD_ALLOW_SEALING | MFD_EXEC, F_SEAL_FUTURE_WRITE],
  [ALL, MFD_ALLOW_SEALING | MFD_EXEC, ALL],
  // The next kernel sets F_SEAL_EXEC while the file is still executable, which adds all the write seals.
  [F_SEAL_EXEC, MFD_NOEXEC_SEAL, 0x3e],
  [F_SEAL_EXEC | F_SEAL_SEAL, MFD_NOEXEC_SEAL, 0x3f],
  [F_SEAL_EXEC | F_SEAL_SHRINK, MFD_NOEXEC_SEAL, 0x3e],
];

const hex = (seals: number) => `0x${seals.toString(16)}`;

export const sealCases: readonly Case[] = [
  ...kept.map(([given, flags]): Case => ({
    name: `PRESERVE_FD takes a memfd with seals ${hex(given)} and leaves them`,
    run(world) {
      const memfd = world.memfd(pattern(100), flags | MFD_CLOEXEC);
      world.sys.fcntl(memfd, F_ADD_SEALS, given);
      answers(world.sys.fcntl(memfd, F_GET_SEALS), given);
      world.preserve(world.create("sealed"), memfd, 1n);
      answers(world.sys.fcntl(memfd, F_GET_SEALS), given);
    },
  })),
  {
    name: "F_SEAL_WRITE on a preserved file is EBUSY, the weaker seals work",
    run(world) {
      const memfd = world.memfd(100);
      const session = world.create("pinned");
      world.preserve(session, memfd, 1n);
      answers(world.sys.fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE), "EBUSY");
      answers(world.sys.fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), "EBUSY");
      answers(world.sys.fcntl(memfd, F_GET_SEALS), 0);
      answers(world.sys.fcntl(memfd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
      answers(world.sys.pwrite(memfd, new Uint8Array(1), 0n), "EPERM");
      world.close(session);
      answers(world.sys.fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    },
  },
];

export const sealRebootCases: readonly RebootCase[] = [
  ...kept.map(([given, flags, found]): RebootCase => ({
    name: `seals ${hex(given)} come back as ${hex(found)}`,
    before(world) {
      const memfd = world.memfd(pattern(5000), flags | MFD_CLOEXEC);
      world.sys.fcntl(memfd, F_ADD_SEALS, given);
      world.preserve(world.create(`seals ${given}`), memfd, 1n);
    },
    after(world) {
      const file = world.restore(world.retrieve(`seals ${given}`), 1n);
      answers(world.sys.fcntl(file, F_GET_SEALS), found);
      world.holds(file, pattern(5000));
      const sealed = (seal: number) => (found & seal) !== 0;
      const writable = !sealed(F_SEAL_WRITE) && !sealed(F_SEAL_FUTURE_WRITE);
      answers(world.sys.pwrite(file, pattern(10), 0n), writable ? 10 : "EPERM");
      answers(world.sys.fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK), sealed(F_SEAL_SEAL) ? "EPERM" : 0);
      answers(world.sys.ftruncate(file, 5001n), sealed(F_SEAL_GROW) ? "EPERM" : 0);
      equal(world.stat(file).mode & 0o7777, 0o777);
    },
  })),
  {
    name: "seals added after PRESERVE_FD are lost",
    before(world) {
      const memfd = world.memfd(pattern(100));
      answers(world.sys.fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
      world.preserve(world.create("later seals"), memfd, 1n);
      answers(world.sys.fcntl(memfd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SEAL), 0);
    },
    after(world) {
      const file = world.restore(world.retrieve("later seals"), 1n);
      answers(world.sys.fcntl(file, F_GET_SEALS), F_SEAL_SHRINK);
    },
  },
];
