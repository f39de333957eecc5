/**
 * The library: live update for TypeScript programs, without any agent.
 *
 * ```ts ignore
 * import { linux, openDevice, SessionHolder } from "@luo/luo";
 *
 * using kernel = linux();
 * using device = openDevice(kernel);
 * const holder = new SessionHolder(); // until the kexec
 * holder.preserveAll(device, "cache", [[7n, memfd]]);
 * ```
 *
 * and after the kexec:
 *
 * ```ts ignore
 * using device = openDevice(linux());
 * const cache = device.restoreAll("cache", (session) => readCache(session.restore(7n)));
 * ```
 *
 * On a host without LUO the same lines run on the model of `@luo/luo/testing`: `new Machine().init()` in place of `linux()`.
 * examples/library.ts goes through a whole live update. A program uses either the library or the agent, never both.
 *
 * @module
 */
export { Fd } from "./fd.ts";
export { OwnedNumber } from "./owned_number.ts";
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
export type { BuiltInLine } from "./kexec/built_in_line.ts";
export {
  buildCommandLine,
  type CommandLineChoice,
  type CommandLineProblem,
  commandLineProblems,
} from "./kexec/command_line.ts";
export {
  type Architecture,
  checkImage,
  type ImageProblem,
  type ImageReport,
  type ReadImage,
} from "./kexec/check_image.ts";
export { exec, type Image, imageLoaded, loadImage, unloadImage } from "./kexec/load.ts";
export { linux } from "./linux/system_calls.ts";
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
