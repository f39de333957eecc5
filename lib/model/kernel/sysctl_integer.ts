/** proc_dointvec() (kernel/sysctl.c): what a write to a sysctl of one int takes. */
import { Errno } from "../../../ffi/abi/errno.ts";

/** The bytes that the kernel reads of a number (TMPBUFLEN - 1), and of a write (PAGE_SIZE - 1). */
const [NUMBER_MAX, WRITE_MAX] = [21, 4095];
const [INT_MAX, ULONG_MAX] = [0x7fff_ffffn, 0xffff_ffff_ffff_ffffn];
/** As lib/ctype.c has it, for bytes that were decoded one by one. */
const SPACES = /^[\t-\r \xa0]*/;

/** The number, and the bytes up to the next word; -errno. Without a byte the kernel does nothing, and there is no number. */
export function read_integer(
  bytes: Uint8Array,
): { readonly value: number | undefined; readonly taken: number } | number {
  if (bytes.length === 0) return { value: undefined, taken: 0 };
  const text = Array.from(bytes.subarray(0, WRITE_MAX), (byte) => String.fromCharCode(byte)).join("");
  const word = text.slice(spaces(text));
  const [number = "", sign = "", digits = ""] =
    /^(-?)(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)/i.exec(word.slice(0, NUMBER_MAX)) ?? [];
  if (number === "" || number.length === NUMBER_MAX) return -Errno.EINVAL;
  const rest = word.slice(number.length);
  if (!/^([ \t\n]|$)/.test(rest)) return -Errno.EINVAL;
  const amount = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  if (amount > ULONG_MAX || amount > INT_MAX + (sign === "-" ? 1n : 0n)) return -Errno.EINVAL;
  const end = text.length - rest.length;
  return { value: Number(sign === "-" ? -amount : amount), taken: end + spaces(rest) };
}

function spaces(text: string): number {
  return SPACES.exec(text)?.[0].length ?? 0;
}
