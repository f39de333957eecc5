/** The preserved-memory map, independent of its format: the blocks of memory that the next kernel must leave alone. */
import type { Ret } from "../../system_calls.ts";
import type { Ram } from "../memory/ram.ts";

/** The map that this kernel writes for the next one. */
export interface KhoMap {
  /**
   * Number of frames of the map itself. The map does not list them, but they must stay until the next kernel has read
   * the map.
   */
  readonly nodes: number;
  /** Address of the map; 0 before it has one. */
  readonly address: number;
  /** Adds 2^order frames at `base`. -ENOMEM leaves the map as it was. */
  add(base: number, order: number): Ret;
  /** False when the block was not in the map. */
  delete(base: number, order: number): boolean;
  /** Completes the map in reboot(2), so that the next kernel can read it. -ENOMEM. */
  finish(): Ret;
  /** Undoes `finish` when reboot(2) failed. */
  unfinish(): void;
  walk(visitor: Visitor): void;
  /** Frees the pages of the map. */
  destroy(): void;
}

export interface Visitor {
  /** Called with each frame of the map itself. */
  readonly node?: (frame: number) => void;
  /** Called with each preserved block. */
  readonly block?: (base: number, order: number) => void;
}

export interface MapFormat {
  /** Undefined when memory is used up. */
  create(ram: Ram): KhoMap | undefined;
  /** Reads the map that the previous kernel wrote. @throws BrokenMap */
  read(ram: Ram, address: number, visitor: Visitor): void;
}

/** The map is damaged. Linux would read memory that does not exist; the message is that of its page fault. */
export class BrokenMap extends Error {
  override readonly name = "BrokenMap";

  constructor(address: number) {
    super(`unable to handle page fault for address 0x${Math.floor(address).toString(16)}`);
  }
}
