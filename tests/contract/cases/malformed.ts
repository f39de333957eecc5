/** Cases: ioctls with malformed arguments. */
import { decodeFd } from "../../../ffi/abi/liveupdate.ts";
import { memory } from "../calls.ts";
import { answers, type Case, equal, ok, type World } from "../world.ts";

/** A request, and an fd that takes it. The kernel checks the argument before it starts the operation. */
interface Request {
  readonly name: string;
  readonly number: number;
  readonly size: number;
  readonly on: "device" | "session";
  /** The answer to a well-formed argument here. */
  readonly answer: "ENOENT" | "EBADF" | 0;
}

const requests: readonly Request[] = [
  { name: "CREATE_SESSION", number: 0xba00, size: 72, on: "device", answer: 0 },
  { name: "RETRIEVE_SESSION", number: 0xba01, size: 72, on: "device", answer: "ENOENT" },
  { name: "PRESERVE_FD", number: 0xba40, size: 16, on: "session", answer: "EBADF" },
  { name: "GET_NAME", number: 0xba43, size: 72, on: "session", answer: 0 },
];

/** An argument of `size` bytes with a session's name "m" and fd -1. Its size field is `says`. */
function argument(request: Request, size: number, says = size): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(Math.max(size, 16));
  const view = new DataView(whole.buffer);
  view.setUint32(0, says, true);
  if (request.number !== 0xba43) view.setInt32(4, -1, true);
  if (request.on === "device") whole[8] = "m".charCodeAt(0);
  return whole.slice(0, size);
}

function target(world: World, request: Request): number {
  return request.on === "device" ? world.device : world.create("target");
}

function ask(world: World, request: Request, bytes: Uint8Array, number = request.number) {
  const answer = world.ioctl(target(world, request), number, memory(bytes));
  if (answer === 0 && number === 0xba00) world.adoptAnswer(bytes);
  return answer;
}

interface Row {
  readonly what: string;
  readonly expected: "EINVAL" | "EFAULT" | "E2BIG" | "ENOTTY" | "as well-formed";
  bytes(request: Request): Uint8Array;
  number?(request: Request): number;
}

const tail = (request: Request, size: number, at: number, says = size) => {
  const bytes = argument(request, size, says);
  bytes[at] = 1;
  return bytes;
};

const rows: readonly Row[] = [
  { what: "well-formed", expected: "as well-formed", bytes: (r) => argument(r, r.size) },
  { what: "size 0", expected: "EINVAL", bytes: (r) => argument(r, r.size, 0) },
  { what: "size 4", expected: "EINVAL", bytes: (r) => argument(r, 4) },
  { what: "size one below the least", expected: "EINVAL", bytes: (r) => argument(r, r.size, r.size - 1) },
  { what: "one byte more, zero", expected: "as well-formed", bytes: (r) => argument(r, r.size + 1) },
  { what: "one byte more, not zero", expected: "E2BIG", bytes: (r) => tail(r, r.size + 1, r.size) },
  { what: "a page, all zero", expected: "as well-formed", bytes: (r) => argument(r, 4096) },
  { what: "a page, its last byte not zero", expected: "E2BIG", bytes: (r) => tail(r, 4096, 4095) },
  { what: "64 KiB, all zero", expected: "as well-formed", bytes: (r) => argument(r, 65536) },
  {
    what: "the struct ends where memory ends",
    expected: "EFAULT",
    bytes: (r) => argument(r, r.size - 1, r.size),
  },
  { what: "only the size is readable", expected: "EFAULT", bytes: (r) => argument(r, 4, r.size) },
  { what: "not even the size is readable", expected: "EFAULT", bytes: (r) => argument(r, 3) },
  { what: "nothing is readable", expected: "EFAULT", bytes: () => new Uint8Array(0) },
  { what: "the tail is not readable", expected: "EFAULT", bytes: (r) => argument(r, r.size, r.size + 8) },
  {
    what: "the tail is not readable, not zero before that",
    expected: "E2BIG",
    bytes: (r) => tail(r, r.size + 8, r.size + 3, r.size + 4096),
  },
  {
    what: "size 2^32-1, memory ends",
    expected: "EFAULT",
    bytes: (r) => argument(r, r.size + 64, 0xffffffff),
  },
  {
    what: "right nr, direction and size bits set",
    expected: "ENOTTY",
    bytes: (r) => argument(r, r.size),
    number: (r) => (0xc0000000 | r.size << 16 | r.number) >>> 0,
  },
  {
    what: "right nr, another type",
    expected: "ENOTTY",
    bytes: (r) => argument(r, r.size),
    number: (r) => 0xbb00 | r.number & 0xff,
  },
  {
    what: "direction bits set and size 0: ENOTTY comes first",
    expected: "ENOTTY",
    bytes: (r) => argument(r, r.size, 0),
    number: (r) => 0x40000000 | r.number,
  },
  {
    what: "direction bits set and no size to read: EFAULT comes first",
    expected: "EFAULT",
    bytes: () => new Uint8Array(0),
    number: (r) => 0x40000000 | r.number,
  },
];

