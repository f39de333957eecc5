/** A program that a user named, and what it finds around it when luo starts it. */
import { Errno } from "../../ffi/abi/errno.ts";
import { access_executable, readlink, stat } from "../../ffi/file.ts";
import { check, LuoError } from "../../lib/error.ts";
import { inheritedEnvironment } from "../../lib/files/inherited_environment.ts";
import { findProgram, startLimits } from "../../lib/files/program_start.ts";

/** The environment, the limits and the directory that luo was started with. */
export interface Surroundings {
  readonly env: readonly string[];
  /** RLIMIT_NOFILE, soft and hard. */
  readonly nofile: readonly [bigint, bigint];
  readonly directory: string;
}

/** @throws LuoError `read`; FileProblem `system-file` */
export function programSurroundings(): Surroundings {
  return {
    env: inheritedEnvironment(),
    nofile: startLimits(),
    directory: check<string>(readlink("/proc/self/cwd"), "read", "/proc/self/cwd"),
  };
}

/** The path of a program of this host. @throws LuoError `execute`: ENOENT, EACCES */
export function requireProgram(name: string, env: readonly string[]): string {
  const path = findProgram(name, env);
  const found = stat(path);
  if (typeof found === "number") throw notExecuted(name, -found);
  if (!access_executable(path)) throw notExecuted(name, Errno.EACCES);
  return path;
}

function notExecuted(name: string, errno: number): LuoError {
  const subject = `"${name}"`;
  return new LuoError("execute", subject, errno, `Cannot execute ${subject}`);
}
