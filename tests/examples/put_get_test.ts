/** The example of `luo put` runs through. */
import assert from "node:assert/strict";

const ROOT = new URL("../..", import.meta.url).pathname;

Deno.test("examples/put-get.sh counts its kernels", async () => {
  const path = Deno.execPath();
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["examples/put-get.sh"],
    cwd: ROOT,
    env: { NO_COLOR: "1", PATH: `${path.slice(0, path.lastIndexOf("/"))}:${Deno.env.get("PATH")}` },
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.match(new TextDecoder().decode(stdout), /^keys: example\/bytes example\/kernels \nkernels: 3$/m);
});
