/** Servers that the benchmark starts, and the time that requests to them take. */
import { connectAgent } from "../../lib/agent/client.ts";
import { LuoError } from "../../lib/error.ts";
import { message, RawClient } from "../agent/raw.ts";

/** Something that listens at a socket in a directory of its own. */
export class Server implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
  readonly socket = `${this.directory}/s`;
  readonly child: Deno.ChildProcess;
  /** Ends what the server has started. */
  after: () => void = () => {};

  constructor(command: string, args: (socket: string) => string[]) {
    this.child = new Deno.Command(command, { args: args(this.socket), stdin: "null" }).spawn();
    for (let tries = 0;; tries++) {
      try {
        connectAgent(this.socket)[Symbol.dispose]();
        return;
      } catch (error) {
        if (!(error instanceof LuoError) || tries > 3000) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      }
    }
  }

  static agent(sessions: number, files: number): Server {
    const main = new URL("agent_main.ts", import.meta.url).pathname;
    return new Server(
      Deno.execPath(),
      (socket) => ["run", "-A", "--quiet", main, socket, `${sessions}`, `${files}`],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.after();
    this.child.kill("SIGKILL");
    await this.child.status;
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** Milliseconds of so many Identify, each after the answer to the one before. */
export function asking({ socket }: { readonly socket: string }, count: number): number {
  using client = new RawClient(socket);
  const question = message("Identify");
  const start = performance.now();
  for (let asked = 0; asked < count; asked++) {
    client.send(question);
    client.answer();
  }
  return performance.now() - start;
}
