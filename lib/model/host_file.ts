/** Files of the host inside the model: what `adopt` brings in and `expose` hands out (`host.ts` is the other side). */
import { Errno } from "../../ffi/abi/errno.ts";
import type { Ret } from "../kernel.ts";
import type { OpenFile } from "./file.ts";
import type { System } from "./system.ts";

export function adopt(system: System, _host_fd: number): OpenFile | Ret {
  return system.hardware.host === undefined ? -Errno.ENOSYS : -Errno.ENOSYS;
}

export function expose(system: System, _file: OpenFile): Ret {
  return system.hardware.host === undefined ? -Errno.ENOSYS : -Errno.ENOSYS;
}
