import { readlink } from "../../ffi/file.ts";
import { check } from "../../lib/error.ts";
import { BINARY } from "../../lib/version.ts";
import type { Context } from "../base/context.ts";

/** What `luo` may do, as the `luo` task in deno.json says it too (a test compares them). */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--allow-ffi",
  "--allow-env=LUO_BACKEND,LUO_SOCKET,LUO_EXE,LUO_FAULTS,XDG_RUNTIME_DIR,NO_COLOR",
];

/** How to start `luo` itself again: the program, and the arguments that come before those of luo. */
export function selfCommand(
  { settings, mainModule }: Pick<Context, "settings" | "mainModule">,
): readonly string[] {
  if (settings.exe !== undefined && settings.exe !== "") return [settings.exe];
  const deno = check<string>(readlink("/proc/self/exe"), "read", "/proc/self/exe");
  // Its file may have been removed or replaced since: the kernel still has what it started.
  if (BINARY) return [deno.endsWith(" (deleted)") ? "/proc/self/exe" : deno];
  // What it needs is in the cache, or this process would not run; the network is not asked again.
  return [deno, "run", "--quiet", "--cached-only", ...PERMISSIONS, mainModule];
}
