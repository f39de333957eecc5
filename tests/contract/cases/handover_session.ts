/** Cases with a kexec: sessions and their tokens, retrieved, finished, closed or preserved again. */
import { encodeFinish } from "../../../ffi/abi/liveupdate.ts";
import { F_GETFL, F_SETFL, O_APPEND, SEEK_CUR, SEEK_SET } from "../../../ffi/abi/fcntl.ts";
import { finish, getName, preserve, restore } from "../calls.ts";
import { answers, deepEqual, ok, pattern, type RebootCase } from "../world.ts";

const TOKENS = [0n, 1n, 1n << 32n, 1n << 63n, (1n << 64n) - 1n];

/** Hands over a session with one file of 100 bytes, token 1. */
export function give(name: string): Pick<RebootCase, "before"> {
  return { before: (world) => world.preserve(world.create(name), world.memfd(pattern(100)), 1n) };
}

const names: readonly [what: string, name: Uint8Array][] = [
  ["of 63 bytes", new TextEncoder().encode("h".repeat(63))],
  ["in UTF-8", new TextEncoder().encode("übergabe-日本")],
  ["that is no UTF-8", new Uint8Array([0xff, 0xfe, 0x80])],
];

export const sessionRebootCases: readonly RebootCase[] = [
  ...names.map(([what, name]): RebootCase => ({
    name: `a session name ${what} comes over`,
    before: (world) => void world.create(name),
    after(world) {
      const session = world.retrieve(name);
      const struct = getName(world.sys, session);
      ok(typeof struct !== "number");
      deepEqual(struct.slice(8, 8 + name.length), name.slice());
    },
  })),
  {
    name: "an empty session comes over: RETRIEVE_FD ENOENT, FINISH 0",
    before: (world) => void world.create("empty"),
    after(world) {
      const session = world.retrieve("empty");
      answers(restore(world.sys, session, 0n), "ENOENT");
      answers(finish(world.sys, session), 0);
    },
  },
  {
    name: "tokens from 0 to 2^64-1 come over, in any order; others are ENOENT",
    before(world) {
      const session = world.create("all tokens");
      TOKENS.forEach((token, seed) => world.preserve(session, world.memfd(pattern(50, seed)), token));
    },
    after(world) {
      const session = world.retrieve("all tokens");
      for (const seed of [3, 0, 4, 1, 2]) {
        world.holds(world.restore(session, TOKENS[seed] ?? 0n), pattern(50, seed));
      }
      answers(restore(world.sys, session, 2n), "ENOENT");
    },
  },
  {
    name: "RETRIEVE_FD again gives another fd of the same open file",
    ...give("idempotent"),
    after(world) {
      const session = world.retrieve("idempotent");
      const [first, second] = [world.restore(session, 1n), world.restore(session, 1n)];
      ok(first !== second);
      answers(world.sys.lseek(first, 42n, SEEK_SET), 42);
      answers(world.sys.fcntl(first, F_SETFL, O_APPEND), 0);
      answers(world.sys.lseek(second, 0n, SEEK_CUR), 42);
      ok((world.sys.fcntl(second, F_GETFL) & O_APPEND) !== 0);
      world.close(first);
      world.close(second);
      // LUO's own reference keeps the open file until FINISH.
      answers(world.sys.lseek(world.restore(session, 1n), 0n, SEEK_CUR), 42);
    },
  },
  {
    name: "RETRIEVE_SESSION a second time is EINVAL, also from a dup",
    ...give("second time"),
    after(world) {
      const session = world.retrieve("second time");
      answers(world.tryRetrieve("second time"), "EINVAL");
      world.sys.dup(session);
      answers(world.tryRetrieve("second time"), "EINVAL");
      world.holds(world.restore(session, 1n), pattern(100));
    },
  },
  {
    name: "PRESERVE_FD on an incoming session is EINVAL, whatever the fd",
    ...give("incoming"),
    after(world) {
      const session = world.retrieve("incoming");
      answers(preserve(world.sys, session, world.memfd(), 2n), "EINVAL");
      answers(preserve(world.sys, session, -1, 1n), "EINVAL");
      world.holds(world.restore(session, 1n), pattern(100));
    },
  },
  {
    name: "FINISH: the retrieved file stays open, and the session takes no more calls",
    ...give("finished"),
    after(world) {
      const session = world.retrieve("finished");
      const file = world.restore(session, 1n);
      answers(finish(world.sys, session), 0);
      answers(finish(world.sys, session), 0);
      answers(world.tryRetrieve("finished"), "EINVAL");
      answers(restore(world.sys, session, 1n), "ENOENT");
      answers(preserve(world.sys, session, world.memfd(), 5n), "EINVAL");
      ok(typeof getName(world.sys, session) !== "number");
      world.close(session);
      answers(world.tryRetrieve("finished"), "ENOENT");
      world.holds(file, pattern(100));
    },
  },
  {
    name: "FINISH: reserved must be zero, and then nothing is finished",
    ...give("reserved"),
    after(world) {
      const session = world.retrieve("reserved");
      const argument = encodeFinish();
      argument[4] = 1;
      answers(world.ioctl(session, 0xba42, argument), "EINVAL");
      world.holds(world.restore(session, 1n), pattern(100));
    },
  },
  {
    name: "FINISH without a retrieve frees the data: the token is gone",
    ...give("freed"),
    after(world) {
      const session = world.retrieve("freed");
      answers(finish(world.sys, session), 0);
      answers(restore(world.sys, session, 1n), "ENOENT");
    },
  },
  {
    name: "closing a retrieved session is a FINISH",
    ...give("closed"),
    after(world) {
      const session = world.retrieve("closed");
      const file = world.restore(session, 1n);
      world.close(session);
      answers(world.tryRetrieve("closed"), "ENOENT");
      world.holds(file, pattern(100));
    },
  },
  {
    name: "closing one of two copies of a retrieved session finishes nothing",
    ...give("copied, retrieved"),
    after(world) {
      const session = world.retrieve("copied, retrieved");
      const dup = world.keep(world.sys.dup(session));
      world.close(session);
      world.holds(world.restore(dup, 1n), pattern(100));
      answers(world.tryRetrieve("copied, retrieved"), "EINVAL");
    },
  },
  {
    name: "closing the device after RETRIEVE_SESSION does nothing to the session",
    ...give("device closed"),
    after(world) {
      const session = world.retrieve("device closed");
      world.closeDevice();
      world.holds(world.restore(session, 1n), pattern(100));
      answers(world.tryRetrieve("device closed"), "EINVAL");
    },
  },
  {
    name: "the same name incoming and outgoing is no conflict",
    ...give("both ways"),
    after(world) {
      const outgoing = world.create("both ways");
      const incoming = world.retrieve("both ways");
      answers(world.tryCreate("both ways"), "EEXIST");
      world.preserve(outgoing, world.memfd(pattern(10)), 1n);
      world.holds(world.restore(incoming, 1n), pattern(100));
    },
    later(world) {
      world.holds(world.restore(world.retrieve("both ways"), 1n), pattern(10));
    },
  },
  {
    name: "a retrieved file goes into a new session only after FINISH, and through a second live update",
    before(world) {
      world.preserve(world.create("again"), world.memfd(pattern(9000)), 1n);
    },
    after(world) {
      const incoming = world.retrieve("again");
      const file = world.restore(incoming, 1n);
      const outgoing = world.create("again");
      answers(preserve(world.sys, outgoing, file, 2n), "EBUSY");
      answers(finish(world.sys, incoming), 0);
      answers(world.sys.pwrite(file, pattern(100, 2), 5000n), 100);
      world.preserve(outgoing, file, 2n);
      answers(world.sys.ftruncate(file, 0n), "EPERM");
    },
    later(world) {
      const session = world.retrieve("again");
      answers(restore(world.sys, session, 1n), "ENOENT");
      const expected = pattern(9000);
      expected.set(pattern(100, 2), 5000);
      world.holds(world.restore(session, 2n), expected);
    },
  },
  {
    name: "a session not retrieved, and one retrieved but not finished, do not go into the next live update",
    before(world) {
      world.create("not retrieved");
      world.create("not finished");
    },
    after(world) {
      world.retrieve("not finished");
    },
    later(world) {
      answers(world.tryRetrieve("not retrieved"), "ENOENT");
      answers(world.tryRetrieve("not finished"), "ENOENT");
    },
  },
  {
    name: "an outgoing session closed before the kexec is not handed over",
    before(world) {
      const session = world.create("closed in time");
      world.preserve(session, world.memfd(pattern(100)), 1n);
      world.close(session);
    },
    after: (world) => answers(world.tryRetrieve("closed in time"), "ENOENT"),
  },
  {
    name: "200 files in a session and 120 sessions come over",
    before(world) {
      const session = world.create("200 files");
      for (let i = 0; i < 200; i++) {
        const memfd = world.memfd(pattern(20 + i, i));
        world.preserve(session, memfd, BigInt(i));
        world.close(memfd);
      }
      for (let i = 0; i < 120; i++) world.create(`of 120: ${i}`);
    },
    after(world) {
      const session = world.retrieve("200 files");
      for (let i = 199; i >= 0; i--) {
        const file = world.restore(session, BigInt(i * 7 % 200));
        world.holds(file, pattern(20 + i * 7 % 200, i * 7 % 200));
        world.close(file);
      }
      for (let i = 119; i >= 0; i--) world.close(world.retrieve(`of 120: ${i}`));
      answers(world.tryRetrieve("of 120: 120"), "ENOENT");
    },
  },
];
