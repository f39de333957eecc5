/** Random traffic: names on a tmpfs. */
import * as abi from "../../ffi/abi/fcntl.ts";
import type { Random } from "./random.ts";
import { result, type Slots } from "./slots.ts";

/** Operations on names. A file can be preserved when it has lost its last name. */
export type NameOperation =
  | { op: "open_name"; name: string; flags: number; to: number }
  | { op: "unlink"; name: string }
  | { op: "link"; slot: number; name: string }
  | { op: "open_fifo" | "open_directory"; to: number };

export const nameWeights = {
  open_name: 8,
  unlink: 4,
  link: 3,
  open_fifo: 1,
  open_directory: 1,
} as const satisfies Record<NameOperation["op"], number>;

const names = ["one", "two", "three"];
const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_PATH } = abi;
/** Any name may be that of a FIFO, whose open would block. */
const UNBLOCKED = abi.O_CLOEXEC | abi.O_NONBLOCK;
const openings = [
  O_RDWR | O_CREAT,
  O_RDWR | O_CREAT,
  O_RDWR | O_CREAT | O_EXCL,
  O_RDWR | O_CREAT | O_TRUNC,
  O_WRONLY | O_CREAT | O_APPEND,
  O_RDWR,
  O_RDONLY,
  O_PATH,
  O_RDONLY | abi.O_DIRECTORY,
];

export function nameOperation(op: NameOperation["op"], random: Random, slot: number): NameOperation {
  switch (op) {
    case "open_name":
      return { op, name: random.pick(names), flags: random.pick(openings), to: slot };
    case "unlink":
      return { op, name: random.pick([...names, "fifo", "directory"]) };
    case "link":
      return { op, slot, name: random.pick(names) };
    case "open_fifo":
    case "open_directory":
      return { op, to: slot };
  }
}

export class Names {
  constructor(readonly slots: Slots, readonly tmpfs: string) {}

  apply(o: NameOperation): string {
    const k = this.slots.sys;
    switch (o.op) {
      case "open_name":
        return this.slots.keep(o.to, k.open(this.#path(o.name), o.flags | UNBLOCKED, 0o640));
      case "unlink":
        return result(k.unlink(this.#path(o.name)));
      case "link":
        return result(k.link_fd(this.slots.fd(o.slot), this.#path(o.name)));
      case "open_fifo": {
        const made = result(k.mkfifo(this.#path("fifo"), 0o600));
        // With O_NONBLOCK the open does not wait for a writer.
        const flags = O_RDONLY | abi.O_NONBLOCK | abi.O_CLOEXEC;
        return `${made} ${this.slots.keep(o.to, k.open(this.#path("fifo"), flags))}`;
      }
      case "open_directory": {
        const made = result(k.mkdir(this.#path("directory"), 0o700));
        const flags = O_RDONLY | abi.O_DIRECTORY | abi.O_CLOEXEC;
        return `${made} ${this.slots.keep(o.to, k.open(this.#path("directory"), flags))}`;
      }
    }
  }

  #path(name: string): string {
    return `${this.tmpfs}/${name}`;
  }
}
