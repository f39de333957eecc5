/**
 * File-lifecycle-bound data, FLB (kernel/liveupdate/luo_flb.c): one global object that all files of some handlers need.
 * It is preserved with the first such file and unpreserved with the last. In the next kernel it is retrieved at the
 * first use, and finished with the last file.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import type { Ret } from "../../system_calls.ts";
import type { FileHandler } from "./file_handler.ts";

/** `struct liveupdate_flb` and its `ops`. */
export interface Flb {
  /** At most 47 bytes. */
  readonly compatible: string;
  preserve(): Ret | PreservedFlb;
  unpreserve(state: PreservedFlb): void;
  /** Restores the live object. Called once; LUO keeps the object or the errno. */
  retrieve(data: bigint): object | Ret;
  finish(object: object): void;
}

/** The value for the next kernel, and the live object in this one. */
export interface PreservedFlb {
  readonly data: bigint;
  readonly object: object;
}

/** An FLB in the handover. `count` is the number of files that used it. */
export interface SerializedFlb {
  readonly compatible: string;
  readonly data: bigint;
  readonly count: bigint;
}

/** FLBs that fit one page: a header of 16 bytes, and 64 bytes each. */
const FLBS_MAX = 63;

interface Outgoing {
  state: PreservedFlb;
  count: number;
}

/**
 * `struct luo_flb_private_state` of an incoming FLB. `count` is undefined until it is read from the handover: see
 * `put_incoming`.
 */
interface Incoming {
  count: number | "saturated" | undefined;
  result?: object | Ret | undefined;
  finished: boolean;
}

export class Flbs {
  /** By handler, in order of registration. */
  #links = new Map<FileHandler, Flb[]>();
  /** Number of handlers that use each FLB, in order of the first registration. */
  #users = new Map<Flb, number>();
  #outgoing = new Map<Flb, Outgoing>();
  #incoming = new Map<Flb, Incoming>();

  readonly handed_over: readonly SerializedFlb[] | undefined;
  readonly warn: (line: string) => void;

  /** `handed_over` is undefined when the previous kernel handed no LUO state over. */
  constructor(handed_over: readonly SerializedFlb[] | undefined, warn: (line: string) => void) {
    this.handed_over = handed_over;
    this.warn = warn;
  }

