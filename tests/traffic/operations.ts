import * as abi from "../../ffi/abi/fcntl.ts";
import { type ImageOperation, imageOperation, imageWeights } from "./images.ts";
import { type MappingOperation, mappingOperation, mappingWeights } from "./mappings.ts";
import { type NameOperation, nameOperation, nameWeights } from "./names.ts";
import { type ProcessOperation, processOperation, processWeights } from "./processes.ts";
import { Random } from "./random.ts";

/**
 * Random operations at the seam. They name slots, not fds, and depend on the seed alone, never on an answer: so the same
 * seed is the same traffic on every kernel. A slot that holds nothing is fd -1.
 *
 * Slots: 0-5 are for sessions, 6-13 for files, 14 for the device. Any call may be aimed at any slot.
 */
export type Operation =
  | ProcessOperation
  | NameOperation
  | MappingOperation
  | ImageOperation
  | SlotOperation;

export type SlotOperation =
  | { op: "open_device"; to: number }
  | { op: "create" | "retrieve"; device: number; name: string; to: number }
  | { op: "preserve"; session: number; file: number; token: bigint }
  | { op: "retrieve_fd"; session: number; token: bigint; to: number }
  | { op: "finish" | "get_name"; session: number }
  | { op: "malformed"; slot: number; request: number; size: number; bytes: Uint8Array; writable: boolean }
  | { op: "null_pointer"; slot: number; request: number }
  | { op: "memfd"; flags: number; to: number }
  | { op: "open_tmpfile"; flags: number; to: number }
  | { op: "pipe" | "socketpair" | "null_device" | "pidfd"; to: number }
  | { op: "fcntl_dup"; from: number; command: number; at: number; to: number }
  | { op: "set_cloexec"; slot: number; argument: number }
  | { op: "fchmod"; slot: number; mode: number }
  | { op: "dup"; from: number; to: number }
  | { op: "reopen"; from: number; flags: number; to: number }
  | { op: "close"; slot: number }
  | { op: "send" | "receive"; slot: number }
  | { op: "write" | "append"; slot: number; length: number; fill: number }
  | { op: "pwrite"; slot: number; offset: bigint; length: number; fill: number }
  | { op: "read"; slot: number; length: number }
  | { op: "pread"; slot: number; offset: bigint; length: number }
  | { op: "lseek"; slot: number; offset: bigint; whence: number }
  | { op: "ftruncate"; slot: number; length: bigint }
  | { op: "fallocate"; slot: number; mode: number; offset: bigint; length: bigint }
  | { op: "map"; slot: number; page: number; fill: number; remove: boolean }
  | { op: "add_seals"; slot: number; seals: number }
  | { op: "set_flags"; slot: number; flags: number }
  | { op: "look" | "poll"; slot: number };

export const SLOTS = 15;
const DEVICE = 14;
const SESSIONS = 6;
const FILES = 8;
const PAGE = 4096;
const MIB = 1 << 20;

const weights = {
  open_device: 3,
  create: 9,
  retrieve: 7,
  preserve: 16,
  retrieve_fd: 10,
  finish: 3,
  get_name: 3,
  malformed: 10,
  null_pointer: 1,
  memfd: 14,
  open_tmpfile: 2,
  pipe: 1,
  socketpair: 1,
  null_device: 1,
  pidfd: 1,
  dup: 5,
  fcntl_dup: 3,
  set_cloexec: 4,
  fchmod: 2,
  reopen: 2,
  close: 10,
  send: 2,
  receive: 3,
  write: 10,
  append: 3,
  pwrite: 8,
  read: 5,
  pread: 5,
  lseek: 5,
  ftruncate: 6,
  fallocate: 4,
  map: 4,
  add_seals: 2,
  set_flags: 2,
  look: 8,
  poll: 1,
  ...processWeights,
  ...nameWeights,
  ...mappingWeights,
  ...imageWeights,
} as const satisfies Record<Operation["op"], number>;

const requests = [0xba00, 0xba01, 0xba40, 0xba41, 0xba42, 0xba43];
const names = ["a", "b", "c", "vm0", "vm1", "n".repeat(63), "\u00e9t\u00e9", "x y/z"];
const tokens = [0n, 1n, 2n, 3n, 7n, 1n << 63n, (1n << 64n) - 1n];
const sizes = [0, 1, 100, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE, 64 * 1024];
const largeSizes = [2 * MIB - PAGE, 2 * MIB, 2 * MIB + 1, 3 * MIB];

