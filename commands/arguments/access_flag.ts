/** The flag --access: the file with the access rules. */
import type { Settings } from "../base/context.ts";
import { Failure } from "../errors/failure.ts";

/** `--access FILE`, of the commands that start the agent. */
export const accessFlag = {
  kind: "parsed",
  parse: String,
  optional: true,
  placeholder: "FILE",
  brief: "Rules: which other users may preserve and restore (or LUO_ACCESS)",
} as const;

/** The file of the flag, else of the environment. Undefined: none. @throws Failure usage: the path is relative */
export function accessFile(flag: string | undefined, { access }: Settings): string | undefined {
  const path = flag ?? access;
  if (path === undefined || path === "") return undefined;
  if (path.startsWith("/")) return path;
  const source = flag === undefined ? "LUO_ACCESS" : "--access";
  throw new Failure("usage", `Cannot use ${source}: "${path}" is not an absolute path`, {
    hints: ["the agent reads the file again on SIGHUP, from its own directory"],
  });
}
