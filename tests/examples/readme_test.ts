/** The README tells the truth: its tour, its exit codes, and the files that it names. */
import assert from "node:assert/strict";
import { EXIT_MEANING } from "../../commands/base/exit_codes.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const README = Deno.readTextFileSync(`${ROOT}README.md`);

Deno.test("the README's table of exit codes is the program's", () => {
  const rows = Array.from(README.matchAll(/^\| (\d+) +\| (.+?) +\|$/gm), ([, code, text]) => [code, text]);
  const meaning = EXIT_MEANING.map(([code, text]) => [`${code}`, text.replaceAll("--force", "`--force`")]);
  assert.deepEqual(rows, meaning);
});

/** The text without the parts that differ at every run: time, directory, digest. */
function lasting(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, "TIME").replace(/\/tmp\/[\w.-]+/g, "DIR")
    .replace(/sha256:[0-9a-f]{12}/g, "DIGEST").trim();
}

Deno.test("the README's tour: every command gives the output shown", async () => {
  const steps = Array.from(README.matchAll(/^```console\n([^]*?)^```$/gm), ([, block]) => block ?? "").join(
    "",
  )
    .split(/^\$ /m).slice(1).map((step) => {
      const [command = "", ...output] = step.split("\n");
      return { command, output: output.join("\n") };
    });
  assert.ok(steps.length > 10);
  const mark = "--- next step ---";
  const clean_up = `trap '[ ! -d "$DIR" ] || { luo agent stop --force; rm -rf "$DIR"; }' EXIT\n`;
  const script = clean_up + steps.map(({ command }) => `${command}\necho '${mark}'`).join("\n");
  const path = `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}`;
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: ["-ec", script],
    cwd: ROOT,
    env: { PATH: path, NO_COLOR: "1", TMPDIR: "/tmp" },
    stdin: "null",
  }).output();
  const outputs = new TextDecoder().decode(stdout).split(`${mark}\n`);
  assert.equal(new TextDecoder().decode(stderr), "");
  for (const [i, { command, output }] of steps.entries()) {
    assert.equal(lasting(outputs[i] ?? ""), lasting(output), command);
  }
});

Deno.test("the files that the README names exist", () => {
  for (const [, path = ""] of README.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
    assert.ok(Deno.statSync(`${ROOT}${path}`), path);
  }
});
