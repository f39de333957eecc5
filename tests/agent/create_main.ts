/** A client in a process of its own: `create_main.ts SOCKET NAME` creates a session. */
import { connectAgent } from "../../lib/agent/client.ts";

const [socket = "", name = ""] = Deno.args;
using client = connectAgent(socket);
client.call("CreateSession", { name });
