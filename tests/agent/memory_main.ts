/** An agent on a model in its own process that tells its memory: `memory_main.ts SOCKET`. At SIGUSR2 it writes a line of JSON. */
import { runAgent } from "../../lib/agent/agent.ts";
import { LinuxHost } from "../../lib/machine_process/linux_host.ts";
import { Machine } from "../../lib/model/machine.ts";

const [socket] = Deno.args;
// V8 has the function with --expose-gc.
const collect: unknown = Reflect.get(globalThis, "gc");
if (socket === undefined || typeof collect !== "function") throw new TypeError("usage: --expose-gc, SOCKET");
Deno.addSignalListener("SIGUSR2", () => {
  // Finalizers that the first collection lets run free more.
  collect();
  collect();
  const { heapUsed, external } = Deno.memoryUsage();
  const open = [...Deno.readDirSync("/proc/self/fd")].length;
  console.log(JSON.stringify({ heapUsed, external, open }));
});
await runAgent({
  sys: new Machine({ host: new LinuxHost() }).init(),
  backend: "model",
  socket,
  version: "test",
  log: console.error,
});
