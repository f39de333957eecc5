/** Orders to the guard: which fd numbers of which process it watches, and how the calls go on that it has stopped. */
import type { Notification } from "../../ffi/abi/seccomp.ts";
import type { Ret } from "../../ffi/abi/values.ts";

/** The answer that makes the kernel make a call again (linux/errno.h: ERESTARTNOINTR), after the guard has stopped its thread. */
export const AGAIN = -513;

/** Messages of the guard (watch.c): struct report is u32 kind, tid; i64 value; u64 nr, args[6]. */
export const [CALLED, RETURNED, ACKNOWLEDGED, OPENED] = [103, 104, 105, 106];
export const REPORT_SIZE = 72;
const [GO, VALUE, LEAVE, WATCH, EXPECT, FILE_OF, COUNT_FILTERS, LAZY_MEMORY, UNSURE, CONTENT] = [
  1,
  2,
  3,
  4,
  5,
  6,
  7,
  8,
  9,
  10,
];
const [TELL, EVERYTHING] = [1n, 2n];
const EVERYWHERE = 1n;
const WILL_STOP = 1;
/** struct order: u32 kind, tid; u64 a, b; u32 count, padding; u32 numbers[60]. */
const ORDER_HEAD = 32;
const NUMBERS_MAX = 60;

/** A call that the guard has stopped: before it is made, or after it, with the value that it returned. Or an open that cannot be made again. */
export interface Report {
  readonly call: Notification;
  readonly returned?: bigint;
  readonly opened?: OpenedTripwire;
}

/** A tripwire that was opened by a process that another program traces. The process waits for the file's content. */
export interface OpenedTripwire {
  readonly tid: number;
  /** Of the file system's request. */
  readonly unique: bigint;
  /** Of the plan (tripwires.ts), from 0. */
  readonly index: number;
}

/** The file system's number of the first tripwire: its root has 1. */
const FIRST_NODE = 2;

export function decodeReport(bytes: Uint8Array): Report {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const argument = (index: number) => view.getBigUint64(24 + 8 * index, true);
  const call: Notification = {
    id: 0n,
    tid: view.getUint32(4, true),
    nr: Number(view.getBigUint64(16, true)),
    args: [argument(0), argument(1), argument(2), argument(3), argument(4), argument(5)],
    traced: true,
  };
  const kind = view.getUint32(0, true);
  if (kind === CALLED) return { call };
  if (kind === RETURNED) return { call, returned: view.getBigInt64(8, true) };
  const opened = { tid: call.tid, unique: view.getBigUint64(8, true), index: call.nr - FIRST_NODE };
  return { call, opened };
}

interface Order {
  readonly kind: number;
  readonly tid: number;
  readonly a?: bigint;
  readonly b?: bigint;
  readonly numbers?: readonly number[];
}

/** The guard's channel, as it is needed here. */
export interface GuardChannel {
  tell(order: Uint8Array<ArrayBuffer>, fds?: readonly number[]): void;
  /** Returns the number that the guard acknowledges the order with. */
  ask(order: Uint8Array<ArrayBuffer>): number;
}

export class NumberWatch {
  /** What the guard was told last. */
  #unsure: boolean | undefined;

  /**
   * `channel` undefined: the guard may not trace, and nothing is watched. Without `strict` only the numbers that luo gives and their
   * copies are watched.
   */
  constructor(
    readonly channel: GuardChannel | undefined,
    readonly guard: number,
    readonly strict: boolean,
    /** Opens that only read are not trapped. */
    readonly tripwires: boolean,
  ) {}

  /**
   * From its return to the program on, calls on the number are stopped as long as the number is this file `dev:ino`. The thread's present
   * call is not answered yet.
   */
  number(tid: number, number: number, identity: string): void {
    this.#ask({ kind: EXPECT, tid, b: inodeOf(identity), numbers: [number] });
  }

  /** As `number`, for every number by which a process of the machine has the file `dev:ino`. */
  file(tid: number, identity: string): void {
    if (!this.strict) return;
    const [dev] = identity.split(":").map(BigInt);
    this.#ask({ kind: FILE_OF, tid, a: dev, b: inodeOf(identity) });
  }

  /** Whether the thread's present call is to be answered with AGAIN; luo then hears how it ends. */
  outcome(tid: number, nr: number): boolean {
    return this.strict && this.#ask({ kind: EXPECT, tid, a: TELL, b: BigInt(nr) }) === WILL_STOP;
  }

  /** Whether the thread's present call is to be answered with AGAIN; all numbers of its process are watched then. */
  everything(tid: number): boolean {
    return this.#ask({ kind: EXPECT, tid, a: EVERYTHING }) === WILL_STOP;
  }

  /** From now on a program may fill its memory itself: the guard does not look into it. */
  lazyMemory(tid: number): void {
    this.#ask({ kind: LAZY_MEMORY, tid });
  }

  /**
   * A path may lead to the machine's files where no tripwire lies (tripwires.ts), in processes that can have an fd of the machine, or
   * `everywhere`: there the guard looks at every open.
   */
  unsure(everywhere = false): void {
    if (!this.tripwires || this.#unsure === everywhere || this.#unsure === true) return;
    this.#unsure = everywhere;
    this.#ask({ kind: UNSURE, tid: 0, a: everywhere ? EVERYWHERE : 0n });
  }

  /** How many filters of the process are the guard's. */
  filters(tid: number): number {
    return this.#ask({ kind: COUNT_FILTERS, tid });
  }

  /** The stopped call is made, or the program goes on after it. */
  proceed(tid: number): void {
    this.#tell({ kind: GO, tid });
  }

  answer(tid: number, value: number | bigint): void {
    this.#tell({ kind: VALUE, tid, a: BigInt.asUintN(64, BigInt(value)) });
  }

  /** The stopped call is made, and luo hears how it ends. */
  leave(tid: number): void {
    this.#tell({ kind: LEAVE, tid });
  }

  /** The program goes on after its call, and these numbers are watched. */
  watch(tid: number, numbers: readonly number[]): void {
    this.#tell({ kind: WATCH, tid, numbers: numbers.slice(0, NUMBERS_MAX) });
  }

  /** The open of a tripwire reads the file with this fd, or fails with this errno (negative). */
  content({ tid, unique }: OpenedTripwire, file: Ret): void {
    this.#tell({ kind: CONTENT, tid, a: unique, b: BigInt(Math.max(0, -file)) }, file < 0 ? [] : [file]);
  }

  #tell(order: Order, fds: readonly number[] = []): void {
    this.channel?.tell(encode(order), fds);
  }

  #ask(order: Order): number {
    return this.channel?.ask(encode(order)) ?? 0;
  }
}

function inodeOf(identity: string): bigint {
  return BigInt(identity.split(":")[1] ?? 0);
}

function encode({ kind, tid, a = 0n, b = 0n, numbers = [] }: Order): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(ORDER_HEAD + 4 * numbers.length));
  view.setUint32(0, kind, true);
  view.setUint32(4, tid, true);
  view.setBigUint64(8, a, true);
  view.setBigUint64(16, b, true);
  view.setUint32(24, numbers.length, true);
  numbers.forEach((number, index) => view.setUint32(ORDER_HEAD + 4 * index, number, true));
  return new Uint8Array(view.buffer);
}
