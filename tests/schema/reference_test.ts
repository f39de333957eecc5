/** What is made from lib/schema is up to date. */
import assert from "node:assert/strict";

Deno.test("the files that `deno task reference` writes are what it would write", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "reference", "--check"],
    cwd: new URL("../..", import.meta.url).pathname,
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});
