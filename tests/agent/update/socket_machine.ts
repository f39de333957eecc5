/** A whole agent on a model in this process, at its real sockets: for participants that are programs of their own. */
import assert from "node:assert/strict";
import { O_RDONLY } from "../../../ffi/abi/fcntl.ts";
import { close, open } from "../../../ffi/file.ts";
import { runAgent } from "../../../lib/agent/agent.ts";
import { AsyncAgentClient } from "../../../lib/agent/async_client.ts";
import type { Methods } from "../../../lib/agent/protocol.ts";
import { standInBzImage } from "../../../lib/kexec/bzimage.ts";
import { LinuxHost } from "../../../lib/machine_process/linux_host.ts";
import { Machine } from "../../../lib/model/machine.ts";
import type { SystemCalls } from "../../../lib/system_calls.ts";
import { UpdateMachine } from "./host_on_model.ts";

/** A machine whose agent runs from the start, over every kexec. */
export class SocketMachine extends UpdateMachine implements AsyncDisposable {
  override readonly machine = new Machine({ host: new LinuxHost() });
  readonly socket = `${this.directory}/s`;
  readonly luodSocket = `${this.directory}/luod`;
  readonly client = new AsyncAgentClient(this.socket);
  /** The sessions whose descriptors were sent to a program, as numbers of the agent's process: the program gets /dev/null. */
  readonly sent: { readonly sys: SystemCalls; readonly fd: number }[] = [];
  readonly #stop = new AbortController();
  readonly #end: Promise<void>;

  constructor() {
    super();
    this.#end = runAgent({
      sys: this.#process(),
      backend: "model",
      socket: this.socket,
      luodSocket: this.luodSocket,
      participants: `${this.directory}/participants`,
      version: "test",
      log: (line) => void this.log.push(line),
      stop: this.#stop.signal,
      next_kernel: () => this.#process(),
    });
  }

  #process(): SystemCalls {
    const sys = this.machine.spawn();
    return new Proxy(sys, {
      get: (target, name) => {
        if (name === "expose") {
          return (fd: number) => {
            this.sent.push({ sys: target, fd });
            return open("/dev/null", O_RDONLY);
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  /** An image file of the host. */
  image(release: string): string {
    const path = `${this.directory}/${release}`;
    Deno.writeFileSync(path, standInBzImage({ release }));
    return path;
  }

  async load(release: string): Promise<void> {
    const fd = open(this.image(release), O_RDONLY);
    using _ = await this.client.call("LoadImage", { kernelFd: 0, kernel: release, commandLine: LINE }, {
      fds: [fd],
    });
    close(fd);
  }

  /** The kernel that is loaded: its name, or "none". */
  async loaded(): Promise<string> {
    using answer = await this.client.call("ShowImage", {});
    return answer.reply.image.loaded ? answer.reply.image.kernel ?? "another" : "none";
  }

  /** A step of an update. `run` and `prepare` load this kernel first. @throws AgentError; ConnectionEnded after the kexec */
  async step(request: Methods["StepUpdate"]["request"], release?: string): Promise<void> {
    if (release === undefined) {
      (await this.client.call("StepUpdate", request))[Symbol.dispose]();
      return;
    }
    const fd = open(this.image(release), O_RDONLY);
    try {
      const load = { kernelFd: 0, kernel: release, commandLine: LINE };
      (await this.client.call("StepUpdate", { ...request, ...load }, { fds: [fd] }))[Symbol.dispose]();
    } finally {
      close(fd);
    }
  }

  async now(): Promise<Methods["GetUpdate"]["reply"]> {
    using answer = await this.client.call("GetUpdate", {});
    return answer.reply;
  }

  /** Waits for a state of the update, also while the next kernel starts. */
  async until(state: string): Promise<Methods["GetUpdate"]["reply"]> {
    for (let tries = 0; tries < 6000; tries++) {
      const reply = await this.now().catch(() => undefined);
      if (reply?.state === state) return reply;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { state: last, update } = await this.now();
    return assert.fail(`no ${state}, but ${last}: ${JSON.stringify(update?.events.slice(-4))}`);
  }

  async sessions(): Promise<string[]> {
    using answer = await this.client.call("ListSessions", {});
    return answer.reply.sessions.map(({ name, state }) => `${name} ${state}`);
  }

  /** Notes that a participant was told an event, as executables do. */
  tell(line: string): void {
    Deno.writeTextFileSync(`${this.directory}/seen`, `${line}\n`, { append: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#end;
    this[Symbol.dispose]();
  }
}

const LINE = "liveupdate=on kho=on";

/** A program is to be participant v: executable c comes after it, and executable a before it if the program says so. */
export async function machineOfThree(): Promise<SocketMachine> {
  const machine = new SocketMachine();
  machine.participant("a");
  machine.participant("c", ["v"]);
  await machine.until("normal");
  return machine;
}
