/** `deno task test:library`: `liveUpdateTest` on a real kernel, in virtual machines. Exit status 1 when a result is wrong. */
import assert from "node:assert/strict";
import { runOnLinux } from "../../../lib/testing.ts";
import { imagePath } from "../../vm/images.ts";

if (import.meta.main) {
  const share = Deno.makeTempDirSync({ prefix: "luo-library-" });
  try {
    const options = { kernel: imagePath(), share };
    const passing = await runOnLinux(import.meta.resolve("../live_update_test.ts"), options);
    assert.deepEqual(passing.map(({ name, errors }) => [name.split(" ")[0], errors]), [["what", []], [
      "tests",
      [],
    ]]);
    assert.match(Deno.readTextFileSync(`${share}/release`), /^7\.\d/);

    const failing = await runOnLinux(import.meta.resolve("./failing_suite.ts"), options);
    const errors = new Map(failing.map(({ name, errors }) => [name, errors.join("\n")]));
    assert.match(errors.get("fails before the kexec") ?? "", /^In boot 1: .*in the first half/);
    assert.match(errors.get("fails after the kexec") ?? "", /^In boot 2: .*in the second half/);
    assert.equal(errors.get("passes"), "");

    const broken = runOnLinux(import.meta.resolve("./no_such_suite.ts"), options);
    await assert.rejects(broken, /Boot 1 ended with status 1, and no liveUpdateTest ran:\n[^]*no_such_suite/);
    console.log("3 passed, 0 failed");
  } finally {
    Deno.removeSync(share, { recursive: true });
  }
}
