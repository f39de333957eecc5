/** An agent on a model in its own process, for tests: `model_main.ts SOCKET [ACCESS]`. After a kexec it runs again in the next kernel. */
import { runAgent } from "../../lib/agent/agent.ts";
import { LinuxHost } from "../../lib/machine_process/linux_host.ts";
import { Machine } from "../../lib/model/machine.ts";

const [socket, access] = Deno.args;
if (socket === undefined) throw new TypeError("usage: SOCKET");
const reload = new EventTarget();
Deno.addSignalListener("SIGHUP", () => void reload.dispatchEvent(new Event("reload")));
const machine = new Machine({ host: new LinuxHost() });
await runAgent({
  sys: machine.init(),
  backend: "model",
  socket,
  access,
  reload,
  version: "test",
  log: console.error,
  next_kernel: () => machine.init(),
});
