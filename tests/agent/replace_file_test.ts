/** A small file that is replaced as a whole, while others use it. */
import assert from "node:assert/strict";
import { replaceFile } from "../../lib/agent/replace_file.ts";

const SCRIPT = new TextEncoder().encode("#!/bin/sh\nexit 0\n");

Deno.test("a program can be executed at every moment while it is replaced", async () => {
  const directory = Deno.makeTempDirSync();
  const program = `${directory}/luo`;
  replaceFile(program, SCRIPT, 0o700);
  const user = new Deno.Command("/bin/sh", {
    args: ["-c", `i=0; while [ $i -lt 1000 ]; do "$0" || exit 1; i=$((i+1)); done`, program],
    stderr: "piped",
  }).spawn();
  let ended = false;
  const output = user.output().finally(() => ended = true);
  try {
    while (!ended) {
      for (let times = 0; times < 100; times++) replaceFile(program, SCRIPT, 0o700);
      await new Promise((next) => setTimeout(next));
    }
    const { code, stderr } = await output;
    assert.equal(new TextDecoder().decode(stderr), "");
    assert.equal(code, 0);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
