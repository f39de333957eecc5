/** Memory for the structs of the ioctls of a device and of its sessions. */
import { FD_STRUCT_SIZE, FINISH_STRUCT_SIZE, SESSION_STRUCT_SIZE } from "./liveupdate.ts";

/**
 * One struct at a time: each call overwrites the struct of the call before. To allocate memory that C can see takes a microsecond,
 * which is ten times as long as the rest of a call.
 */
export class IoctlMemory {
  readonly session: Uint8Array<ArrayBuffer> = new Uint8Array(SESSION_STRUCT_SIZE);
  readonly fd: Uint8Array<ArrayBuffer> = this.session.subarray(0, FD_STRUCT_SIZE);
  readonly finish: Uint8Array<ArrayBuffer> = this.session.subarray(0, FINISH_STRUCT_SIZE);
}
