/** The agent's use of /dev/liveupdate: opened for each request that needs it, and closed after it. */
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

/** One program at a time can have the device open: systemd needs it at moments that it chooses, so that the agent lets go of it. */
export class AgentDevice implements Disposable {
  /** Open while it is used. */
  #device: Device | undefined;
  #begun = false;
  #beginning = false;
  /** Why the device could not be opened the last time. */
  #unopened: LuoError | undefined;
  #seenAt: string | undefined;

  /**
   * @param begin finds what was handed over, when the device is opened for the first time; again after it has failed
   * @param needsDevice false: an earlier agent of this boot has read the handover, and the fd store has what it made of it
   */
  constructor(
    readonly sys: SystemCalls,
    readonly begin: () => void,
    readonly needsDevice: () => boolean,
    readonly now: () => string,
  ) {}

  /** Whether the handover has been read, or is being read. */
  get begun(): boolean {
    return this.#begun || this.#beginning;
  }

  /** The message of the last failed open. */
  get problem(): string | undefined {
    return this.#unopened?.summary;
  }

  /**
   * Opens the device, does the work and closes the device. After a failed open the next call tries again: another program may have
   * closed the device.
   *
   * @throws LuoError `open`: ENOENT, EBUSY, EACCES, EPERM, EIO; `retrieve` the manifest; whatever `work` throws
   */
  use<T>(work: (device: Device) => T): T {
    if (this.#device !== undefined) return work(this.#device);
    const device = this.#open();
    this.#device = device;
    try {
      if (!this.begun) this.#begin();
      return work(device);
    } finally {
      this[Symbol.dispose]();
    }
  }

  /** When it fails, the next call tries again: for example when the manifest cannot be retrieved (EMFILE, ENOMEM). */
  #begin(): void {
    this.#beginning = true;
    try {
      this.begin();
      this.#begun = true;
    } finally {
      this.#beginning = false;
    }
  }

  #open(): Device {
    // EIO lasts until the next kexec.
    if (this.#unopened?.is("EIO")) throw this.#unopened;
    try {
      const device = openDevice(this.sys);
      this.#see(undefined);
      return device;
    } catch (error) {
      if (isState(error)) this.#see(error);
      throw error;
    }
  }

  #see(unopened: LuoError | undefined): void {
    this.#unopened = unopened;
    this.#seenAt = this.now();
  }

  /** Called for requests about sessions that need no device: the handover must have been read. @throws LuoError as `use` */
  ready(): void {
    if (this.#begun) return;
    if (this.needsDevice()) this.use(() => {});
    else this.#begin();
  }

  /** As `ready`. False: the device cannot be opened. */
  tryReady(): boolean {
    return succeeds(() => this.ready());
  }

  /** As `use`. False: the device cannot be opened, and nothing was done. */
  tryUse(work: (device: Device) => void): boolean {
    return succeeds(() => this.use(work));
  }

  /** The device as the agent has seen it the last time. */
  status(): Status["device"] {
    const errno = this.#unopened?.code;
    const seen = this.#seenAt === undefined ? {} : { seenAt: this.#seenAt };
    if (errno === undefined) return { path: LIVEUPDATE_DEVICE, state: "ready", ...seen };
    const state = STATES[errno] ?? "broken";
    const unread = !this.#begun && (state === "busy" || state === "denied") ? { unread: true } : {};
    return { path: LIVEUPDATE_DEVICE, state, errno, ...unread, ...seen };
  }

  /** EIO: the handover cannot be read in this boot. */
  get broken(): boolean {
    return this.status().state === "broken";
  }

  /** Another program has the device, or this user may not open it. */
  get closedToUs(): boolean {
    return ["busy", "denied"].includes(this.status().state);
  }

  [Symbol.dispose](): void {
    this.#device?.[Symbol.dispose]();
    this.#device = undefined;
  }
}

/**
 * Another program has the device open: a later try can succeed. No event tells when: the kernel makes the inotify event of a close
 * before it lets go of the device (fs/file_table.c: __fput), and the model makes none. So callers try again, a limited time long.
 */
export function isTaken(error: unknown): boolean {
  return isState(error) && error.is("EBUSY");
}

function succeeds(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (isState(error)) return false;
    throw error;
  }
}

function isState(error: unknown): error is LuoError {
  return error instanceof LuoError && error.operation === "open" && error.code in STATES;
}
