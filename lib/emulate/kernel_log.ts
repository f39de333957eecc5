/** The log of the machine's kernel: syslog(2) and /dev/kmsg read it, and a program may add to it (kernel/printk/printk.c). */
import { Errno } from "../../ffi/abi/errno.ts";
import { joined } from "../joined_bytes.ts";
import type { Ret } from "../system_calls.ts";

/** The part of a kernel that has its log. */
export interface LoggingKernel {
  readonly log: readonly string[];
  /** The number of the first line that is still in the log. */
  readonly log_start: number;
  /** The levels of lines that are not KERN_INFO. */
  readonly log_levels: ReadonlyMap<number, number>;
  printk(line: string): void;
}

/** The bytes of a record that a program may write (PRINTKRB_RECORD_MAX). */
export const RECORD_MAX = 1024;
/** Of the kernel: KERN_INFO. Of a program: LOG_USER with the default level 4. */
const [INFO, OF_USER, LEVELS] = [6, 12, 7];

/** The facility and level of a record, and its age in microseconds. */
interface Head {
  readonly priority: number;
  readonly time: number;
}

export class KernelLog {
  readonly #booted = performance.now();
  /** Of the records that programs wrote. */
  readonly #heads = new Map<number, Head>();
  /** The first record after the last clear. */
  cleared = 0;
  /** What SYSLOG_ACTION_READ returns next: a record, and the bytes of it that were returned already. */
  #unread = { record: 0, bytes: 0 };

  constructor(readonly kernel: LoggingKernel) {}

  get first(): number {
    return this.kernel.log_start;
  }

  get end(): number {
    return this.kernel.log_start + this.kernel.log.length;
  }

  /** As /dev/kmsg returns a record. */
  record(number: number): Uint8Array {
    const { priority, time } = this.#head(number);
    const text = this.#text(number).replace(/[^ -\x7e]|\\/g, (character) => {
      const bytes = new TextEncoder().encode(character);
      return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
    });
    return new TextEncoder().encode(`${priority},${number},${time},-;${text}\n`);
  }

  /** The records from the last clear on that fit, the newest ones. */
  newest(size: number): Uint8Array {
    const records: Uint8Array[] = [];
    let room = size;
    for (let number = this.end - 1; number >= Math.max(this.first, this.cleared); number--) {
      const bytes = this.#lines(number);
      if (bytes.length > room) break;
      room -= bytes.length;
      records.unshift(bytes);
    }
    return joined(records);
  }

  clear(): void {
    this.cleared = this.end;
  }

  get unread(): number {
    return this.#rest().reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /**
   * Gives whole records to `put`, or the beginning of the first one. None of them is given again, not even one that `put` refuses. The
   * number of bytes; -errno of the first refusal.
   */
  take(size: number, put: (at: number, bytes: Uint8Array) => Ret): Ret {
    let done = 0;
    for (const bytes of this.#rest()) {
      const room = size - done;
      if (room === 0 || (bytes.length > room && done > 0)) break;
      const piece = bytes.subarray(0, room);
      const { record, bytes: before } = this.#unread;
      const whole = piece.length === bytes.length;
      this.#unread = whole ? { record: record + 1, bytes: 0 } : { record, bytes: before + piece.length };
      const answer = put(done, piece);
      if (answer < 0) return done === 0 ? answer : done;
      done += piece.length;
    }
    return done;
  }

  /** A write to /dev/kmsg. */
  write(bytes: Uint8Array): Ret {
    if (bytes.length > RECORD_MAX) return -Errno.EINVAL;
    const written = new TextDecoder().decode(bytes).replace(/\0[^]*$/, "");
    const [prefix = "", number] = /^<(\d*)>/.exec(written) ?? [];
    const given = Number(number ?? OF_USER);
    const priority = given > LEVELS ? given : given | (OF_USER & ~LEVELS);
    const text = written.slice(prefix.length).replace(/\n$/, "");
    if (text === "") return bytes.length;
    this.kernel.printk(text);
    this.#heads.set(this.end - 1, { priority, time: Math.round((performance.now() - this.#booted) * 1000) });
    return bytes.length;
  }

  /** Several writes, of a line each. */
  writeLines(bytes: Uint8Array): void {
    for (const text of new TextDecoder().decode(bytes).split("\n")) {
      this.write(new TextEncoder().encode(text));
    }
  }

  #head(number: number): Head {
    return this.#heads.get(number) ?? { priority: this.kernel.log_levels.get(number) ?? INFO, time: 0 };
  }

  #text(number: number): string {
    return this.kernel.log[number - this.first] ?? "";
  }

  /** As syslog(2) returns a record: each line with its level and time. */
  #lines(number: number): Uint8Array {
    const { priority, time } = this.#head(number);
    const seconds = String(Math.floor(time / 1e6)).padStart(5);
    const start = `<${priority}>[${seconds}.${String(time % 1e6).padStart(6, "0")}] `;
    const lines = this.#text(number).split("\n");
    return new TextEncoder().encode(lines.map((line) => `${start}${line}\n`).join(""));
  }

  /** What SYSLOG_ACTION_READ has not returned yet. */
  #rest(): Uint8Array[] {
    if (this.#unread.record < this.first) this.#unread = { record: this.first, bytes: 0 };
    const { record, bytes } = this.#unread;
    const numbers = Array.from({ length: Math.max(0, this.end - record) }, (_, index) => record + index);
    return numbers.map((number) =>
      number === record ? this.#lines(number).subarray(bytes) : this.#lines(number)
    );
  }
}
