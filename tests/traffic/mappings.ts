/** Random traffic: mappings of files. */
import * as abi from "../../ffi/abi/fcntl.ts";
import { errnoName } from "../../ffi/abi/errno.ts";
import type { Random } from "./random.ts";
import { result, type Slots } from "./slots.ts";

/** Operations on mappings, which stay while their file is written, cut, preserved and handed over. */
export type MappingOperation =
  | { op: "map_keep"; slot: number; map: number; prot: number; flags: number; page: number; pages: number }
  | { op: "map_store"; map: number; page: number; fill: number }
  | { op: "map_load"; map: number; page: number }
  | { op: "map_remove" | "map_drop"; map: number; page: number; pages: number };

export const mappingWeights = {
  map_keep: 4,
  map_store: 5,
  map_load: 5,
  map_remove: 2,
  map_drop: 2,
} as const satisfies Record<MappingOperation["op"], number>;

const PAGE = 4096;
const MAPS = 4;
const PAGES = 4;

export function mappingOperation(
  op: MappingOperation["op"],
  random: Random,
  slot: number,
): MappingOperation {
  const map = random.below(MAPS);
  const page = random.below(PAGES);
  switch (op) {
    case "map_keep": {
      const prot = random.pick([
        abi.PROT_READ,
        abi.PROT_READ | abi.PROT_WRITE,
        abi.PROT_READ | abi.PROT_WRITE,
      ]);
      const flags = random.pick([abi.MAP_SHARED, abi.MAP_SHARED, abi.MAP_PRIVATE]);
      return {
        op,
        slot,
        map,
        prot,
        flags,
        page: random.chance(70) ? 0 : page,
        pages: 1 + random.below(PAGES),
      };
    }
    case "map_store":
      return { op, map, page, fill: random.below(256) };
    case "map_load":
      return { op, map, page };
    case "map_remove":
    case "map_drop":
      return { op, map, page, pages: 1 + random.below(PAGES) };
  }
}

interface Kept {
  readonly address: bigint;
  /** A copy of the mapped fd, to ask for the file's size: an access past the end would kill the process (SIGBUS). */
  readonly fd: number;
  readonly first_page: number;
  readonly prot: number;
  /** Whether each page is still mapped. */
  readonly mapped: boolean[];
}

export class KeptMappings {
  readonly #kept = new Map<number, Kept>();

  constructor(readonly slots: Slots) {}

  apply(o: MappingOperation): string {
    if (o.op === "map_keep") return this.#keep(o);
    const kept = this.#kept.get(o.map);
    if (kept === undefined) return "no mapping";
    const k = this.slots.sys;
    const at = kept.address + BigInt(o.page * PAGE);
    switch (o.op) {
      case "map_store":
        if (!this.#there(kept, o.page)) return "not there";
        if ((kept.prot & abi.PROT_WRITE) === 0) return "read-only";
        k.store(at + BigInt(o.fill), new Uint8Array(16).fill(o.fill));
        return "stored";
      case "map_load": {
        if (!this.#there(kept, o.page)) return "not there";
        const into = new Uint8Array(PAGE);
        k.load(at, into);
        return into.reduce((sum, byte) => Math.imul(sum, 31) + byte | 0, 7).toString(16);
      }
      case "map_remove":
        return result(k.madvise(at, BigInt(this.#inside(kept, o.page, o.pages) * PAGE), abi.MADV_REMOVE));
      case "map_drop":
        return this.#drop(o.map, kept, o.page, o.pages);
    }
  }

  #keep(o: Extract<MappingOperation, { op: "map_keep" }>): string {
    const k = this.slots.sys;
    const before = this.#kept.get(o.map);
    if (before !== undefined) { for (let page = 0; page < PAGES; page++) this.#drop(o.map, before, page, 1); }
    const fd = k.fcntl(this.slots.fd(o.slot), abi.F_DUPFD_CLOEXEC, 0);
    if (fd < 0) return errnoName(fd);
    const address = k.mmap(BigInt(o.pages * PAGE), o.prot, o.flags, fd, BigInt(o.page * PAGE));
    if (address < 0n) {
      k.close(fd);
      return errnoName(Number(address));
    }
    const mapped = new Array<boolean>(o.pages).fill(true);
    this.#kept.set(o.map, { address, fd, first_page: o.page, prot: o.prot, mapped });
    return "mapped";
  }

  /** Whether an access of the page succeeds. */
  #there({ fd, first_page, mapped }: Kept, page: number): boolean {
    const stat = this.slots.sys.fstat(fd);
    if (typeof stat === "number" || mapped[page] !== true) return false;
    return BigInt((first_page + page) * PAGE) < stat.size;
  }

  /** The number of pages from `page` on that are still mapped. Unmapped addresses may have another use by now. */
  #inside({ mapped }: Kept, page: number, pages: number): number {
    const wanted = mapped.slice(page, page + pages);
    const gap = wanted.indexOf(false);
    return gap < 0 ? wanted.length : gap;
  }

  #drop(map: number, kept: Kept, page: number, pages: number): string {
    const k = this.slots.sys;
    const count = this.#inside(kept, page, pages);
    const answer = result(k.munmap(kept.address + BigInt(page * PAGE), BigInt(count * PAGE)));
    kept.mapped.fill(false, page, page + count);
    if (kept.mapped.some((mapped) => mapped)) return answer;
    k.close(kept.fd);
    this.#kept.delete(map);
    return `${answer} gone`;
  }
}
