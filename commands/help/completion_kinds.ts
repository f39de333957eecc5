/** How an argument or the value of a flag is completed. */
import type { CommandInfo, FlagInfo } from "./route_tree.ts";

/**
 * - `files`: by the shell.
 * - `values`: by the hidden command `luo complete`, which asks the running agent and looks at the host.
 * - `kernels`: by both.
 * - `command`: by the shell, as a command with its arguments.
 * - `nothing`: it cannot be known.
 */
export type Kind = "files" | "values" | "kernels" | "command" | "nothing";

const KINDS: Readonly<Record<string, Kind>> = {
  FILE: "files",
  PATH: "files",
  DIR: "files",
  KERNEL: "kernels",
  IMAGE: "kernels",
  SESSION: "values",
  TOKEN: "values",
  KEY: "values",
  PREFIX: "values",
  PARTICIPANT: "values",
  SHELL: "values",
  PAGE: "values",
  NAME: "values",
  CMD: "command",
};

/** Flags whose placeholder says too little. */
const FLAGS: Readonly<Record<string, Kind>> = {
  initrd: "kernels",
  token: "values",
  label: "values",
  pid: "values",
  fd: "values",
};

/** How the value of a flag is completed. Enumerations have their values in the flag. */
export function kindOfFlag({ name, placeholder = "" }: FlagInfo): Kind {
  return FLAGS[name] ?? KINDS[placeholder] ?? "nothing";
}

export function kindOfArgument(placeholder: string): Kind {
  return KINDS[placeholder] ?? "nothing";
}

/** Whether a command takes another command, after a `--`. */
export function takesCommand({ description }: CommandInfo): boolean {
  return / -- /.test(description);
}
