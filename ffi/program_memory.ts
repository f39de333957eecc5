/** The memory of this process that its program takes. */
import { MADV_DONTNEED } from "./abi/fcntl.ts";
import { madvise } from "./memory.ts";
import { read_text } from "./proc.ts";

/**
 * Takes the pages of the program's code out of this process, which are two thirds of an idle one: most of them are used only while
 * a program starts. The kernel maps a page again, from the page cache, when the code in it runs again.
 *
 * Code is never written, so nothing is lost. The read-only data of a program is not like that: the linker has written to it.
 */
export function release_program_code(): void {
  for (const { start, end } of code(read_text("/proc/self/maps") ?? "")) {
    madvise(start, end - start, MADV_DONTNEED);
  }
}

/** The private mappings of files that can be executed and not written (fs/proc/task_mmu.c has the format). */
export function code(maps: string): { start: bigint; end: bigint }[] {
  const mappings = maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) r-xp [0-9a-f]+ \S+ [1-9]\d* +\/.*$/gm);
  return Array.from(mappings, ([, start, end]) => ({ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) }));
}
