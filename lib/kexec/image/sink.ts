/** Takes unpacked bytes: as many as are allowed, for as long as is allowed. */
import process from "node:process";
import { ImageError } from "./image_error.ts";

/** The processor time that one image may take, in milliseconds. On a busy machine more time passes. */
export const UNPACK_MS: number = 4_000;

const CHECK_EVERY = 1 << 20;

/** The limits for unpacking one image. The parts of one image share it. */
export class Budget {
  readonly #end: number;

  bytes: number;

  constructor(bytes: number, time_ms: number = UNPACK_MS) {
    this.bytes = bytes;
    this.#end = cpuTime_ms() + time_ms;
  }

  /** @throws ImageError `too_slow` */
  checkTime(): void {
    if (cpuTime_ms() < this.#end) return;
    throw new ImageError("too_slow", "it takes too long to unpack");
  }
}

/** Processor time of this process so far. */
function cpuTime_ms(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Grows in place, so that nothing is copied and memory is used only for what has been unpacked. */
export class Sink {
  readonly #buffer: ArrayBuffer;
  readonly #limit: number;
  #bytes: Uint8Array;
  #length = 0;
  #checkAt = CHECK_EVERY;

  readonly budget: Budget;

  constructor(budget: Budget) {
    this.budget = budget;
    this.#limit = budget.bytes;
    this.#buffer = new ArrayBuffer(0, { maxByteLength: Math.max(1, this.#limit) });
    this.#bytes = new Uint8Array(this.#buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** Makes room for so many bytes: write them at `length` of this array. @throws ImageError `too_large`, `too_slow` */
  room(count: number): Uint8Array {
    const end = this.#length + count;
    if (end > this.#limit) throw tooLarge();
    if (end > this.#checkAt) {
      this.budget.checkTime();
      this.#checkAt = end + CHECK_EVERY;
    }
    if (end > this.#buffer.byteLength) {
      this.#buffer.resize(Math.min(this.#limit, Math.max(2 * this.#buffer.byteLength, end, CHECK_EVERY)));
      this.#bytes = new Uint8Array(this.#buffer);
    }
    return this.#bytes;
  }

  /** Says that `room` was used. */
  advance(count: number): void {
    this.#length += count;
  }

  push(bytes: Uint8Array): void {
    this.room(bytes.length).set(bytes, this.#length);
    this.advance(bytes.length);
  }

  /** All of it. Its size counts against the budget. */
  finish(): Uint8Array {
    this.budget.bytes -= this.#length;
    return this.#bytes.subarray(0, this.#length);
  }
}

export function tooLarge(): ImageError {
  return new ImageError("too_large", "it unpacks to more than is read");
}
