/** Memory that a program fills itself when it is touched, or lets be written (userfaultfd): luo never waits for it while other calls wait for luo. */
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import { pagemap } from "../../ffi/tracee.ts";

const PAGE = BigInt(PAGE_SIZE);
/** Documentation/admin-guide/mm/pagemap.rst: the page is in memory, or swapped out. */
const [PRESENT, SWAPPED] = [1n << 63n, 1n << 62n];
/** The page is write-protected by userfaultfd. */
const WRITE_PROTECTED = 1n << 57n;

/** The call cannot be served now: the page at `address` is not there, or a write to it would wait. It is served again once the page was touched. */
export class NotPopulated extends Error {
  override readonly name = "NotPopulated";

  constructor(
    readonly tid: number,
    readonly address: bigint,
    /** The page is to be written. */
    readonly writes: boolean,
  ) {
    super(`page ${address} of thread ${tid} is not populated`);
  }
}

export class LazyMemory {
  /** Whether a program of the machine has a userfaultfd. Until then no page needs a look. */
  active = false;
  /** The pages that were touched for the call that a thread waits in. Those that are still missing are not mapped at all. */
  readonly #touched = new Map<number, Set<bigint>>();

  /** @throws NotPopulated for the first page of the range that is missing and was not touched yet */
  check(tid: number, address: bigint, length: number, writes = false): void {
    if (!this.active || length <= 0) return;
    const first = address - address % PAGE;
    const pages = Number((address + BigInt(length) - first + PAGE - 1n) / PAGE);
    const touched = this.#touched.get(tid) ?? new Set();
    for (const [index, entry] of pagemap(tid, first, pages).entries()) {
      const page = first + BigInt(index) * PAGE;
      const there = (entry & (PRESENT | SWAPPED)) !== 0n && !(writes && entry & WRITE_PROTECTED);
      if (there || touched.has(page)) continue;
      this.#touched.set(tid, touched.add(page));
      throw new NotPopulated(tid, page, writes);
    }
  }

  /** The thread's call was served. */
  served(tid: number): void {
    this.#touched.delete(tid);
  }
}
