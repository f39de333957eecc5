/** The environment of participants, with a PATH in which `luo` is the luo that runs. */
import { check } from "../error.ts";
import { mkdir } from "../../ffi/file.ts";
import { Errno } from "../../ffi/abi/errno.ts";
import { inheritedEnvironment } from "../files/inherited_environment.ts";
import type { AgentPaths } from "./agent_place.ts";
import { replaceFile } from "./replace_file.ts";
import { SERVICE_VARIABLES } from "./service.ts";
import type { EventInput } from "./update/callee.ts";

/** The settings that all participants of this agent share. */
export interface ParticipantSurroundings {
  readonly backend: string;
  readonly paths: AgentPaths;
  /** The command line that starts luo. Undefined: `luo` is what PATH has. */
  readonly luo: readonly string[] | undefined;
}

/** `NAME=value` of everything that a participant finds in its environment. */
export function participantEnvironment(
  { backend, paths, luo }: ParticipantSurroundings,
  input: EventInput,
): string[] {
  const inherited = new Map(
    inheritedEnvironment().map((one) => {
      const at = one.indexOf("=");
      return [one.slice(0, at), one.slice(at + 1)] as const;
    }),
  );
  const path = inherited.get("PATH") || "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const own = {
    PATH: `${ownDirectory(paths, luo)}${path}`,
    LUO_BACKEND: backend,
    LUO_SOCKET: paths.socket,
    LUO_SESSION: input.session,
    LUO_UPDATE: input.update,
    LUO_EVENT: input.event,
    LUO_DEADLINE: input.deadline,
    // A variable cannot hold a NUL. The JSON on standard input has every answer.
    LUO_ANSWER: input.answer === undefined || input.answer.includes("\0") ? "" : input.answer,
  };
  // These are for the agent's own process: a workload that a participant starts must not speak for the agent's unit.
  for (const name of SERVICE_VARIABLES) inherited.delete(name);
  for (const [name, value] of Object.entries(own)) inherited.set(name, value);
  return [...inherited].map(([name, value]) => `${name}=${value}`);
}

/** The directory with the `luo` of participants, as the beginning of a PATH. */
function ownDirectory({ bin }: AgentPaths, luo: readonly string[] | undefined): string {
  if (luo === undefined) return "";
  const single = singleExecutable(luo);
  return single === undefined ? `${bin}:` : `${single}:`;
}

/** The directory of the single executable when its name is luo. A script in /run could not be executed where /run is mounted noexec. */
function singleExecutable([path = "", ...rest]: readonly string[]): string | undefined {
  return rest.length === 0 && path.endsWith("/luo") ? path.slice(0, -"/luo".length) || "/" : undefined;
}

/** Makes the `luo` of participants. @throws LuoError `record` */
export function makeOwnCommand({ paths, luo }: ParticipantSurroundings): void {
  if (luo === undefined || singleExecutable(luo) !== undefined) return;
  const made = mkdir(paths.bin, 0o700);
  if (made !== -Errno.EEXIST) check(made, "record", `"${paths.bin}"`);
  const words = luo.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const text = `#!/bin/sh\nexec ${words} "$@"\n`;
  replaceFile(`${paths.bin}/luo`, new TextEncoder().encode(text), 0o700);
}
