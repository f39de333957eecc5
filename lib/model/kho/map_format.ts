/** The preserved-memory map, whatever its format: which blocks of memory the next kernel must leave alone. */
import type { Ret } from "../../system_calls.ts";
import type { Ram } from "../memory/ram.ts";

/** Of this kernel, for the next one. */
export interface KhoMap {
  /** Frames of the map itself. They are not in it, and must stay until the next kernel has read it. */
  readonly nodes: number;
  /** Where it begins, in bytes; 0 as long as it has no beginning. */
  readonly address: number;
  /** 2^order frames at `base`. -ENOMEM leaves the map as it was. */
  add(base: number, order: number): Ret;
  /** False: it was not there. */
  delete(base: number, order: number): boolean;
  /** In reboot(2): as it is now it will be read. -ENOMEM. */
  finish(): Ret;
  /** reboot(2) failed after all. */
  unfinish(): void;
  walk(visitor: Visitor): void;
  /** Its pages are free. */
  destroy(): void;
}

export interface Visitor {
  /** A page of the map itself. */
  readonly node?: (frame: number) => void;
  readonly block?: (base: number, order: number) => void;
}

export interface MapFormat {
  /** Undefined when memory is out. */
  create(ram: Ram): KhoMap | undefined;
  /** One that the previous kernel wrote. @throws BrokenMap */
  read(ram: Ram, address: number, visitor: Visitor): void;
}

/** A map that cannot be one: what the kernel does then is read memory that is not there. */
export class BrokenMap extends Error {
  override readonly name = "BrokenMap";

  constructor(address: number) {
    super(`unable to handle page fault for address 0x${Math.floor(address).toString(16)}`);
  }
}