/**
 * The operations of one boot: `count` of them, the same for the same seed and boot number. A boot begins with a look at
 * some of what may have been handed over and ends with sessions that have something in them, or chance would seldom bring
 * anything through a kexec.
 */
export function* operations(seed: number, boot: number, count: number): Generator<Operation> {
  const random = new Random(Math.imul(seed, 1000003) + boot);
  const [first, last] = [[...arrival(random)], [...departure(random)]];
  yield* first;
  for (let done = first.length + last.length; done < count; done++) yield operation(random);
  yield* last;
}

function* arrival(random: Random): Generator<Operation> {
  yield { op: "open_device", to: DEVICE };
  for (let to = 0; to < SESSIONS; to++) {
    if (random.chance(40)) continue;
    yield { op: "retrieve", device: DEVICE, name: random.pick(names), to };
    for (const token of tokens) {
      if (random.chance(20)) continue;
      const slot = fileSlot(random);
      yield { op: "retrieve_fd", session: to, token, to: slot };
      yield { op: "look", slot };
      yield { op: "pread", slot, offset: 0n, length: 4 * MIB };
    }
  }
}

function* departure(random: Random): Generator<Operation> {
  yield { op: "open_device", to: DEVICE };
  for (let to = 0; to < SESSIONS; to++) {
    yield { op: "create", device: DEVICE, name: random.pick(names), to };
    for (const token of tokens) {
      if (random.chance(50)) continue;
      const slot = fileSlot(random);
      yield { op: "memfd", flags: random.pick([1, 3, 0x13, 0x9]), to: slot };
      yield { op: "write", slot, length: length(random), fill: random.below(256) };
      yield { op: "lseek", slot, offset: offset(random), whence: 0 };
      yield { op: "preserve", session: to, file: slot, token };
    }
    if (random.chance(30)) yield { op: "ftruncate", slot: fileSlot(random), length: offset(random) };
    if (random.chance(30)) yield { op: "lseek", slot: fileSlot(random), offset: offset(random), whence: 0 };
  }
}

const fileSlot = (random: Random) => SESSIONS + random.below(FILES);
const session = (random: Random) => random.chance(95) ? random.below(SESSIONS) : random.below(SLOTS);
const file = (random: Random) => random.chance(92) ? fileSlot(random) : random.below(SLOTS);
const device = (random: Random) => random.chance(97) ? DEVICE : random.below(SLOTS);
const length = (random: Random) => random.chance(4) ? random.pick(largeSizes) : random.pick(sizes);
const offset = (random: Random) => BigInt(random.chance(3) ? random.pick(largeSizes) : random.pick(sizes));

function operation(random: Random): Operation {
  const op = random.weighted(weights);
  switch (op) {
    case "open_device":
      return { op, to: random.chance(80) ? DEVICE : file(random) };
    case "create":
    case "retrieve":
      return { op, device: device(random), name: random.pick(names), to: random.below(SESSIONS) };
    case "preserve":
      return { op, session: session(random), file: file(random), token: random.pick(tokens) };
    case "retrieve_fd":
      return { op, session: session(random), token: random.pick(tokens), to: fileSlot(random) };
    case "finish":
    case "get_name":
      return { op, session: session(random) };
    case "malformed":
      return malformed(random);
    case "null_pointer":
      return { op, slot: random.chance(50) ? DEVICE : session(random), request: random.pick(requests) };
    case "spawn":
    case "kill":
      return processOperation(op, random);
    case "open_name":
    case "unlink":
    case "link":
    case "open_fifo":
    case "open_directory":
      return nameOperation(op, random, fileSlot(random));
    case "map_keep":
    case "map_store":
    case "map_load":
    case "map_remove":
    case "map_drop":
      return mappingOperation(op, random, file(random));
    case "load_image":
    case "kexec_nothing":
    case "reboot_unknown":
      return imageOperation(op, random, () => file(random));
    default:
      return fileOperation(op, random);
  }
}

type FileOperation = Exclude<
  SlotOperation["op"],
  | "open_device"
  | "create"
  | "retrieve"
  | "preserve"
  | "retrieve_fd"
  | "finish"
  | "get_name"
  | "malformed"
  | "null_pointer"
>;

