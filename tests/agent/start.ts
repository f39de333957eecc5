/** Starts a real agent on a model, for tests. */
import assert from "node:assert/strict";
import { O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { close, open } from "../../ffi/file.ts";
import { type AgentClient, connectAgent } from "../../lib/agent/client.ts";
import { LuoError } from "../../lib/error.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";

/** A real agent in a process and a directory of its own. */
export class TestAgent implements AsyncDisposable {
  private constructor(readonly directory: string, readonly child: Deno.ChildProcess) {}

  /** @param access the text of the access rules; undefined: none */
  static async start({ access }: { readonly access?: string } = {}): Promise<TestAgent> {
    const directory = await Deno.makeTempDir({ prefix: "luo-agent-" });
    const main = new URL("model_main.ts", import.meta.url).pathname;
    const rules = `${directory}/access.conf`;
    if (access !== undefined) Deno.writeTextFileSync(rules, access, { mode: 0o600 });
    const args = [
      "run",
      "-A",
      "--quiet",
      main,
      `${directory}/agent.sock`,
      ...access === undefined ? [] : [rules],
    ];
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
    for (let tries = 0; tries < 3000; tries++) {
      try {
        return connectAgent(this.socket);
      } catch (error) {
        if (!(error instanceof LuoError)) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      }
    }
    throw new Error("the agent does not come up");
  }

  /** Loads a stand-in for the next kernel. */
  loadNext(): void {
    const image = `${this.directory}/image`;
    Deno.writeFileSync(image, standInBzImage({ release: "7.3.4-next" }));
    using client = this.connect();
    const fd = open(image, O_RDONLY);
    client.call("LoadImage", { kernelFd: 0, kernel: image, commandLine: "liveupdate=on" }, [fd]);
    close(fd);
  }

  /** Preserves the file, which it closes, and goes into the next kernel. */
  handOver(session: string, token: string, fd: number): void {
    using client = this.connect();
    client.call("CreateSession", { name: session });
    client.call("PreserveFile", { session, token, fileFd: 0 }, [fd]);
    close(fd);
    this.loadNext();
    assert.equal(client.callUntilEnd("ExecImage", {}), true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.child.status;
    await Deno.remove(this.directory, { recursive: true });
    await Deno.remove(`${this.directory}-shared`, { recursive: true }).catch(() => {});
  }
}
