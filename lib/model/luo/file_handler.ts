/** A kind of file that LUO can preserve: Linux's callbacks (`struct liveupdate_file_ops`, include/linux/liveupdate.h). */
import type { Ret } from "../../system_calls.ts";
import type { OpenFile } from "../fs/file.ts";

export interface FileHandler {
  /** Names the handler and its format in the handover: the next kernel finds its own handler by it. At most 47 bytes. */
  readonly compatible: string;
  /** Handlers are asked in order of registration; the first that says yes has the file. */
  can_preserve(file: OpenFile): boolean;
  /** Saves what must not change any more. -errno, or what `freeze` and `unpreserve` get back (`private_data`). */
  preserve(file: OpenFile, beside: PreservedBeside): Ret | PreservedState;
  unpreserve(file: OpenFile, state: PreservedState): void;
  /** In reboot(2): the last look. */
  freeze?(file: OpenFile, state: PreservedState): Ret;
  /** reboot(2) failed after all. */
  unfreeze?(file: OpenFile, state: PreservedState): void;
  /** In the next kernel: the file again, from `PreservedState.data`. Asked once: an errno sticks. */
  retrieve(data: bigint, uid: number, beside: HandedOverBeside): OpenFile | Ret;
  /** False: SESSION_FINISH gives EBUSY, and no file of the session is finished. */
  can_finish?(data: bigint, retrieved: Retrieved): boolean;
  /** LUO lets go; what was never retrieved is freed here. */
  finish(data: bigint, retrieved: Retrieved): void;
  /** What must not be preserved twice: files with the same identity are one. Default: the open file description. */
  identity?(file: OpenFile): object;
}

/** The other files of an outgoing session, for a handler whose files need them. */
export interface PreservedBeside {
  /** liveupdate_get_token_outgoing(): undefined for a file that is not preserved in this session. */
  token_of(file: OpenFile): bigint | undefined;
}

/** The other files of an incoming session. */
export interface HandedOverBeside {
  /** liveupdate_get_file_incoming(): retrieves it, if nobody has yet. LUO's reference, not the caller's. */
  file_of(token: bigint): OpenFile | Ret;
}

/** What became of `retrieve` (`retrieve_status`): the file, the errno it failed with, or undefined when nobody asked. */
export type Retrieved = OpenFile | Ret | undefined;

/** A preserved file's state as its handler keeps it until the kexec. */
export interface PreservedState {
  /** What the next kernel's handler gets (`serialized_data`): mostly the address of memory preserved through KHO. */
  readonly data: bigint;
}

/** liveupdate_register_file_handler() refuses a handler without its required callbacks; a driver may be written in anything. */
export function has_callbacks(handler: FileHandler): boolean {
  const { can_preserve, preserve, unpreserve, retrieve, finish } = handler;
  return [can_preserve, preserve, unpreserve, retrieve, finish].every((callback) =>
    typeof callback === "function"
  );
}
