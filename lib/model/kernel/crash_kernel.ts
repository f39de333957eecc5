/** The memory that `crashkernel=` reserves for a crash kernel, and whether an image is loaded there (kernel/crash_reserve.c, kernel/crash_core.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import { PAGE_SIZE } from "../../../ffi/abi/page.ts";
import type { Ret } from "../../system_calls.ts";
import type { Scratch } from "../kho/kho.ts";
import { kernel_values } from "./boot_parameters.ts";

const UNITS = ["", "K", "M", "G", "T"];
const NUMBER = /^(0x[0-9a-f]+|\d+)([KMGT]?)/i;

export class CrashKernel {
  size_bytes: number;
  loaded = false;

  /** `scratch`: the areas from which a kernel takes memory that was handed memory over; undefined for all others. */
  constructor(command_line: string, memory_bytes: number, scratch?: readonly Scratch[]) {
    const [value = ""] = kernel_values(command_line, "crashkernel").slice(-1);
    const wanted = value.includes(":") ? of_ranges(value, memory_bytes) : of_value(value);
    const [, offset] = value.split("@");
    const there = scratch === undefined || offset === undefined ||
      isWithin(scratch, memparse(offset), wanted);
    this.size_bytes = there && wanted < memory_bytes ? wanted : 0;
  }

  /** A write to /sys/kernel/kexec/crash_size (kernel/ksysfs.c): gives memory back. */
  shrink(text: string): Ret {
    const [, digits] = /^\+?(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)\n?$/i.exec(text) ?? [];
    if (digits === undefined) return -Errno.EINVAL;
    if (this.loaded) return -Errno.ENOENT;
    const size = Number(/^0[0-7]/.test(digits) ? `0o${digits}` : digits);
    if (size > this.size_bytes) return -Errno.EINVAL;
    if (size < this.size_bytes) this.size_bytes = Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
    return 0;
  }
}

function isWithin(scratch: readonly Scratch[], from: number, bytes: number): boolean {
  return scratch.some(({ base, count }) =>
    from >= base * PAGE_SIZE && from + bytes <= (base + count) * PAGE_SIZE
  );
}

/** `SIZE`, `SIZE@OFFSET`, `SIZE,high`; 0 for any other text. */
function of_value(value: string): number {
  return /^[^@,]*(@.*|,high)?$/.test(value) ? memparse(value.replace(/[@,].*$/, "")) : 0;
}

/** `FROM-[TO]:SIZE,...[@OFFSET]`: the size for a machine with so much memory. */
function of_ranges(value: string, memory_bytes: number): number {
  for (const range of value.replace(/@.*$/, "").split(",")) {
    const [, from = "", to = "", size = ""] = /^([^-]+)-([^:]*):(.+)$/.exec(range) ?? [];
    const end = to === "" ? Infinity : memparse(to);
    if (from !== "" && memory_bytes >= memparse(from) && memory_bytes < end) return memparse(size);
  }
  return 0;
}

/** memparse() of lib/cmdline.c, of a whole text. */
function memparse(text: string): number {
  const [whole = "", digits = "0", unit = ""] = NUMBER.exec(text) ?? [];
  return whole.length === text.length ? Number(digits) * 1024 ** UNITS.indexOf(unit.toUpperCase()) : 0;
}
