/** A machine at a socket: `serve_model.ts SOCKET`. */
import { serveMachine } from "../../lib/machine_process/serve_machine.ts";

const [path = ""] = Deno.args;
await serveMachine({ path, memory_bytes: 4 * 1024 ** 3, nofile: 1024 });
