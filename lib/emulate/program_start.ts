import { access_executable } from "../../ffi/file.ts";
import { getppid } from "../../ffi/process.ts";
import { fd_limits } from "../../ffi/tracee.ts";

/** As execvp(3) finds it; a name with a slash is a path. What is nowhere is left for execve to say. */
export function findProgram(name: string, env: readonly string[]): string {
  if (name.includes("/")) return name;
  const path = env.find((one) => one.startsWith("PATH="))?.slice("PATH=".length) ?? "/usr/bin:/bin";
  const found = path.split(":").map((directory) => `${directory || "."}/${name}`).find(access_executable);
  return found ?? name;
}

/** RLIMIT_NOFILE as whoever started us has it: Deno raises its own, and CMD is not to see that. */
export function startLimits(): [bigint, bigint] {
  return fd_limits(getppid());
}
