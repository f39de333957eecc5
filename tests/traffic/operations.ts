/** Random traffic: chooses the operations by a seed. */
import { BIG, DEVICE, file, fileSlot, length, offset, sessionNames, SESSIONS, tokens } from "./aims.ts";
import { type ContentOperation, contentOperation, contentWeights } from "./contents.ts";
import { type FdOperation, fdOperation, fdWeights } from "./fds.ts";
import { type ImageOperation, imageOperation, imageWeights } from "./images.ts";
import { type LuoOperation, luoOperation, luoWeights } from "./luo.ts";
import { type MappingOperation, mappingOperation, mappingWeights } from "./mappings.ts";
import { type NameOperation, nameOperation, nameWeights } from "./names.ts";
import { type ProcessOperation, processOperation, processWeights } from "./processes.ts";
import { Random } from "./random.ts";

/**
 * An operation at the seam. Operations name slots (`aims.ts`) and not fds, and depend only on the seed, never on an answer: the same
 * seed gives the same traffic on every kernel. An empty slot is fd -1.
 */
export type Operation =
  | LuoOperation
  | FdOperation
  | ContentOperation
  | ProcessOperation
  | NameOperation
  | MappingOperation
  | ImageOperation;

const weights = {
  ...luoWeights,
  ...fdWeights,
  ...contentWeights,
  ...processWeights,
  ...nameWeights,
  ...mappingWeights,
  ...imageWeights,
} as const satisfies Record<Operation["op"], number>;

/** Tests for the kinds of operations. */
export const is = {
  luo: (o: Operation): o is LuoOperation => Object.hasOwn(luoWeights, o.op),
  fd: (o: Operation): o is FdOperation => Object.hasOwn(fdWeights, o.op),
  content: (o: Operation): o is ContentOperation => Object.hasOwn(contentWeights, o.op),
  process: (o: Operation): o is ProcessOperation => Object.hasOwn(processWeights, o.op),
  name: (o: Operation): o is NameOperation => Object.hasOwn(nameWeights, o.op),
  mapping: (o: Operation): o is MappingOperation => Object.hasOwn(mappingWeights, o.op),
};

/**
 * The `count` operations of one boot, the same for the same seed and boot number. A boot begins by retrieving sessions and ends by
 * preserving files in some. Without that, chance would seldom hand anything over.
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
    yield { op: "retrieve", device: DEVICE, name: random.pick(sessionNames), to };
    for (const token of tokens) {
      if (random.chance(20)) continue;
      const slot = fileSlot(random);
      yield { op: "retrieve_fd", session: to, token, to: slot };
      yield { op: "look", slot };
      yield { op: "pread", slot, offset: 0n, length: BIG };
    }
  }
}

function* departure(random: Random): Generator<Operation> {
  yield { op: "open_device", to: DEVICE };
  for (let to = 0; to < SESSIONS; to++) {
    yield { op: "create", device: DEVICE, name: random.pick(sessionNames), to };
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

function among<T extends object>(op: string, table: T): op is Extract<keyof T, string> {
  return Object.hasOwn(table, op);
}

function operation(random: Random): Operation {
  const op = random.weighted(weights);
  if (among(op, luoWeights)) return luoOperation(op, random);
  if (among(op, fdWeights)) return fdOperation(op, random);
  if (among(op, contentWeights)) return contentOperation(op, random);
  if (among(op, processWeights)) return processOperation(op, random);
  if (among(op, nameWeights)) return nameOperation(op, random, fileSlot(random));
  if (among(op, mappingWeights)) return mappingOperation(op, random, file(random));
  return imageOperation(op, random, () => file(random));
}
