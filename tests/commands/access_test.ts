/** `luo agent start --access`: rules that cannot be read stop the agent, and other users reach it without naming another socket. */
import assert from "node:assert/strict";
import { parse as parseAddress } from "node:path";
import { accessFile } from "../../commands/arguments/access_flag.ts";
import { Failure, renderFailure } from "../../commands/errors/failure.ts";
import { toFailure } from "../../commands/errors/to_failure.ts";
import { AgentProtocolError } from "../../lib/agent/client.ts";
import { Cli } from "./cli.ts";

Deno.test("--access wins over LUO_ACCESS, and is an absolute path", () => {
  assert.equal(accessFile(undefined, {}), undefined);
  assert.equal(accessFile(undefined, { access: "" }), undefined);
  assert.equal(accessFile(undefined, { access: "/b" }), "/b");
  assert.equal(accessFile("/a", { access: "/b" }), "/a");
  assert.throws(() => accessFile("a", {}), Failure);
});

Deno.test("an agent with bad access rules does not start, and says which line", async () => {
  await using cli = new Cli();
  const rules = cli.file("access.conf", "user root *\nuser nosuch-user vm-*\n");
  Deno.chmodSync(rules, 0o644);
  await cli.fails(3, /access.conf", line 2: user "nosuch-user" is not in \/etc\/passwd/, [
    "agent",
    "start",
    "--access",
    rules,
  ]);
  await cli.fails(3, /line 2/, ["session", "list"], { env: { LUO_ACCESS: rules } });
  Deno.chmodSync(rules, 0o666);
  await cli.fails(3, /other users may write it/, ["agent", "start", "--access", rules]);
});

Deno.test("the shared socket comes and goes with the agent", async () => {
  await using cli = new Cli();
  const rules = cli.file("access.conf", "uid 4001 vm-*\n");
  Deno.chmodSync(rules, 0o644);
  await cli.ok(["agent", "start", "--access", rules]);
  const shared = `${parseAddress(cli.socket).dir}-shared`;
  assert.ok(Deno.lstatSync(`${shared}/s`).isSocket);
  await cli.ok(["session", "create", "vm1", "--socket", `${shared}/s`]);
  assert.match(await cli.ok(["session", "list"]), /vm1/);
  await cli.ok(["agent", "stop", "--force"]);
  assert.throws(() => Deno.lstatSync(shared), Deno.errors.NotFound);
});

Deno.test("a user who is turned away reads why, and not that the agent may be of another version", () => {
  const failure = toFailure(
    new AgentProtocolError("The agent answers org.varlink.service.PermissionDenied {}"),
  );
  assert.equal(failure.exit, 3);
  assert.match(renderFailure(failure), /turns this user away\n.*docs\/security\.md$/);
});
