/** An agent that tells its memory, for tests and the benchmark. */
import assert from "node:assert/strict";
import { type AgentClient, connectAgent } from "../../lib/agent/client.ts";
import { LuoError } from "../../lib/error.ts";

const MAIN = new URL("memory_main.ts", import.meta.url).pathname;

/** Bytes after a collection of V8's garbage, and descriptors. */
export interface Memory {
  readonly heapUsed: number;
  readonly external: number;
  readonly open: number;
}

/** An agent that tells its memory when it is asked. */
export class MeasuredAgent implements AsyncDisposable {
  readonly directory: string = Deno.makeTempDirSync({ prefix: "luo-memory-" });
  readonly socket: string = `${this.directory}/s`;
  readonly child: Deno.ChildProcess = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--v8-flags=--expose-gc", MAIN, this.socket],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  readonly #lines = this.child.stdout.pipeThrough(new TextDecoderStream()).getReader();

  async connect(): Promise<AgentClient> {
    for (;;) {
      try {
        return connectAgent(this.socket);
      } catch (error) {
        if (!(error instanceof LuoError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async memory(): Promise<Memory> {
    this.child.kill("SIGUSR2");
    let line = "";
    while (!line.endsWith("\n")) {
      line += (await this.#lines.read()).value ?? assert.fail("the agent has ended");
    }
    return JSON.parse(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.#lines.cancel();
    await this.child.status;
    Deno.removeSync(this.directory, { recursive: true });
  }
}
