/** The agent's hold on /dev/liveupdate: opened when a request needs it, and the reason when it cannot be opened. */
import { LIVEUPDATE_DEVICE } from "../../ffi/abi/liveupdate.ts";
import { LuoError } from "../error.ts";
import { type Device, openDevice } from "../session.ts";
import type { SystemCalls } from "../system_calls.ts";
import type { Status } from "./protocol.ts";

type DeviceState = Status["device"]["state"];

/** The meaning of a failed open of the device. Other errors (ENOMEM, EMFILE) say nothing about the device. */
const STATES: Readonly<Record<string, DeviceState>> = {
  ENOENT: "absent",
  ENXIO: "absent",
  ENODEV: "absent",
  EBUSY: "busy",
  EACCES: "denied",
  EPERM: "denied",
  EIO: "broken",
};

export class AgentDevice implements Disposable {
  #device: Device | undefined;
  /** Why the device cannot be opened. */
  #unopened: LuoError | undefined;

  /** @param begin finds what was handed over, each time the device was opened */
  constructor(readonly sys: SystemCalls, readonly begin: (device: Device) => void) {}

  /** The device, when the agent has it open. */
  get opened(): Device | undefined {
    return this.#device;
  }

  /** The message of the last failed open. */
  get problem(): string | undefined {
    return this.#unopened?.summary;
  }

  /**
   * The device. After a failed open this tries again: another program may have closed the device.
   *
   * @throws LuoError `open`: ENOENT, EBUSY, EACCES, EPERM, EIO; `retrieve` the manifest
   */
  open(): Device {
    if (this.#device !== undefined) return this.#device;
    // EIO lasts until the next kexec.
    if (this.#unopened?.is("EIO")) throw this.#unopened;
    try {
      this.#device = openDevice(this.sys);
    } catch (error) {
      if (isState(error)) this.#unopened = error;
      throw error;
    }
    this.#unopened = undefined;
    try {
      this.begin(this.#device);
    } catch (error) {
      // Only the manifest's retrieve can fail (EMFILE, ENOMEM), before anything was found: the next call tries again.
      this[Symbol.dispose]();
      this.#device = undefined;
      throw error;
    }
    return this.#device;
  }

  /** For requests that need no device but know more with it. False: the device cannot be opened. */
  tryOpen(): boolean {
    try {
      this.open();
      return true;
    } catch (error) {
      if (isState(error)) return false;
      throw error;
    }
  }

  status(): Status["device"] {
    const errno = this.#unopened?.code;
    if (errno === undefined) return { path: LIVEUPDATE_DEVICE, state: "ready" };
    return { path: LIVEUPDATE_DEVICE, state: STATES[errno] ?? "broken", errno };
  }

  /** EIO: the handover cannot be read in this boot. */
  get broken(): boolean {
    return this.status().state === "broken";
  }

  /** Sessions may wait in the kernel: another program has the device, or this user may not open it. */
  get closedToUs(): boolean {
    return ["busy", "denied"].includes(this.status().state);
  }

  [Symbol.dispose](): void {
    this.#device?.[Symbol.dispose]();
  }
}

function isState(error: unknown): error is LuoError {
  return error instanceof LuoError && error.operation === "open" && error.code in STATES;
}
