/** The completion script, in a real bash. */
import assert from "node:assert/strict";
import { completionScript } from "../../commands/help/completion_script.ts";
import { routes } from "../../commands/program/routes.ts";
import { routeTree } from "../../commands/help/route_tree.ts";

const script = completionScript("bash", routeTree(routes));

/** The words that bash offers for the last word. */
function complete(...words: string[]): string[] {
  const ask =
    `COMP_WORDS=("$@"); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}; COMP_CWORD=$(($# - 1)); _luo; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = new Deno.Command("bash", { args: ["-c", `${script}${ask}`, "bash", ...words] })
    .outputSync();
  return new TextDecoder().decode(stdout).trim().split("\n");
}

Deno.test("bash completes commands, flags, their values and files", async (t) => {
  const cases: [string[], string[]][] = [
    [["luo", "s"], ["status", "session", "schema"]],
    [["luo", "session", "c"], ["create", "close"]],
    [["luo", "session", "list", "--js"], ["--json"]],
    [["luo", "file", "preserve", "vm1", "--to"], ["--token"]],
    [["luo", "status", "--backend", ""], ["linux", "model"]],
    [["luo", "kexec", "load", "/proc/self/statu"], ["/proc/self/status"]],
    [["luo", "file", "preserve", "--from", "/proc/self/statu"], ["/proc/self/status"]],
    [["luo", "--h"], ["--help"]],
    [["luo", "machi"], ["machine"]],
  ];
  for (const [words, expected] of cases) {
    await t.step(words.join(" "), () => assert.deepEqual(complete(...words), expected));
  }
});