  /** liveupdate_register_flb(). `registered` says whether the handler is registered. */
  register(handler: FileHandler, flb: Flb, registered: boolean): Ret {
    const callbacks = [flb.preserve, flb.unpreserve, flb.retrieve, flb.finish];
    if (!callbacks.every((callback) => typeof callback === "function") || !registered) return -Errno.EINVAL;
    const links = this.#links.get(handler) ?? [];
    if (links.includes(flb)) return -Errno.EEXIST;
    const users = this.#users.get(flb) ?? 0;
    if (users === 0) {
      if (this.#users.size === FLBS_MAX) return -Errno.ENOSPC;
      for (const other of this.#users.keys()) {
        if (other.compatible === flb.compatible) return -Errno.EEXIST;
      }
    }
    this.#users.set(flb, users + 1);
    this.#links.set(handler, [...links, flb]);
    return 0;
  }

  /** liveupdate_unregister_flb(). */
  unregister(handler: FileHandler, flb: Flb): void {
    const links = this.#links.get(handler) ?? [];
    if (!links.includes(flb)) {
      this.warn(
        `Failed to unregister FLB '${flb.compatible}': not found in file handler '${handler.compatible}'`,
      );
      return;
    }
    this.#links.set(handler, links.filter((other) => other !== flb));
    const users = (this.#users.get(flb) ?? 0) - 1;
    if (users === 0) this.#users.delete(flb);
    else this.#users.set(flb, users);
  }

  unregister_all(handler: FileHandler): void {
    for (const flb of this.#links.get(handler) ?? []) this.unregister(handler, flb);
    this.#links.delete(handler);
  }

  /** Called before a file is preserved. Preserves all its FLBs; when one fails, unpreserves the others in reverse. */
  file_preserve(handler: FileHandler): Ret {
    const done: Flb[] = [];
    for (const flb of this.#links.get(handler) ?? []) {
      const answer = this.#preserve(flb);
      if (answer < 0) {
        for (const each of done.reverse()) this.put_outgoing(each);
        return answer;
      }
      done.push(flb);
    }
    return 0;
  }

  #preserve(flb: Flb): Ret {
    const outgoing = this.#outgoing.get(flb);
    if (outgoing !== undefined) {
      outgoing.count++;
      return 0;
    }
    const state = flb.preserve();
    if (typeof state === "number") return state;
    this.#outgoing.set(flb, { state, count: 1 });
    return 0;
  }

  file_unpreserve(handler: FileHandler): void {
    for (const flb of (this.#links.get(handler) ?? []).toReversed()) this.put_outgoing(flb);
  }

  file_finish(handler: FileHandler): void {
    for (const flb of (this.#links.get(handler) ?? []).toReversed()) this.put_incoming(flb);
  }

  /** liveupdate_flb_get_outgoing(): the caller must put the object. ENOENT: no file that needs the FLB is preserved. */
  get_outgoing(flb: Flb): object | Ret {
    const outgoing = this.#outgoing.get(flb);
    if (outgoing === undefined) return -Errno.ENOENT;
    outgoing.count++;
    return outgoing.state.object;
  }

  put_outgoing(flb: Flb): void {
    const outgoing = this.#outgoing.get(flb);
    if (outgoing === undefined || --outgoing.count > 0) return;
    flb.unpreserve(outgoing.state);
    this.#outgoing.delete(flb);
  }

  /**
   * liveupdate_flb_get_incoming(): retrieves the object at the first call; the caller must put it. ENODATA: no FLB was
   * handed over, or this one is finished. ENOENT: other FLBs were handed over, but not this one.
   */
  get_incoming(flb: Flb): object | Ret {
    const incoming = this.#state(flb);
    if (incoming.finished) return -Errno.ENODATA;
    incoming.result ??= this.#retrieve(flb, incoming);
    if (incoming.result === undefined) return this.handed_over === undefined ? -Errno.ENODATA : -Errno.ENOENT;
    if (typeof incoming.result === "number") return incoming.result;
    if (typeof incoming.count === "number") incoming.count++;
    return incoming.result;
  }

  /**
   * liveupdate_flb_put_incoming(). As in 7.3.4 the count of files is only read when a caller asks for the object. When
   * no caller has, the first finish makes the count negative, the kernel warns, and the FLB is never finished.
   */
  put_incoming(flb: Flb): void {
    const incoming = this.#state(flb);
    if (incoming.count === "saturated") return;
    if (incoming.count === undefined || incoming.count === 0) {
      incoming.count = "saturated";
      this.warn("refcount_t: underflow; use-after-free.");
      return;
    }
    if (--incoming.count > 0) return;
    // An FLB that could not be retrieved is not finished either (WARN_ON).
    if (typeof incoming.result !== "object") return;
    flb.finish(incoming.result);
    [incoming.result, incoming.finished] = [undefined, true];
  }

  /** Undefined when the handover does not have it. */
  #retrieve(flb: Flb, incoming: Incoming): object | Ret | undefined {
    const found = this.handed_over?.find(({ compatible }) => compatible === flb.compatible);
    if (found === undefined) return undefined;
    incoming.count = Number(found.count);
    return flb.retrieve(found.data);
  }

  #state(flb: Flb): Incoming {
    const incoming = this.#incoming.get(flb) ?? { count: undefined, finished: false };
    this.#incoming.set(flb, incoming);
    return incoming;
  }

  /** luo_flb_serialize(): the FLBs in use, in order of registration. */
  serialize(): SerializedFlb[] {
    return [...this.#users.keys()].flatMap((flb) => {
      const outgoing = this.#outgoing.get(flb);
      if (outgoing === undefined) return [];
      return [{ compatible: flb.compatible, data: outgoing.state.data, count: BigInt(outgoing.count) }];
    });
  }
}
