/** Starts a real agent on a model, for tests. */
import { type AgentClient, connectAgent } from "../../lib/agent/client.ts";
import { LuoError } from "../../lib/error.ts";

/** A real agent in a process and a directory of its own. */
export class TestAgent implements AsyncDisposable {
  private constructor(readonly directory: string, readonly child: Deno.ChildProcess) {}

  static async start(): Promise<TestAgent> {
    const directory = await Deno.makeTempDir({ prefix: "luo-agent-" });
    const main = new URL("model_main.ts", import.meta.url).pathname;
    const args = ["run", "-A", "--quiet", main, `${directory}/agent.sock`];
    const child = new Deno.Command(Deno.execPath(), {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const agent = new TestAgent(directory, child);
    using _ = agent.connect();
    return agent;
  }

  get socket(): string {
    return `${this.directory}/agent.sock`;
  }

  /** Waits until the agent listens: at the start, and while the next kernel boots. */
  connect(): AgentClient {
    for (let tries = 0; tries < 500; tries++) {
      try {
        return connectAgent(this.socket);
      } catch (error) {
        if (!(error instanceof LuoError)) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }
    }
    throw new Error("the agent does not come up");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.child.status;
    await Deno.remove(this.directory, { recursive: true });
  }
}
