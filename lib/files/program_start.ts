/** How CMD is found and which limits it starts with. */
import { access_executable } from "../../ffi/file.ts";
import { getppid } from "../../ffi/process.ts";
import { fd_limits } from "../../ffi/tracee.ts";

/**
 * Searches PATH as execvp(3) does. A name that is not found becomes a path in the first directory: execve then fails with the right
 * errno. The bare name would be a program in the working directory.
 */
export function findProgram(name: string, env: readonly string[]): string {
  // No program has an empty name.
  if (name.includes("/") || name === "") return name;
  const path = env.find((one) => one.startsWith("PATH="))?.slice("PATH=".length) ?? "/usr/bin:/bin";
  const places = path.split(":").map((directory) => `${directory || "."}/${name}`);
  return places.find(access_executable) ?? places[0] ?? name;
}

/** RLIMIT_NOFILE of the parent process. Deno raises its own limit, and CMD must not inherit that. */
export function startLimits(): [bigint, bigint] {
  return fd_limits(getppid());
}
