/** Makes random operations and describes each result. */
import { SLOTS } from "./aims.ts";
import { Contents } from "./contents.ts";
import { Fds } from "./fds.ts";
import type { TrafficHost } from "./host.ts";
import { Images } from "./images.ts";
import { Luo } from "./luo.ts";
import { KeptMappings } from "./mappings.ts";
import { Names } from "./names.ts";
import { is, type Operation } from "./operations.ts";
import { Processes } from "./processes.ts";
import { Slots } from "./slots.ts";

/** Makes operations on one kernel. Each gives a line with the operation and its result, without fd and inode numbers. */
export class Traffic {
  readonly #luo: Luo;
  readonly #fds: Fds;
  readonly #contents: Contents;
  readonly #processes: Processes;
  readonly #names: Names;
  readonly #mappings: KeptMappings;
  readonly #images: Images;

  constructor(host: TrafficHost) {
    const slots = new Slots(host.sys, SLOTS);
    this.#luo = new Luo(slots);
    this.#fds = new Fds(host, slots);
    this.#contents = new Contents(slots);
    this.#processes = new Processes(host, slots);
    this.#names = new Names(slots, host.tmpfs);
    this.#mappings = new KeptMappings(slots);
    this.#images = new Images(host, slots);
  }

  line(operation: Operation): string {
    const { op, ...rest } = operation;
    const words = Object.entries(rest).map(([key, value]) =>
      `${key}=${value instanceof Uint8Array ? value.toHex() : value}`
    );
    return `${op} ${words.join(" ")} -> ${this.#apply(operation)}`;
  }

  #apply(o: Operation): string {
    if (is.luo(o)) return this.#luo.apply(o);
    if (is.fd(o)) return this.#fds.apply(o);
    if (is.content(o)) return this.#contents.apply(o);
    if (is.process(o)) return this.#processes.apply(o);
    if (is.name(o)) return this.#names.apply(o);
    if (is.mapping(o)) return this.#mappings.apply(o);
    return this.#images.apply(o);
  }
}
