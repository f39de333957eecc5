/** The error of a failed system call, with the operation and its subject. */
import { Errno, type ErrnoCode, type ErrnoName, errnoName } from "../ffi/abi/errno.ts";
import { type Operation, reasonFor } from "./operations.ts";

export { Errno, type ErrnoCode, type ErrnoName } from "../ffi/abi/errno.ts";
export type { Operation, SystemCallName } from "./operations.ts";

/** A failed system call: the operation that failed, its subject, and the errno. */
export class LuoError extends Error {
  /** Tells this error from others across modules. */
  override readonly name = "LuoError";
  /** The operation that failed, a stable word. */
  readonly operation: Operation;
  /** The object of the operation, ready to print: `file 7 in session "vm1"`. */
  readonly subject: string;
  /** The errno, positive. */
  readonly errno: number;
  /** The message without the reason: one line. */
  readonly summary: string;

  /**
   * Builds the message: the sentence with the errno's name, and on a line of its own the reason that this errno gives for the
   * operation. `what` is the sentence; without it the sentence is built from operation and subject.
   */
  constructor(operation: Operation, subject: string, errno: number, what?: string) {
    const summary = `${what ?? `Cannot ${operation} ${subject}`} (${errnoName(errno)})`;
    // A sentence of the caller's gives the reason itself.
    const reason = what === undefined ? reasonFor(operation, subject, errnoName(errno)) : undefined;
    super(reason === undefined ? summary : `${summary}\n  ${reason}`);
    this.operation = operation;
    this.subject = subject;
    this.errno = errno;
    this.summary = summary;
  }

  /** The name of the errno: `EBUSY`; `errno 999` for a number without a name. */
  get code(): ErrnoCode {
    return errnoName(this.errno);
  }

  /** Whether the errno has this name. */
  is(name: ErrnoName): boolean {
    return this.errno === Errno[name];
  }
}

/** Returns a good answer of the kernel, and throws a `LuoError` for a negative one. */
export function check(answer: number, operation: Operation, subject: string): number;
/** Returns a good answer of a call that answers 64 bits, and throws a `LuoError` for a negative one. */
export function check(answer: bigint, operation: Operation, subject: string): bigint;
/** Returns the object or the text that a call answered, and throws a `LuoError` for a negative number. */
export function check<T extends object | string>(
  answer: T | number,
  operation: Operation,
  subject: string,
): T;
export function check<T extends object | string>(
  answer: T | number | bigint,
  operation: Operation,
  subject: string,
): T | number | bigint {
  if ((typeof answer === "number" || typeof answer === "bigint") && answer < 0) {
    throw new LuoError(operation, subject, -Number(answer));
  }
  return answer;
}
