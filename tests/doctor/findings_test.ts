/** `luo doctor` as a whole: on a good host, on an empty one, on this one. */
import assert from "node:assert/strict";
import type { KnownAgent } from "../../lib/doctor/host.ts";
import { luoCommand } from "../luo_under_test.ts";
import { findingsOn, GOOD, type Tree } from "./hosts.ts";

Deno.test("doctor: a good host has nothing but ok", async () => {
  const findings = await findingsOn(GOOD);
  assert.deepEqual(findings.filter(({ verdict }) => verdict !== "ok"), []);
  const codes = [
    "kernel_release",
    "kernel_config",
    "command_line",
    "device",
    "kexec_disabled",
    "capability",
    "memory",
  ];
  for (
    const code of [...codes, "cgroup", "open_files", "locked_memory", "initramfs", "systemd", "boot_loader"]
  ) {
    assert.ok(findings.some((one) => one.code === code), code);
  }
});

Deno.test("doctor: a plain reboot is no subject without an image, and without sessions", async () => {
  const image = { "/sys/kernel/kexec_loaded": "1\n" };
  const cases: readonly [Tree, KnownAgent | undefined][] = [
    [{}, { pid: 77, holdsDevice: true, outgoing: 3 }],
    [image, { pid: 77, holdsDevice: true, outgoing: 0 }],
    [image, undefined],
  ];
  for (const [tree, agent] of cases) {
    assert.deepEqual(
      (await findingsOn({ ...GOOD, ...tree }, agent)).filter(({ code }) => code === "reboot"),
      [],
    );
  }
});

Deno.test("doctor: an empty host gives findings and no error", async () => {
  const findings = await findingsOn({});
  assert.ok(findings.some(({ code, verdict }) => code === "device" && verdict === "stops"));
});

Deno.test("luo doctor on this host: exit 4 exactly when a finding stops it", async () => {
  const { code, stdout } = await luoCommand(["doctor", "--backend", "linux"], { stdin: "null" }).output();
  const text = new TextDecoder().decode(stdout);
  const stopped = /^stops /m.test(text);
  assert.equal(code, stopped ? 4 : 0, text);
  assert.match(text, stopped ? /findings? stops? it$/m : /Nothing stops/);
});
