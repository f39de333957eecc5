/**
 * The library: live update for TypeScript programs, without any agent.
 *
 * ```ts ignore
 * import { linux, openDevice } from "luo";
 *
 * using kernel = linux();
 * using device = openDevice(kernel);
 * const session = device.create("vm1"); // open until the kexec
 * session.preserve(memfd, 7n);
 * ```
 *
 * On a host without LUO the same lines run on the model: `new Machine().init()` instead of `linux()`. examples/library.ts
 * goes through a whole live update.
 *
 * @module
 */
export { Fd } from "./fd.ts";
export {
  check,
  Errno,
  type ErrnoCode,
  type ErrnoName,
  LuoError,
  type Operation,
  type SystemCallName,
} from "./error.ts";
export {
  ProcessKilled,
  type Received,
  type Ret,
  type Stat,
  type SystemCalls,
  type UserMemory,
  type UserPointer,
  type Utsname,
} from "./system_calls.ts";
export {
  buildCommandLine,
  type CommandLineChoice,
  type CommandLineProblem,
  commandLineProblems,
} from "./kexec/command_line.ts";
export { standInBzImage } from "./kexec/bzimage.ts";
export {
  type Architecture,
  checkImage,
  type ImageProblem,
  type ImageReport,
  type ReadImage,
} from "./kexec/check_image.ts";
export { exec, type Image, imageLoaded, loadImage, unloadImage } from "./kexec/load.ts";
export { linux } from "./linux/system_calls.ts";
export type { Fault, FaultRule, FaultSpec, FaultTime } from "./model/faults/fault_spec.ts";
export { type Disk, type DiskFile, MemoryDisk } from "./model/fs/disk.ts";
export { Machine, type MachineOptions, type Reset, type SpawnOptions } from "./model/machine.ts";
export {
  Device,
  IncomingSession,
  openDevice,
  OutgoingSession,
  type RestorableSession,
  SESSION_NAME_MAX,
  sessionNameProblem,
} from "./session.ts";
export { SessionHolder } from "./session_holder.ts";
