/** Completion scripts for bash, zsh and fish. */
import { bash } from "./completion_bash.ts";
import { fish } from "./completion_fish.ts";
import { zsh } from "./completion_zsh.ts";
import type { RouteTree } from "./route_tree.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * The completion script for a shell. The script knows commands, flags and enumerations; for names of sessions and the like it
 * calls `luo complete`.
 */
export function completionScript(shell: Shell, tree: RouteTree): string {
  switch (shell) {
    case "bash":
      return bash(tree);
    case "zsh":
      return zsh(tree);
    case "fish":
      return fish(tree);
  }
}
