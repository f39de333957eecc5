/** Cases: names of sessions, creating and closing sessions. */
import { decodeFd, encodeFd, encodeGetName, encodeSession } from "../../../ffi/abi/liveupdate.ts";
import { create, getName, memory, preserve } from "../calls.ts";
import { answers, type Case, deepEqual, equal, ok } from "../world.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Name fields, with the answer of CREATE_SESSION. */
const names: readonly [what: string, field: Uint8Array, answer: "EINVAL" | "made"][] = [
  ["empty", bytes(""), "EINVAL"],
  ["a NUL and then more", bytes("\0abc"), "EINVAL"],
  ["of one byte", bytes("x"), "made"],
  ["of 63 bytes", bytes("n".repeat(63)), "made"],
  ["of 64 bytes, without NUL", bytes("n".repeat(64)), "EINVAL"],
  ["in UTF-8", bytes("Größe-日本"), "made"],
  ["that is no UTF-8", new Uint8Array([0xff, 0xfe, 0x80, 0xc0]), "made"],
  ["with slashes, spaces, a line break", bytes("../a b\n/c"), "made"],
  ["with bytes after the NUL", bytes("ab\0garbage"), "made"],
];

const untilNul = (field: Uint8Array) =>
  field.subarray(0, field.includes(0) ? field.indexOf(0) : field.length);

const nameCases = names.flatMap(([what, field, answer]): Case[] => [
  {
    name: `CREATE_SESSION: a name ${what} is ${answer}`,
    run(world) {
      if (answer === "EINVAL") return answers(world.tryCreate(field), "EINVAL");
      const session = world.create(field);
      const struct = getName(world.sys, session);
      ok(typeof struct !== "number");
      const name = untilNul(field);
      deepEqual(struct.subarray(8, 8 + name.length), name);
      equal(struct[8 + name.length], 0);
      answers(world.tryCreate(name), "EEXIST");
    },
  },
  {
    name: `RETRIEVE_SESSION: a name ${what} is ENOENT when nothing was handed over by it`,
    run(world) {
      answers(world.tryRetrieve(field), "ENOENT");
    },
  },
]);

export const sessionCases: readonly Case[] = [
  ...nameCases,
  {
    name: "CREATE_SESSION: EEXIST while a session of that name is open, free again after its close",
    run(world) {
      const first = world.create("twice");
      answers(world.tryCreate("twice"), "EEXIST");
      world.create("Twice");
      world.create("twice ");
      world.close(first);
      world.create("twice");
    },
  },
  {
    name: "CREATE_SESSION: the answer holds the new fd, size and name untouched",
    run(world) {
      const argument = encodeSession("answer");
      argument.fill(0xee, 20);
      const given = argument.slice();
      answers(world.ioctl(world.device, 0xba00, argument), 0);
      ok(world.adoptAnswer(argument) >= 0);
      deepEqual(argument.subarray(8), given.subarray(8));
      deepEqual(argument.subarray(0, 4), given.subarray(0, 4));
    },
  },
  {
    name: "CREATE_SESSION: a refused one leaves the argument alone",
    run(world) {
      const argument = encodeSession("");
      answers(world.ioctl(world.device, 0xba00, argument), "EINVAL");
      deepEqual(argument, encodeSession(""));
    },
  },
  {
    name: "CREATE_SESSION: with an answer that cannot be written it is EFAULT and undone",
    run(world) {
      answers(world.ioctl(world.device, 0xba00, memory(encodeSession("undone"), false)), "EFAULT");
      world.create("undone");
    },
  },
  {
    name: "PRESERVE_FD: with an answer that cannot be written it is EFAULT and done",
    run(world) {
      const session = world.create("faulty answer");
      const memfd = world.memfd();
      answers(world.ioctl(session, 0xba40, memory(encodeFd(1n, memfd), false)), "EFAULT");
      answers(preserve(world.sys, session, memfd, 1n), "EEXIST");
      answers(preserve(world.sys, session, memfd, 2n), "EBUSY");
    },
  },
  {
    name: "GET_NAME: with an answer that cannot be written it is EFAULT",
    run(world) {
      answers(world.ioctl(world.create("faulty answer"), 0xba43, memory(encodeGetName(), false)), "EFAULT");
    },
  },
  {
    name: "GET_NAME: reserved must be zero",
    run(world) {
      const argument = encodeGetName();
      argument[4] = 1;
      answers(world.ioctl(world.create("reserved"), 0xba43, argument), "EINVAL");
    },
  },
  ...[1, 3, 7, 8, 9, 15, 62, 63].map((length): Case => ({
    name: `GET_NAME: a name of ${length} bytes is zero-filled only to a multiple of eight`,
    run(world) {
      const struct = getName(world.sys, world.create("n".repeat(length)));
      ok(typeof struct !== "number");
      const filled = Math.ceil((length + 1) / 8) * 8;
      const expected = new Uint8Array(64).fill(0xaa).fill(0, 0, filled);
      expected.set(bytes("n".repeat(length)));
      deepEqual(struct.slice(8), expected);
    },
  })),
  {
    name: "EMFILE comes before any name error, and changes nothing",
    run(world) {
      const device = world.device;
      const filler: number[] = [];
      for (let fd = world.sys.dup(device); fd >= 0; fd = world.sys.dup(device)) filler.push(fd);
      const good = create(world.sys, device, "no room");
      const bad = create(world.sys, device, "");
      const absent = world.ioctl(device, 0xba01, encodeSession("absent"));
      filler.forEach((fd) => world.sys.close(fd));
      answers(good, "EMFILE");
      answers(bad, "EMFILE");
      answers(absent, "EMFILE");
      world.create("no room");
    },
  },
  {
    name: "300 sessions at a time",
    run(world) {
      for (let i = 0; i < 300; i++) world.create(`one of many ${i}`);
      answers(world.tryCreate("one of many 299"), "EEXIST");
    },
  },
  {
    name: "new fds are the lowest free numbers",
    run(world) {
      const device = world.device;
      const first = world.create("lowest");
      world.close(first);
      const argument = encodeSession("lowest");
      answers(world.ioctl(device, 0xba00, argument), 0);
      equal(world.keep(decodeFd(argument)), first);
    },
  },
];
