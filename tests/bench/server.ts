/** Servers that the benchmark starts, and the time that requests to them take. */
import { SOCK_STREAM } from "../../ffi/abi/socket.ts";
import { close, read, write } from "../../ffi/file.ts";
import { unix_connect } from "../../ffi/socket.ts";
import { connectAgent } from "../../lib/agent/client.ts";
import { check, LuoError } from "../../lib/error.ts";
import { message } from "../agent/raw.ts";

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

/** Milliseconds of so many Identify, each after the answer to the one before. The client does as little as it can. */
export function asking({ socket }: { readonly socket: string }, count: number): number {
  const fd = check(unix_connect(socket, SOCK_STREAM), "connect", socket);
  const question = new TextEncoder().encode(message("Identify"));
  const answer = new Uint8Array(4096);
  const start = performance.now();
  for (let asked = 0; asked < count; asked++) {
    check(write(fd, question), "write", "the question");
    let got = 0;
    do got += check(read(fd, answer.subarray(got)), "read", "the answer"); while (answer[got - 1] !== 0);
  }
  const time = performance.now() - start;
  close(fd);
  return time;
}
