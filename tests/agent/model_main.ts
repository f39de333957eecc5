/** An agent on a model in its own process, for tests: `model_main.ts SOCKET`. After a kexec it runs again in the next kernel. */
import { runAgent } from "../../lib/agent/agent.ts";
import { LinuxHost } from "../../lib/machine_process/linux_host.ts";
import { Machine } from "../../lib/model/machine.ts";

const [socket] = Deno.args;
if (socket === undefined) throw new TypeError("usage: SOCKET");
const machine = new Machine({ host: new LinuxHost() });
await runAgent({
  sys: machine.init(),
  backend: "model",
  socket,
  version: "test",
  log: console.error,
  next_kernel: () => machine.init(),
});
