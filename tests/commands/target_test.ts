/** Which kernel and which socket a command uses. */
import assert from "node:assert/strict";
import type { Settings } from "../../commands/base/context.ts";
import { Failure } from "../../commands/errors/failure.ts";
import { resolveTarget } from "../../commands/arguments/agent_target.ts";

type Flags = Parameters<typeof resolveTarget>[0];

Deno.test("which kernel and which socket", async (t) => {
  const [longest, longModel] = [`/${"x".repeat(106)}`, `/${"x".repeat(98)}`];
  const cases: [string, Flags, Settings, boolean, string, string, boolean][] = [
    ["longest", { socket: longest }, {}, true, "linux", longest, false],
    ["longest on the model", { socket: longModel, backend: "model" }, {}, true, "model", longModel, false],
    ["root", {}, {}, true, "linux", "/run/luo/agent.sock", true],
    ["root, model", { backend: "model" }, {}, true, "model", "/run/luo/model.sock", true],
    ["user", {}, { runtimeDir: "/run/user/1" }, false, "linux", "/run/user/1/luo/agent.sock", true],
    ["environment", {}, { backend: "model", socket: "/s" }, false, "model", "/s", false],
    [
      "flags win",
      { backend: "linux", socket: "/t" },
      { backend: "model", socket: "/s" },
      false,
      "linux",
      "/t",
      false,
    ],
    [
      "empty is unset",
      {},
      { backend: "", socket: "", runtimeDir: "/r" },
      false,
      "linux",
      "/r/luo/agent.sock",
      true,
    ],
  ];
  for (const [name, flags, settings, isRoot, backend, socket, isDefault] of cases) {
    await t.step(
      name,
      () => assert.deepEqual(resolveTarget(flags, settings, () => isRoot), { backend, socket, isDefault }),
    );
  }
});

Deno.test("exit code 3 without a default socket, 2 for a wrong backend or socket", () => {
  const fails = (exit: number, flags: Flags, settings: Settings) =>
    assert.throws(
      () => resolveTarget(flags, settings, () => false),
      (error) => error instanceof Failure && error.exit === exit,
    );
  fails(3, {}, {});
  fails(2, {}, { backend: "vax", runtimeDir: "/r" });
  fails(2, { socket: "relative" }, {});
  fails(2, { socket: `/${"x".repeat(107)}` }, {});
  fails(2, { socket: `/${"\u00e9".repeat(50)}`, backend: "model" }, {});
});
