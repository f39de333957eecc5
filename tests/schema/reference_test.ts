/** The files that are made from lib/schema are up to date. */
import assert from "node:assert/strict";

Deno.test("deno task reference would change no file", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "reference", "--check"],
    cwd: new URL("../..", import.meta.url).pathname,
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});