const table = requests.flatMap((request) =>
  rows.map((row): Case => ({
    name: `${request.name}: ${row.what}`,
    run(world) {
      const answer = ask(world, request, row.bytes(request), row.number?.(request));
      answers(answer, row.expected === "as well-formed" ? request.answer : row.expected);
    },
  }))
);

const nullPointers = requests.map((request): Case => ({
  name: `${request.name}: the null pointer is EFAULT`,
  run(world) {
    answers(world.ioctl(target(world, request), request.number, null), "EFAULT");
  },
}));

/** Requests that the fd does not have: EINVAL, and the kernel does not read the argument. */
const unknown: readonly [on: "device" | "session", number: number][] = [
  ["device", 0xba02],
  ["device", 0xba3f],
  ["device", 0xba40],
  ["device", 0xba43],
  ["device", 0xbaff],
  ["device", 0xbb02],
  ["device", 0xc010ba40],
  ["session", 0xba00],
  ["session", 0xba01],
  ["session", 0xba3f],
  ["session", 0xba44],
  ["session", 0xbaff],
  ["session", 0xbb44],
  ["session", 0],
];

const unknownCases = unknown.map(([on, number]): Case => ({
  name: `${on}: request 0x${number.toString(16)} is EINVAL, whatever the pointer`,
  run(world) {
    const fd = on === "device" ? world.device : world.create("unknown");
    answers(world.ioctl(fd, number, null), "EINVAL");
    answers(world.ioctl(fd, number, new Uint8Array(72)), "EINVAL");
  },
}));

const [FIONCLEX, FIOCLEX, FIONBIO, FIOASYNC, FIONREAD] = [0x5450, 0x5451, 0x5421, 0x5452, 0x541b];
const one = () => new Uint8Array([1, 0, 0, 0]);

const generic = (["device", "session"] as const).map((on): Case => ({
  name: `${on}: generic ioctls are answered before those of LUO`,
  run(world) {
    const fd = on === "device" ? world.device : world.create("generic");
    answers(world.ioctl(fd, FIONCLEX, null), 0);
    answers(world.sys.fcntl(fd, 1), 0);
    answers(world.ioctl(fd, FIOCLEX, null), 0);
    answers(world.sys.fcntl(fd, 1), 1);
    answers(world.ioctl(fd, FIONBIO, one()), 0);
    ok((world.sys.fcntl(fd, 3) & 0o4000) !== 0);
    answers(world.ioctl(fd, FIONBIO, null), "EFAULT");
    answers(world.ioctl(fd, FIOASYNC, one()), "ENOTTY");
    answers(world.ioctl(fd, FIOASYNC, new Uint8Array(4)), 0);
    answers(world.ioctl(fd, FIOASYNC, null), "EFAULT");
    answers(world.ioctl(fd, FIONREAD, one()), "EINVAL");
  },
}));

export const malformedCases: readonly Case[] = [
  ...table,
  ...nullPointers,
  ...unknownCases,
  ...generic,
  ...([["RETRIEVE_FD", 0xba41, 16], ["FINISH", 0xba42, 8]] as const).flatMap((
    [name, number, size],
  ): Case[] => [
    {
      name: `${name} on an outgoing session is EINVAL, also when it is too short or has a tail`,
      run(world) {
        const session = world.create("outgoing");
        for (const says of [size, 0, size - 1, size + 8]) {
          const bytes = new Uint8Array(size + 8).fill(1, size);
          new DataView(bytes.buffer).setUint32(0, says, true);
          answers(world.ioctl(session, number, bytes), "EINVAL");
        }
      },
    },
    {
      name: `${name} on an outgoing session: no size to read is EFAULT, direction bits are ENOTTY`,
      run(world) {
        const session = world.create("outgoing");
        answers(world.ioctl(session, number, null), "EFAULT");
        answers(world.ioctl(session, 0x80000000 + number, new Uint8Array(size)), "ENOTTY");
      },
    },
  ]),
  {
    name: "an answer is as long as the struct the kernel knows: the tail stays as it was",
    run(world) {
      const bytes = new Uint8Array(80);
      new DataView(bytes.buffer).setUint32(0, 80, true);
      bytes[8] = 0x61;
      answers(world.ioctl(world.device, 0xba00, bytes), 0);
      world.keep(decodeFd(bytes));
      equal(new DataView(bytes.buffer).getUint32(0, true), 80);
      equal(bytes.subarray(72).every((byte) => byte === 0), true);
    },
  },
  {
    name: "an ioctl of an fd that is closed is EBADF, of a memfd ENOTTY",
    run(world) {
      answers(world.ioctl(-1, 0xba00, null), "EBADF");
      answers(world.ioctl(world.memfd(), 0xba40, new Uint8Array(16)), "ENOTTY");
    },
  },
];
