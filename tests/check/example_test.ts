/** examples/kexec-check.sh runs unchanged. */
import assert from "node:assert/strict";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { Cli } from "../commands/cli.ts";

const SCRIPT = new URL("../../examples/kexec-check.sh", import.meta.url).pathname;

async function example(cli: Cli, images: readonly string[]) {
  const { code, stdout } = await new Deno.Command("bash", {
    args: [SCRIPT, ...images],
    env: { ...cli.env, LUO: cli.commandLine.join(" ") },
    cwd: cli.dir,
    stdin: "null",
  }).output();
  return { code, out: new TextDecoder().decode(stdout) };
}

Deno.test("examples/kexec-check.sh loads the first kernel that fits", async () => {
  await using cli = new Cli();
  const other = cli.file("other", standInBzImage({ release: "7.3.5-luo-v9" }));
  const old = cli.file("old", standInBzImage({ release: "6.12.1" }));
  const none = await example(cli, [other, old]);
  assert.equal(none.code, 4);
  assert.match(
    none.out,
    /^\S+other does not fit: luo-v5 is handed over, the image knows luo-v9.*\n.*6\.12\.1/,
  );
  assert.match(none.out, /nothing is loaded/);
  const one = await example(cli, [other, cli.kernel]);
  assert.equal(one.code, 0);
  assert.match(one.out, /kernel fits\nKernel /);
  assert.match(await cli.ok(["kexec", "show"]), /7\.3\.4-standin/);
});
