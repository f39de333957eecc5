/** Faults injected by --faults and LUO_FAULTS. */
import assert from "node:assert/strict";
import { Cli } from "./cli.ts";

Deno.test("a kexec that fails by a fault: nothing is lost, and the next kexec works", async () => {
  await using cli = new Cli();
  const env = { LUO_FAULTS: "freeze@1=EBUSY" };
  const done = async (...args: string[]) => {
    const outcome = await cli.luo(args, { env });
    assert.equal(outcome.code, 0, outcome.err);
    return outcome.out;
  };
  await done("session", "create", "vm");
  await done("file", "preserve", "vm", "--from", cli.file("data", "bytes"), "--token", "1");
  await done("kexec", "load", cli.kernel, "--command-line", "liveupdate=on");
  const refused = await cli.luo(["kexec", "exec"], { env });
  assert.equal(refused.code, 1);
  assert.match(refused.err, /EBUSY/);
  await done("kexec", "exec");
  await done("session", "retrieve", "vm");
  assert.equal(await done("file", "restore", "vm", "1", "--stdout"), "bytes");
});

Deno.test("a wrong --faults is a usage error that shows the syntax", async () => {
  await using cli = new Cli();
  const { code, err } = await cli.luo(["machine", "run", "--faults", "freeze@1=EPERM"]);
  assert.equal(code, 2);
  assert.match(err, /Cannot use --faults: "freeze" cannot be "EPERM": EBUSY/);
  assert.match(err, /PLACE\[@WHEN\]=WHAT/);
});
