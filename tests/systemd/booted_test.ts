/** The systemd of the host is not that of an emulated machine. */
import assert from "node:assert/strict";

const MODULE = new URL("../../commands/processes/booted_by_systemd.ts", import.meta.url).href;

/** What a process with this environment and this directory of systemd's says. */
async function booted(directory: string, env: Record<string, string>): Promise<string> {
  const code = `import { bootedBySystemd } from "${MODULE}"; console.log(bootedBySystemd(${
    JSON.stringify(directory)
  }));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", code], env }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("systemd is process 1 where its directory is, and not in an emulated machine", async () => {
  const directory = await Deno.makeTempDir({ prefix: "luo-booted-" });
  assert.equal(await booted(directory, {}), "true");
  assert.equal(await booted(directory, { LUO_BOOT: "1" }), "false");
  await Deno.remove(directory);
  assert.equal(await booted(directory, {}), "false");
});