function fileOperation(op: FileOperation, random: Random): Operation {
  const slot = file(random);
  switch (op) {
    case "memfd":
      return {
        op,
        flags: random.pick([1, 3, 3, 2, 0x12, 0x13, 0x13, 0x11, 0x9, 0x7, 0x40]),
        to: fileSlot(random),
      };
    case "open_tmpfile":
      return {
        op,
        flags: random.pick([abi.O_RDWR, abi.O_RDWR, abi.O_WRONLY, abi.O_RDWR | abi.O_EXCL]),
        to: fileSlot(random),
      };
    case "pipe":
    case "socketpair":
    case "null_device":
    case "pidfd":
      return { op, to: fileSlot(random) };
    case "dup":
      return random.chance(30)
        ? { op, from: session(random), to: random.below(SESSIONS) }
        : { op, from: slot, to: fileSlot(random) };
    case "reopen":
      return {
        op,
        from: slot,
        flags: random.pick([
          abi.O_RDONLY,
          abi.O_RDWR,
          abi.O_RDWR | abi.O_TRUNC,
          abi.O_WRONLY | abi.O_APPEND,
          abi.O_PATH,
        ]),
        to: fileSlot(random),
      };
    case "fcntl_dup": {
      const command = random.pick([abi.F_DUPFD, abi.F_DUPFD, abi.F_DUPFD_CLOEXEC, 9999]);
      const at = random.pick([0, 0, 10, 200, 0x7fffffff, -1]);
      return random.chance(40)
        ? { op, from: session(random), command, at, to: random.below(SESSIONS) }
        : { op, from: slot, command, at, to: fileSlot(random) };
    }
    case "set_cloexec":
      return { op, slot: random.chance(50) ? session(random) : slot, argument: random.pick([0, 0, 1, 2, 3]) };
    case "fchmod":
      return { op, slot, mode: random.pick([0o600, 0o755, 0, 0o4711]) };
    case "close":
      return { op, slot: random.chance(35) ? session(random) : random.chance(5) ? DEVICE : slot };
    case "send":
    case "receive":
      return { op, slot: random.chance(60) ? session(random) : slot };
    case "write":
    case "append":
      return { op, slot, length: length(random), fill: random.below(256) };
    case "pwrite":
      return { op, slot, offset: offset(random), length: length(random), fill: random.below(256) };
    case "read":
      return { op, slot, length: length(random) };
    case "pread":
      return { op, slot, offset: offset(random), length: length(random) };
    case "lseek":
      return {
        op,
        slot,
        offset: random.chance(10) ? -offset(random) : offset(random),
        whence: random.below(6),
      };
    case "ftruncate":
      return { op, slot, length: offset(random) };
    case "fallocate":
      return {
        op,
        slot,
        mode: random.pick([0, 0, 0, 1, 3, 3, 2, 8, 9, 0x10, 0x11, 0x20, 0x40, 0x80, 0x100]),
        offset: offset(random),
        length: offset(random),
      };
    case "map":
      return { op, slot, page: random.below(4), fill: random.below(256), remove: random.chance(30) };
    case "add_seals":
      return { op, slot, seals: random.pick([1, 2, 4, 6, 8, 0x10, 0x20]) };
    case "set_flags":
      return { op, slot, flags: random.pick([0, abi.O_APPEND, abi.O_NONBLOCK]) };
    case "look":
    case "poll":
      return { op, slot: random.chance(20) ? session(random) : slot };
  }
}

/** An ioctl whose number, size, tail or memory is off in one way or several; now and then in none. */
function malformed(random: Random): Operation {
  const request = random.chance(70)
    ? random.pick(requests)
    : random.pick([0xba02, 0xba3f, 0xba44, 0xbaff, 0x4008ba00, 0xc010ba40, 0xbb00, 0x5451, 0x5421, 0]);
  const right = request === 0xba42 ? 8 : request === 0xba40 || request === 0xba41 ? 16 : 72;
  const size = random.pick([0, 4, right - 1, right, right, right + 1, right + 8, 4096, 0xffffffff]);
  const mapped = random.pick([0, 3, 4, 8, right - 1, right, right + 1, right + 8, right + 64]);
  const bytes = new Uint8Array(mapped);
  if (random.chance(40)) bytes.set(random.bytes(mapped));
  // Arguments behind the size that mostly make sense: fd -1 or a small name, so that more than the generic checks is reached.
  if (mapped >= 16 && random.chance(60)) bytes.fill(0, 4, right);
  if (mapped >= 16 && right === 72 && random.chance(60)) {
    bytes.set(new TextEncoder().encode(random.pick(names)), 8);
  }
  if (mapped >= 4) new DataView(bytes.buffer).setUint32(0, size, true);
  return {
    op: "malformed",
    slot: random.chance(40) ? DEVICE : session(random),
    request,
    size,
    bytes,
    writable: random.chance(85),
  };
}
