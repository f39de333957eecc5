/** luo's own agent under `luo emulate`, on its way for Linux: what the agent on the model cannot do. */
import assert from "node:assert/strict";
import { Lab } from "./run.ts";

Deno.test("a program preserves by itself in a session that the agent gave it, and restores so after the kexec", async () => {
  using lab = new Lab();
  const program = new URL("../vm/open_session.ts", import.meta.url).pathname;
  const deno = [Deno.execPath(), "run", "-A", "--cached-only", "--quiet", program];
  const { code, out, err } = await lab.emulate("--", ...deno);
  assert.equal(out, "boot 1: as it should be\nboot 2: as it should be\n", err);
  assert.equal(code, 0, err);
});
