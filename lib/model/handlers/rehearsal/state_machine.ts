/**
 * The machine-wide state machine that LUO was in versions 2 to 4 of its patches (their kernel/liveupdate/luo_core.c and
 * luo_subsystems.c). Mainline has none: there an agent does this work. A layer of its own, without files: a kernel makes one at
 * boot, and what `handover` gives goes to the one of the next kernel.
 */
import { Errno } from "../../../../ffi/abi/errno.ts";
import type { Ret } from "../../../system_calls.ts";
import { BadBytes, Reader, Writer } from "./bytes.ts";
import { KernelPanic } from "../../ground/panic.ts";

/** `enum liveupdate_state`. */
export const LIVEUPDATE_STATE = { undefined: 0, normal: 1, prepared: 2, frozen: 3, updated: 4 } as const;
/** `enum liveupdate_event`. */
export const LIVEUPDATE_EVENT = { prepare: 0, freeze: 1, finish: 2, cancel: 3 } as const;

/** The word in /sys/kernel/liveupdate/state. */
export type State = keyof typeof LIVEUPDATE_STATE;
export type Event = keyof typeof LIVEUPDATE_EVENT;

/** A part of the kernel that takes part, with one u64 that goes to the next kernel. Every callback may be missing. */
export interface Subsystem {
  readonly name: string;
  /** The u64 from now on, or -errno as a number. */
  prepare?(): bigint | Ret;
  /** The same, once more: the CPUs are about to stop. */
  freeze?(data: bigint): bigint | Ret;
  /** Undoes `prepare`, and `freeze` if it ran. Cannot fail. */
  cancel?(data: bigint): void;
  /** In the next kernel. Cannot fail. */
  finish?(data: bigint): void;
}

const COMPATIBLE = "luo-v1";

export class StateMachine {
  #state: State;
  /** In order of registration, which is the order of every callback, of CANCEL too. */
  readonly #subsystems = new Map<Subsystem, bigint>();
  readonly #incoming: ReadonlyMap<string, bigint> | undefined;

  /**
   * luo_startup(): UPDATED when the previous kernel handed its state over, else NORMAL.
   *
   * @throws KernelPanic for bytes that `handover` did not write
   */
  constructor(handed_over: Uint8Array | undefined, readonly print: (line: string) => void) {
    this.#incoming = handed_over && decode(handed_over);
    this.#state = this.#incoming ? "updated" : "normal";
  }

  get state(): State {
    return this.#state;
  }

  /** The event, as the ioctl brings it. 0 or -errno. @throws KernelPanic as `finish` does */
  run(event: Event): Ret {
    switch (event) {
      case "prepare":
        return this.#prepare();
      case "freeze":
        return this.#freeze();
      case "finish":
        return this.#finish();
      case "cancel":
        return this.#cancel();
    }
  }

  /** liveupdate_register_subsystem(): EBUSY while an update is under way. */
  register(subsystem: Subsystem): Ret {
    if (this.#state !== "normal" && this.#state !== "updated") return -Errno.EBUSY;
    for (const { name } of this.#subsystems.keys()) if (name === subsystem.name) return -Errno.EEXIST;
    this.#subsystems.set(subsystem, 0n);
    return 0;
  }

  unregister(subsystem: Subsystem): Ret {
    if (this.#state !== "normal" && this.#state !== "updated") return -Errno.EBUSY;
    return this.#subsystems.delete(subsystem) ? 0 : -Errno.EINVAL;
  }

  /** liveupdate_get_subsystem_data(): what the previous kernel's subsystem of that name left, between the boot and FINISH. */
  data_of({ name }: Subsystem): bigint | Ret {
    return (this.#state === "updated" ? this.#incoming?.get(name) : undefined) ?? -Errno.ENOENT;
  }

  /** liveupdate_reboot(): a PREPARED machine is frozen on the way; any other goes as it is. */
  reboot(): Ret {
    return this.#state === "prepared" ? this.#freeze() : 0;
  }

  /** What goes to the next kernel: undefined unless FROZEN, and then that kernel starts in NORMAL. */
  handover(): Uint8Array | undefined {
    if (this.#state !== "frozen") return undefined;
    const out = new Writer().text(COMPATIBLE).u64(this.#subsystems.size);
    for (const [{ name }, data] of this.#subsystems) out.text(name).u64(data);
    return out.finish();
  }

  #prepare(): Ret {
    if (this.#state !== "normal") return this.#refuse("prepared");
    const answer = this.#ask((subsystem) => subsystem.prepare?.());
    return answer < 0 ? answer : this.#enter("prepared");
  }

  /** A failure ends the update: those asked before the one that failed are told, and the machine is NORMAL again. */
  #freeze(): Ret {
    if (this.#state !== "prepared") return this.#refuse("frozen");
    const answer = this.#ask((subsystem, data) => subsystem.freeze?.(data));
    this.#enter(answer < 0 ? "normal" : "frozen");
    return answer;
  }

  #finish(): Ret {
    if (this.#state !== "updated") return this.#refuse("normal");
    const data = [...this.#subsystems.keys()].map((subsystem) => [subsystem, this.#left(subsystem)] as const);
    for (const [subsystem, value] of data) {
      subsystem.finish?.(value);
      this.#subsystems.set(subsystem, 0n);
    }
    return this.#enter("normal");
  }

  #cancel(): Ret {
    if (this.#state !== "prepared" && this.#state !== "frozen") return this.#refuse("normal");
    this.#roll_back();
    return this.#enter("normal");
  }

  /** A subsystem that the previous kernel did not have: it may have left hardware in any state. */
  #left({ name }: Subsystem): bigint {
    const data = this.#incoming?.get(name);
    if (data !== undefined) return data;
    throw new KernelPanic(`In FDT node '/subsystems' can't find property '${name}'`);
  }

  /** Each in turn; when one fails, CANCEL for those before it. */
  #ask(callback: (subsystem: Subsystem, data: bigint) => bigint | Ret | undefined): Ret {
    for (const [subsystem, data] of this.#subsystems) {
      const answer = callback(subsystem, data) ?? data;
      if (typeof answer === "number") {
        this.print(`luo: Subsystem '${subsystem.name}' callback failed [${answer}]`);
        this.#roll_back(subsystem);
        return answer;
      }
      this.#subsystems.set(subsystem, answer);
    }
    return 0;
  }

  /** CANCEL in order of registration, up to the one that failed. */
  #roll_back(failed?: Subsystem): void {
    for (const [subsystem, data] of this.#subsystems) {
      if (subsystem === failed) return;
      subsystem.cancel?.(data);
      this.#subsystems.set(subsystem, 0n);
    }
  }

  #enter(state: State): 0 {
    this.print(`luo: Switched from [${this.#state}] to [${state}] state`);
    this.#state = state;
    return 0;
  }

  #refuse(state: State): Ret {
    this.print(`luo: Can't switch to [${state}] from [${this.#state}] state`);
    return -Errno.EINVAL;
  }
}

/** @throws KernelPanic */
function decode(bytes: Uint8Array): ReadonlyMap<string, bigint> {
  try {
    const input = new Reader(bytes);
    if (input.text() !== COMPATIBLE) throw new BadBytes("another format");
    const found = new Map<string, bigint>();
    for (let left = input.count(12); left > 0; left--) found.set(input.text(), input.u64());
    if (input.left > 0) throw new BadBytes(`${input.left} bytes behind the end`);
    return found;
  } catch (error) {
    if (!(error instanceof BadBytes)) throw error;
    throw new KernelPanic(`FDT 'LUO' is incompatible with '${COMPATIBLE}' [${error.message}]`);
  }
}
