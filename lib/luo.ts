/**
 * The library: live update for TypeScript programs, without any agent.
 *
 * ```ts ignore
 * import { linux, openDevice } from "luo";
 *
 * using kernel = linux();
 * using device = openDevice(kernel);
 * using session = device.create("vm1");
 * session.preserve(memfd, 7n);
 * ```
 *
 * @module
 */
export { Fd } from "./fd.ts";
export { LuoError } from "./error.ts";
export type { Kernel, Received, Stat, UserMemory, UserPointer, Utsname } from "./kernel.ts";
export {
  buildCommandLine,
  type CommandLineChoice,
  type CommandLineProblem,
  commandLineProblems,
} from "./kexec/command_line.ts";
export { checkImage, type ImageProblem, type ImageReport } from "./kexec/image.ts";
export { exec, type Image, imageLoaded, loadImage, unloadImage } from "./kexec/load.ts";
export { linux } from "./linux/kernel.ts";
export { Device, openDevice, Session, SESSION_NAME_MAX, sessionNameProblem } from "./session.ts";
