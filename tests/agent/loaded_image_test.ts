/** Which image is executed: luo's, whatever other programs have loaded since. It is loaded again only when that is needed. */
import assert from "node:assert/strict";
import { O_RDONLY, O_WRONLY } from "../../ffi/abi/fcntl.ts";
import { open } from "../../ffi/file.ts";
import { AgentState } from "../../lib/agent/agent_state.ts";
import { loadImage, readyToExec } from "../../lib/agent/image_methods.ts";
import { VarlinkError } from "../../lib/agent/varlink.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { exec, unloadImage } from "../../lib/kexec/load.ts";
import { loadsLeft } from "../../lib/kexec/load_count.ts";
import { LinuxHost } from "../../lib/machine_process/linux_host.ts";
import { Machine } from "../../lib/model/machine.ts";
import { ProcessKilled, type SystemCalls } from "../../lib/system_calls.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import { loadNext } from "./state_on_model.ts";

/** An agent on a new machine, with an image of the release "luos" that it has loaded. */
async function loaded(before: (sys: SystemCalls) => void = () => {}) {
  const directory = Deno.makeTempDirSync({ prefix: "luo-image-" });
  const machine = new Machine({
    release: "7.3.4",
    command_line: "liveupdate=on kho=on",
    host: new LinuxHost(),
  });
  const state = new AgentState({
    sys: machine.spawn(),
    paths: agentPaths(`${directory}/s`),
    pid: Deno.pid,
    now: () => "2026-01-01T00:00:00.000Z",
    log: () => {},
  });
  before(state.sys);
  const image = `${directory}/luos`;
  Deno.writeFileSync(image, standInBzImage({ release: "luos" }));
  const request = { kernel: image, kernelFd: 0, reuseCommandLine: true, force: true };
  await loadImage(state, request, [open(image, O_RDONLY)]);
  return {
    machine,
    state,
    [Symbol.dispose]() {
      state[Symbol.dispose]();
      Deno.removeSync(directory, { recursive: true });
    },
  };
}

function limit(sys: SystemCalls, name: string, text: string): void {
  const fd = sys.open(`/proc/sys/kernel/${name}`, O_WRONLY);
  assert.equal(sys.write(fd, new TextEncoder().encode(text)), text.length);
  sys.close(fd);
}

function next(machine: Machine, state: AgentState): string {
  assert.throws(() => exec(state.sys), ProcessKilled);
  return machine.spawn().uname().release;
}

Deno.test("nobody has loaded another image: none is loaded again", async () => {
  using agent = await loaded();
  const left = loadsLeft(agent.state.sys);
  readyToExec(agent.state, true);
  readyToExec(agent.state, true);
  assert.equal(loadsLeft(agent.state.sys), left);
  assert.equal(next(agent.machine, agent.state), "luos");
});

Deno.test("another program has loaded an image: luo's is loaded again, once", async () => {
  using agent = await loaded();
  loadNext(agent.machine);
  const left = loadsLeft(agent.state.sys) ?? 0;
  readyToExec(agent.state, true);
  assert.equal(loadsLeft(agent.state.sys), left - 1);
  readyToExec(agent.state, true);
  assert.equal(loadsLeft(agent.state.sys), left - 1);
  assert.equal(next(agent.machine, agent.state), "luos");
});

Deno.test("another program has loaded an image and unloaded one since: luo's is loaded again", async () => {
  using agent = await loaded();
  loadNext(agent.machine);
  unloadImage(agent.machine.spawn());
  loadNext(agent.machine);
  readyToExec(agent.state, true);
  assert.equal(next(agent.machine, agent.state), "luos");
});

Deno.test("another program begins a load while luo judges the image: luo's is loaded again", async () => {
  using agent = await loaded();
  const loading = loadImage(
    agent.state,
    { kernel: "again", kernelFd: 0, reuseCommandLine: true, force: true },
    [open(agent.state.image?.kernel ?? "", O_RDONLY)],
  );
  loadNext(agent.machine);
  await loading;
  const left = loadsLeft(agent.state.sys) ?? 0;
  readyToExec(agent.state, true);
  assert.equal(loadsLeft(agent.state.sys), left - 1);
  assert.equal(next(agent.machine, agent.state), "luos");
});

Deno.test("the operator allowed one load: it is enough", async () => {
  using agent = await loaded((sys) => limit(sys, "kexec_load_limit_reboot", "1"));
  assert.equal(loadsLeft(agent.state.sys), 0);
  readyToExec(agent.state, true);
  assert.equal(next(agent.machine, agent.state), "luos");
});

Deno.test("another program has loaded an image, and no more loads are allowed: exec is refused", async () => {
  using agent = await loaded();
  loadNext(agent.machine);
  limit(agent.state.sys, "kexec_load_limit_reboot", "0");
  assert.throws(
    () => readyToExec(agent.state, false),
    (error) => error instanceof VarlinkError && JSON.stringify(error.parameters).includes("image_changed"),
  );
});
