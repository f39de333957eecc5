/** User memory: the memory that a pointer of the caller leads to (get_user, copy_from_user, copy_to_user). */
import { Errno } from "../../../ffi/abi/errno.ts";
import type { Ret, UserPointer } from "../../system_calls.ts";

export class UserBuffer {
  readonly bytes: Uint8Array;
  readonly #writable: boolean;

  constructor(pointer: UserPointer) {
    this.bytes = pointer === null ? new Uint8Array(0) : "writable" in pointer ? pointer.bytes : pointer;
    this.#writable = pointer !== null && (!("writable" in pointer) || pointer.writable);
  }

  /** get_user() of a u32. */
  u32(): number | undefined {
    if (this.bytes.length < 4) return undefined;
    return new DataView(this.bytes.buffer, this.bytes.byteOffset, 4).getUint32(0, true);
  }

  /**
   * copy_struct_from_user(): the first `known` bytes, filled with zeros when the caller's struct is shorter. -E2BIG
   * when a byte after them is not zero (this comes before a fault further on), -EFAULT when a byte is not mapped.
   */
  struct(known: number, size: number): Uint8Array<ArrayBuffer> | Ret {
    for (let at = known; at < size; at++) {
      const byte = this.bytes[at];
      if (byte === undefined) return -Errno.EFAULT;
      if (byte !== 0) return -Errno.E2BIG;
    }
    const length = Math.min(known, size);
    if (this.bytes.length < length) return -Errno.EFAULT;
    const copy = new Uint8Array(known);
    copy.set(this.bytes.subarray(0, length));
    return copy;
  }

  /** copy_to_user(). */
  write(from: Uint8Array): Ret {
    if (!this.#writable || this.bytes.length < from.length) return -Errno.EFAULT;
    this.bytes.set(from);
    return 0;
  }
}
