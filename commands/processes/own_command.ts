/** The command line that starts luo again. */
import { readlink } from "../../ffi/file.ts";
import { check } from "../../lib/error.ts";
import { checkProc } from "../../lib/files/system_files.ts";
import { BINARY } from "../../lib/version.ts";
import type { Context } from "../base/context.ts";

/** The permissions of `luo`. A test compares them with the `luo` task in deno.json. */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--allow-ffi",
  "--allow-env=LUO_BACKEND,LUO_SOCKET,LUO_EXE,LUO_ACCESS,LUO_FAULTS,LUO_PARTICIPANTS,LUO_LUOD_SOCKET,LUO_TEST_KERNELS," +
  "LUO_CONFIG,LUO_KERNEL,LUO_INITRD,LUO_CMDLINE,LUO_APPEND,XDG_RUNTIME_DIR,NO_COLOR," +
  "NOTIFY_SOCKET,WATCHDOG_USEC,WATCHDOG_PID,LISTEN_PID,LISTEN_FDS,LISTEN_FDNAMES,FDSTORE",
];

/** How to start `luo` itself again: the program, and the arguments that come before those of luo. */
export function selfCommand(
  { settings, mainModule }: Pick<Context, "settings" | "mainModule">,
): readonly string[] {
  if (settings.exe !== undefined && settings.exe !== "") return [settings.exe];
  const own = readlink("/proc/self/exe");
  if (typeof own === "number") checkProc("/proc/self/exe");
  const deno = check<string>(own, "read", "/proc/self/exe");
  // The file of the executable may have been removed or replaced; /proc/self/exe still opens the running one.
  if (BINARY) return [deno.endsWith(" (deleted)") ? "/proc/self/exe" : deno];
  // All modules are in the cache, or this process would not run: the network is not needed.
  return [deno, "run", "--quiet", "--cached-only", ...PERMISSIONS, mainModule];
}
