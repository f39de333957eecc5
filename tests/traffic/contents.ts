/** Random traffic: reads, writes, seals and sizes of files. */
import * as abi from "../../ffi/abi/fcntl.ts";
import { errnoName } from "../../ffi/abi/errno.ts";
import { file, length, offset, PAGE, session } from "./aims.ts";
import type { Random } from "./random.ts";
import { result, type Slots } from "./slots.ts";

/** Operations on the contents, the size, the seals and the flags of a file. */
export type ContentOperation =
  | { op: "write" | "append"; slot: number; length: number; fill: number }
  | { op: "pwrite"; slot: number; offset: bigint; length: number; fill: number }
  | { op: "read"; slot: number; length: number }
  | { op: "pread"; slot: number; offset: bigint; length: number }
  | { op: "lseek"; slot: number; offset: bigint; whence: number }
  | { op: "ftruncate"; slot: number; length: bigint }
  | { op: "fallocate"; slot: number; mode: number; offset: bigint; length: bigint }
  | { op: "map"; slot: number; page: number; fill: number; remove: boolean }
  | { op: "add_seals"; slot: number; seals: number }
  | { op: "set_flags"; slot: number; flags: number }
  | { op: "look" | "poll"; slot: number };

export const contentWeights = {
  write: 10,
  append: 3,
  pwrite: 8,
  read: 5,
  pread: 5,
  lseek: 5,
  ftruncate: 6,
  fallocate: 4,
  map: 4,
  add_seals: 2,
  set_flags: 2,
  look: 8,
  poll: 1,
} as const satisfies Record<ContentOperation["op"], number>;

export function contentOperation(op: ContentOperation["op"], random: Random): ContentOperation {
  const slot = file(random);
  switch (op) {
    case "write":
    case "append":
      return { op, slot, length: length(random), fill: random.below(256) };
    case "pwrite":
      return { op, slot, offset: offset(random), length: length(random), fill: random.below(256) };
    case "read":
      return { op, slot, length: length(random) };
    case "pread":
      return { op, slot, offset: offset(random), length: length(random) };
    case "lseek":
      return {
        op,
        slot,
        offset: random.chance(10) ? -offset(random) : offset(random),
        whence: random.below(6),
      };
    case "ftruncate":
      return { op, slot, length: offset(random) };
    case "fallocate":
      return {
        op,
        slot,
        mode: random.pick([0, 0, 0, 1, 3, 3, 2, 8, 9, 0x10, 0x11, 0x20, 0x40, 0x80, 0x100]),
        offset: offset(random),
        length: offset(random),
      };
    case "map":
      return { op, slot, page: random.below(4), fill: random.below(256), remove: random.chance(30) };
    case "add_seals":
      return { op, slot, seals: random.pick([1, 2, 4, 6, 8, 0x10, 0x20]) };
    case "set_flags":
      return { op, slot, flags: random.pick([0, abi.O_APPEND, abi.O_NONBLOCK]) };
    case "look":
    case "poll":
      return { op, slot: random.chance(20) ? session(random) : slot };
  }
}

export class Contents {
  constructor(readonly slots: Slots) {}

  apply(o: ContentOperation): string {
    const { slots, slots: { sys: k } } = this;
    switch (o.op) {
      case "write":
        return result(k.write(slots.fd(o.slot), new Uint8Array(o.length).fill(o.fill)));
      case "append": {
        const flags = k.fcntl(slots.fd(o.slot), abi.F_GETFL);
        k.fcntl(slots.fd(o.slot), abi.F_SETFL, flags | abi.O_APPEND);
        const answer = result(k.write(slots.fd(o.slot), new Uint8Array(o.length).fill(o.fill)));
        return `${answer} ${result(k.fcntl(slots.fd(o.slot), abi.F_SETFL, flags))}`;
      }
      case "pwrite":
        return result(k.pwrite(slots.fd(o.slot), new Uint8Array(o.length).fill(o.fill), o.offset));
      case "read": {
        const into = new Uint8Array(o.length);
        const answer = k.read(slots.fd(o.slot), into);
        return answer < 0 ? errnoName(answer) : `${answer} ${sum(into.subarray(0, answer))}`;
      }
      case "pread": {
        const into = new Uint8Array(o.length);
        const answer = k.pread(slots.fd(o.slot), into, o.offset);
        return answer < 0 ? errnoName(answer) : `${answer} ${sum(into.subarray(0, answer))}`;
      }
      case "lseek":
        return result(Number(k.lseek(slots.fd(o.slot), o.offset, o.whence)));
      case "ftruncate":
        return result(k.ftruncate(slots.fd(o.slot), o.length));
      case "fallocate":
        return result(k.fallocate(slots.fd(o.slot), o.mode, o.offset, o.length));
      case "map":
        return this.#map(o);
      case "add_seals":
        return result(k.fcntl(slots.fd(o.slot), abi.F_ADD_SEALS, o.seals));
      case "set_flags":
        return result(k.fcntl(slots.fd(o.slot), abi.F_SETFL, o.flags | this.#unblocked(o.slot)));
      case "poll":
        return result(k.poll(slots.fd(o.slot), abi.POLLIN | abi.POLLOUT));
      case "look":
        return this.#look(slots.fd(o.slot));
    }
  }

  /** Maps a page, writes to it, and sometimes removes it from the file. A page past the end would be SIGBUS. */
  #map(o: Extract<ContentOperation, { op: "map" }>): string {
    const k = this.slots.sys;
    const fd = this.slots.fd(o.slot);
    const stat = k.fstat(fd);
    if (typeof stat === "number") return errnoName(stat);
    const at = BigInt(o.page * PAGE);
    if ((stat.mode & abi.S_IFMT) !== abi.S_IFREG) return "not regular";
    if (at >= stat.size) return "past the end";
    const address = k.mmap(BigInt(PAGE), abi.PROT_READ | abi.PROT_WRITE, abi.MAP_SHARED, fd, at);
    if (address < 0n) return errnoName(Number(address));
    k.store(address, new Uint8Array(8).fill(o.fill));
    const removed = o.remove ? result(k.madvise(address, BigInt(PAGE), abi.MADV_REMOVE)) : "kept";
    return `${removed} ${result(k.munmap(address, BigInt(PAGE)))}`;
  }

  /** Pipes and sockets stay O_NONBLOCK, so no call waits. */
  #unblocked(slot: number): number {
    return this.slots.isRegular(slot) ? 0 : abi.O_NONBLOCK;
  }

  #look(fd: number): string {
    const k = this.slots.sys;
    const stat = k.fstat(fd);
    if (typeof stat === "number") return errnoName(stat);
    const regular = (stat.mode & abi.S_IFMT) === abi.S_IFREG;
    const file = regular ? ` size=${stat.size} blocks=${stat.blocks} nlink=${stat.nlink}` : "";
    const seals = result(k.fcntl(fd, abi.F_GET_SEALS));
    const position = regular ? ` position=${k.lseek(fd, 0n, abi.SEEK_CUR)}` : "";
    const flags = k.fcntl(fd, abi.F_GETFL);
    return `mode=${stat.mode.toString(8)}${file}${position} seals=${seals} flags=${
      flags.toString(8)
    } fdflags=${k.fcntl(fd, abi.F_GETFD)}`;
  }
}

/** FNV-1a of all bytes: a cheap hash that shows a difference of contents. */
function sum(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}
