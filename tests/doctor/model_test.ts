/** `luo doctor --backend model`: the model answers for itself. */
import assert from "node:assert/strict";
import type { Answers } from "../../lib/schema/answer_types.ts";
import { Cli } from "../commands/cli.ts";

Deno.test("luo doctor on the model: nothing stops it, and the agent can open the device", async () => {
  await using cli = new Cli();
  await cli.ok(["session", "create", "vm1"]);
  const { doctor } = await cli.json<Answers["doctor"]>(["doctor"]);
  // No limit, and one of more milliseconds than an int holds.
  for (const limit of ["0", "9999999"]) await cli.ok(["doctor", "--timeout", limit]);
  assert.deepEqual([doctor.backend, doctor.stopped], ["model", false]);
  const device = doctor.findings.find(({ code }) => code === "device");
  assert.equal(device?.verdict, "ok");
  assert.match(device.text, /The agent \(process \d+\) can open/);
  const config = doctor.findings.find(({ code }) => code === "kernel_config");
  assert.match(
    `${config?.verdict} ${config?.text}`,
    /^ok .*CONFIG_LIVEUPDATE.* are set in \/proc\/config\.gz$/,
  );
});
