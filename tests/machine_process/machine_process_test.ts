/** A machine in a process of its own: its life, its socket and its clients. */
import assert from "node:assert/strict";
import { LINUX_REBOOT_CMD_POWER_OFF } from "../../ffi/abi/kexec.ts";
import { openDevice } from "../../lib/session.ts";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { connect, kexec, script, startMachine } from "./start.ts";

Deno.test("the session of a killed client ends", async () => {
  await using machine = await startMachine("serve_model.ts");
  using witness = connect(machine.path);
  const holder = script("holder.ts", machine.path, "vm0");
  const reader = holder.stdout.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "holding\n");
  assert.throws(() => openDevice(witness), { code: "EBUSY" });
  holder.kill("SIGKILL");
  await holder.status;
  await reader.cancel();
  await holder.stdin.close();
  using device = openDevice(witness);
  using _again = device.create("vm0").fd;
});

Deno.test("a machine with a session runs on without clients; an empty one ends and leaves no file", async () => {
  await using machine = await startMachine("serve_model.ts");
  const first = connect(machine.path);
  openDevice(first).create("kept");
  await kexec(first, machine);
  await Deno.remove(`${machine.path}.image`);
  const second = connect(machine.path);
  openDevice(second).close();
  second[Symbol.dispose]();

  const third = connect(machine.path);
  openDevice(third).retrieve("kept").finish();
  third[Symbol.dispose]();
  assert.equal((await machine.child.status).code, 0);
  const left = await Array.fromAsync(Deno.readDir(machine.path.replace(/machine$/, "")));
  assert.deepEqual(left, []);
});

Deno.test("reboot POWER_OFF ends a machine that has a session", async () => {
  await using machine = await startMachine("serve_model.ts");
  const sys = connect(machine.path);
  openDevice(sys).create("lost");
  assert.throws(() => sys.reboot(LINUX_REBOOT_CMD_POWER_OFF), ProcessKilled);
  assert.equal((await machine.child.status).code, 0);
});

Deno.test("a path has one machine, and the socket of a dead machine is replaced", async () => {
  await using machine = await startMachine("serve_model.ts");
  const sys = connect(machine.path);
  const rival = script("serve_model.ts", machine.path);
  assert.notEqual((await rival.output()).code, 0);
  machine.child.kill("SIGKILL");
  await machine.child.status;
  assert.throws(() => sys.uname(), ProcessKilled);
  const heir = script("serve_model.ts", machine.path);
  using next = connect(machine.path);
  assert.equal(next.uname().sysname, "Linux");
  next[Symbol.dispose]();
  assert.equal((await heir.output()).code, 0);
});
