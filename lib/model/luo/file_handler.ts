/**
 * The callbacks of a file handler, which preserves one kind of file (`struct liveupdate_file_ops`,
 * include/linux/liveupdate.h).
 */
import type { Ret } from "../../system_calls.ts";
import type { OpenFile } from "../fs/file.ts";

export interface FileHandler {
  /**
   * Name of the handler and its format in the handover, at most 47 bytes. The next kernel finds its own handler by this
   * name.
   */
  readonly compatible: string;
  /** LUO calls the handlers in order of registration. The first that returns true preserves the file. */
  can_preserve(file: OpenFile): boolean;
  /**
   * Saves all that must not change any more. Returns -errno, or the state that `freeze` and `unpreserve` get
   * (`private_data`).
   */
  preserve(file: OpenFile, beside: PreservedBeside): Ret | PreservedState;
  unpreserve(file: OpenFile, state: PreservedState): void;
  /** Called in reboot(2): the last chance to save state, or to refuse. */
  freeze?(file: OpenFile, state: PreservedState): Ret;
  /** Called when reboot(2) failed after `freeze`. */
  unfreeze?(file: OpenFile, state: PreservedState): void;
  /**
   * Called in the next kernel: restores the file from `PreservedState.data`. Called once; LUO keeps the file or the
   * errno.
   */
  retrieve(data: bigint, uid: number, beside: HandedOverBeside): OpenFile | Ret;
  /** False: SESSION_FINISH gives EBUSY, and LUO finishes no file of the session. */
  can_finish?(data: bigint, retrieved: Retrieved): boolean;
  /** LUO drops the file. The handler frees the data of a file that was never retrieved. */
  finish(data: bigint, retrieved: Retrieved): void;
  /** Files with the same identity cannot be preserved twice. Default: the open file description. */
  identity?(file: OpenFile): object;
}

/** The other files of an outgoing session, for a handler whose file depends on them. */
export interface PreservedBeside {
  /** liveupdate_get_token_outgoing(): undefined for a file that is not preserved in this session. */
  token_of(file: OpenFile): bigint | undefined;
}

/** The other files of an incoming session. */
export interface HandedOverBeside {
  /**
   * liveupdate_get_file_incoming(): retrieves the file when that has not happened yet. LUO holds the reference, not the
   * caller.
   */
  file_of(token: bigint): OpenFile | Ret;
}

/** Result of `retrieve` (`retrieve_status`): the file, the errno, or undefined when it was never called. */
export type Retrieved = OpenFile | Ret | undefined;

/** The state of a preserved file, which its handler keeps until the kexec. */
export interface PreservedState {
  /**
   * The value that the next kernel's handler gets (`serialized_data`), mostly the address of memory preserved through
   * KHO.
   */
  readonly data: bigint;
}

/**
 * liveupdate_register_file_handler() refuses a handler without its required callbacks. Checked at run time, because a
 * driver may be JavaScript.
 */
export function has_callbacks(handler: FileHandler): boolean {
  const { can_preserve, preserve, unpreserve, retrieve, finish } = handler;
  return [can_preserve, preserve, unpreserve, retrieve, finish].every((callback) =>
    typeof callback === "function"
  );
}
