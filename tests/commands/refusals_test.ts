/** Every refusal names the step that keeps the data, and `--force` after it. */
import assert from "node:assert/strict";
import { AgentError } from "../../lib/agent/client.ts";
import type { Problem } from "../../lib/agent/protocol.ts";
import { renderFailure } from "../../commands/errors/failure.ts";
import { toFailure } from "../../commands/errors/to_failure.ts";
import { Cli } from "./cli.ts";

/** The step that keeps the data stands before the last line, and the last line has `--force`. */
function keepsDataFirst(err: string, step: string): void {
  const lines = err.trimEnd().split("\n");
  assert.match(lines.at(-1) ?? "", /--force$/, err);
  assert.ok(lines.slice(1, -1).some((line) => line.includes(step)), err);
}

Deno.test("refusals: the step that keeps the data is named first, --force last", async (t) => {
  await using cli = new Cli();
  const name = "vm 1";
  const refuses = (step: string, ...args: string[]) =>
    t.step(args.join(" "), async () => {
      const { code, err } = await cli.luo(args);
      assert.equal(code, 4, err);
      assert.match(err, /^luo: Cannot .*: data would be lost\n/);
      keepsDataFirst(err, step);
    });
  await cli.ok(["session", "create", name]);
  await cli.ok(["file", "preserve", name, "--from", cli.kernel, "--token", "7"]);
  await refuses("luo kexec load KERNEL, luo kexec exec", "session", "close", name);
  await refuses("luo kexec load KERNEL, luo kexec exec", "agent", "stop");
  await refuses("--append liveupdate=on", "kexec", "load", cli.kernel, "--command-line", "kho=on");
  await cli.kexec();
  await cli.ok(["kexec", "load", cli.kernel, "--command-line", "liveupdate=on kho=on"]);
  await refuses("luo session retrieve 'vm 1'", "kexec", "exec");
  await cli.ok(["session", "retrieve", name]);
  await refuses("luo session finish 'vm 1'", "kexec", "exec");
  await refuses("luo file restore 'vm 1' 7 --to FILE", "session", "finish", name);
  await refuses("luo file restore 'vm 1' 7 --to FILE", "session", "close", name);
});

/** A refusal of the agent, as the command shows it. */
function shown(problems: Problem[], reasons: string[] = ["because"]): string {
  const error = new AgentError("Refused", { operation: "preserve", subject: "file 7", reasons, problems });
  return renderFailure(toFailure(error));
}

Deno.test("refusals: a step is named once for each kind of problem, and --force always", () => {
  const files: Problem[] = ["7", "8"].map((token) => ({ code: "file_not_restored", session: "vm1", token }));
  assert.match(shown(files), /luo file restore vm1 7 --to FILE\n {2}to lose that data: --force$/);
  assert.match(shown([{ code: "access_changes" }]), /come back different\n[^]*5<>FILE[^]*--force$/);
  assert.equal(
    shown([]),
    "luo: Cannot preserve file 7: data would be lost\n  because\n  to lose that data: --force",
  );
});

Deno.test("refusals: a long list of reasons is cut at ten, those with data first; JSON has all", async () => {
  await using cli = new Cli();
  for (let n = 0; n < 12; n++) await cli.ok(["session", "create", `empty${n}`]);
  await cli.ok(["session", "create", "full"]);
  await cli.ok(["file", "preserve", "full", "--from", cli.kernel, "--token", "7"]);
  const { code, err } = await cli.luo(["agent", "stop"]);
  const lines = err.split("\n");
  assert.equal(code, 4);
  assert.match(lines[1] ?? "", /session "full" \(outgoing, 1 file\)/);
  assert.equal(lines.filter((line) => line.includes("(outgoing, ")).length, 10);
  assert.equal(lines[11], "  and 3 more");
  const { error }: { error: { reasons: string[] } } = JSON.parse(
    (await cli.luo(["agent", "stop", "--json"])).err,
  );
  assert.equal(error.reasons.length, 13);
});
