/** `luo completion`: prints the completion script of a shell. */
import { buildCommand } from "./base/build_command.ts";
import type { Answers } from "../lib/schema/answer_types.ts";
import { completionScript, type Shell, SHELLS } from "./help/completion_script.ts";
import { docs, jsonFlag, perform } from "./arguments/command.ts";
import type { Context } from "./base/context.ts";
import { Failure } from "./errors/failure.ts";
import { routeTree } from "./help/route_tree.ts";

export interface Flags {
  readonly json: boolean;
}

export type Result = Answers["completion"];

export function parse(_flags: Flags, name: string): Shell {
  const shell = SHELLS.find((candidate) => candidate === name);
  if (shell !== undefined) return shell;
  throw new Failure("usage", `Cannot complete for "${name}"`, {
    hints: [`the shells there are: ${SHELLS.join(", ")}`],
  });
}

export async function run(context: Context, shell: Shell): Promise<Result> {
  return { shell, script: completionScript(shell, routeTree(await context.allRoutes())) };
}

export function format({ script }: Result): string {
  return script.trimEnd();
}

export const command = buildCommand<Flags, [string], Context>({
  docs: docs(
    "Print a completion script for a shell",
    "For bash, zsh or fish.",
    [
      ["source <(luo completion bash)", "in ~/.bashrc"],
      ['luo completion zsh > "${fpath[1]}/_luo"', "once, for zsh"],
      ["luo completion fish > ~/.config/fish/completions/luo.fish", "once, for fish"],
    ],
  ),
  parameters: {
    flags: {
      json: jsonFlag,
    },
    positional: {
      kind: "tuple",
      parameters: [{
        parse: String,
        placeholder: "SHELL",
        brief: SHELLS.join(", "),
        proposeCompletions: () => SHELLS,
      }],
    },
  },
  func(flags, shell) {
    return perform(this, flags, { parse: () => parse(flags, shell), run, format, onlyReads: true });
  },
});
