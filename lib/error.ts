/** The error of a failed system call, with the operation and its subject. */
import { Errno, type ErrnoName, errnoName } from "../ffi/abi/errno.ts";

export { Errno, type ErrnoName } from "../ffi/abi/errno.ts";

/**
 * A failed system call: what could not be done, to what, and why.
 *
 * `operation` is a stable word (`open`, `create`, `retrieve`, `preserve`, `restore`, `finish`, `get_name`, `kexec load`,
 * `kexec exec`, or the name of a plain system call); `subject` is the object of the operation, ready to print; `errno` is
 * positive.
 */
export class LuoError extends Error {
  /** Tells this error from others across modules. */
  override readonly name = "LuoError";

  /** Builds the message out of the operation, its subject and the errno's name. */
  constructor(
    readonly operation: string,
    readonly subject: string,
    readonly errno: number,
    /** The sentence without the errno. Without it the sentence is built from operation and subject. */
    what = `Cannot ${operation} ${subject}`,
  ) {
    super(`${what} (${errnoName(errno)})`);
  }

  /** The name of the errno: `EBUSY`. */
  get code(): string {
    return errnoName(this.errno);
  }

  /** Whether the errno has this name. */
  is(name: ErrnoName): boolean {
    return this.errno === Errno[name];
  }
}

/** Returns a good answer of the kernel, and throws a `LuoError` for a negative one. */
export function check(answer: number, operation: string, subject: string): number;
export function check(answer: bigint, operation: string, subject: string): bigint;
export function check<T extends object | string>(answer: T | number, operation: string, subject: string): T;
export function check<T extends object | string>(
  answer: T | number | bigint,
  operation: string,
  subject: string,
): T | number | bigint {
  if ((typeof answer === "number" || typeof answer === "bigint") && answer < 0) {
    throw new LuoError(operation, subject, -Number(answer));
  }
  return answer;
}
