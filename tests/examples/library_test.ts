/** examples/library.ts runs as it stands. */
import assert from "node:assert/strict";

Deno.test("examples/library.ts needs no permission and restores what it preserved", async () => {
  const example = new URL("../../examples/library.ts", import.meta.url).pathname;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), { args: ["run", "--quiet", example] })
    .output();
  assert.equal(code, 0);
  assert.match(new TextDecoder().decode(stdout), /^This memory belongs to no process/m);
});
