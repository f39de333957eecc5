/** A client in a process of its own: `preserve_main.ts SOCKET PID DESCRIPTOR` preserves a descriptor of a process, and prints why not. */
import { AgentError, connectAgent } from "../../lib/agent/client.ts";

const [socket = "", pid, descriptor] = Deno.args;
using client = connectAgent(socket);
const file = { session: "vm1", token: "7", pid: Number(pid), descriptor: Number(descriptor) };
try {
  client.call("PreserveFile", file)[Symbol.dispose]();
} catch (error) {
  if (!(error instanceof AgentError)) throw error;
  console.log(error.message);
}
