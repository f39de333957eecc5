/** The agent's speed: changes with few and with many sessions, requests in a row and pipelined, its start, its memory. */
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { close } from "../../ffi/file.ts";
import { peer_credentials, unix_connect } from "../../ffi/socket.ts";
import { machineSocket } from "../../commands/arguments/agent_target.ts";
import { AgentState } from "../../lib/agent/agent_state.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import { connectAgent } from "../../lib/agent/client.ts";
import { check, LuoError } from "../../lib/error.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import { Machine } from "../../lib/model/machine.ts";
import { openDevice } from "../../lib/session.ts";
import { message, RawClient } from "../agent/raw.ts";
import { leaveRecord } from "./agent_main.ts";
import { ofThisProcess } from "./processor_time.ts";
import { perSecond, ratios, type Row, Samples, type Section, times } from "./report.ts";

const [FEW, MANY, FILES] = [10, 10_000, 10];
const PAIRS = 9;

export const agent: Section = {
  name: "agent",
  title: "The agent",
  about:
    `A change is one request on an open connection: create, preserve or close. The agent has a model in its own process. The
    sessions that it knows of besides have ${FILES} files each. The start is measured by processor time.`,
  rows: async () => [...await changes(), ...await identify(), await start(), ...await memory()],
};

/** Something that listens at a socket in a directory of its own. */
class Server implements AsyncDisposable {
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

  static agent(sessions: number): Server {
    const main = new URL("agent_main.ts", import.meta.url).pathname;
    return new Server(
      Deno.execPath(),
      (socket) => ["run", "-A", "--quiet", main, socket, `${sessions}`, `${FILES}`],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.after();
    this.child.kill("SIGKILL");
    await this.child.status;
    Deno.removeSync(this.directory, { recursive: true });
  }
}

const WARM_UP_ROUNDS = 300;
const ROUNDS = 100;

/** Milliseconds of a change: rounds of create, preserve, close on an open connection. */
function changing({ socket }: Server, rounds = ROUNDS): number {
  const sys = linux();
  using client = connectAgent(socket);
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    client.call("CreateSession", { name: "bench" });
    const fd = sys.memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    client.call("PreserveFile", { session: "bench", token: "1", fileFd: 0 }, [fd]);
    close(fd);
    client.call("CloseSession", { name: "bench", force: true });
  }
  return (performance.now() - start) / (3 * rounds);
}

/** Changes a second when all requests are sent before the answers are read. */
function pipelined({ socket }: Server, pairs: number): number {
  const start = performance.now();
  using client = new RawClient(socket);
  const both = message("CreateSession", { name: "bench" }) + message("CloseSession", { name: "bench" });
  const BATCH = 50;
  for (let sent = 0; sent < pairs; sent += BATCH) {
    client.send(both.repeat(BATCH));
    for (let answer = 0; answer < 2 * BATCH; answer++) client.answer();
  }
  return 2 * pairs / (performance.now() - start) * 1000;
}

const LUO = new URL("../../main.ts", import.meta.url).pathname;

/** Changes a second by one `luo batch`, without its start. */
async function batched(server: Server, pairs: number): Promise<number> {
  return 2 * pairs / (await batch(server, pairs) - await batch(server, 0)) * 1000;
}

/** Milliseconds of one `luo batch`. */
async function batch({ socket }: Server, pairs: number): Promise<number> {
  const line = (verb: string) => `${JSON.stringify({ id: 1, argv: ["session", verb, "bench"] })}\n`;
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", LUO, "batch", "--backend", "model", "--socket", socket],
    stdin: "piped",
    stdout: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode((line("create") + line("close")).repeat(pairs)));
  await writer.close();
  const { success } = await child.status;
  if (!success) throw new Error("a request of the batch failed");
  return performance.now() - start;
}

/** Changes a second by the calls of the model itself, without agent, socket and journal. */
function bare(rounds: number): number {
  const device = openDevice(new Machine().init());
  const start = performance.now();
  for (let round = 0; round < rounds; round++) device.create("bench").close();
  return 2 * rounds / (performance.now() - start) * 1000;
}

async function changes(): Promise<Row[]> {
  await using few = Server.agent(FEW);
  await using many = Server.agent(MANY);
  for (const server of [few, many]) changing(server, WARM_UP_ROUNDS);
  const ratio = await ratios(PAIRS, () => changing(many), () => changing(few));
  const rates = Array.from({ length: PAIRS }, () => 1000 / changing(few, 100));
  const piped = Array.from({ length: PAIRS }, () => pipelined(few, 500));
  const inBatch: number[] = [];
  for (let round = 0; round < PAIRS; round++) inBatch.push(await batched(few, 2000));
  const model = new Samples(Array.from({ length: PAIRS }, () => bare(2000)));
  const against = `model alone: ${perSecond(model.median)}`;
  return [
    {
      what: `a change, ${MANY.toLocaleString("en")} sessions`,
      against: `the same with ${FEW}`,
      target: "at most 1.2x",
      measured: ratio.text(times),
      met: ratio.median <= 1.2,
      why: "this must not be: only a checkpoint takes longer with more sessions.",
    },
    rate("changes, one after the other", against, 3000, rates),
    rate("changes, pipelined", against, 8000, piped),
    rate(
      "changes, luo batch",
      against,
      8000,
      inBatch,
      "the command lines come one after the other: each is parsed by stricli and waits for the answer to the one before.",
    ),
  ];
}

const WRITES =
  "a change is two writes of the journal, and between other work of the machine that is a few hundred microseconds.";

function rate(what: string, against: string, target: number, rates: readonly number[], why = WRITES): Row {
  const found = new Samples(rates);
  return {
    what,
    against,
    target: `over ${perSecond(target)}`,
    measured: found.text(perSecond),
    met: found.median > target,
    why,
  };
}

async function identify(): Promise<Row[]> {
  const directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
  try {
    const source = new URL("echo.c", import.meta.url).pathname;
    new Deno.Command("gcc", { args: ["-O2", "-o", `${directory}/echo`, source] }).outputSync();
    await using echo = new Server(`${directory}/echo`, (socket) => [socket]);
    await using few = Server.agent(FEW);
    asking(few, 2000);
    const ratio = await ratios(PAIRS, () => asking(few, 1000), () => asking(echo, 1000));
    return [{
      what: "Identify, one at a time",
      against: "an echo server in C",
      target: "at most 3x",
      measured: ratio.text(times),
      met: ratio.median <= 3,
      why: "a turn of Deno's event loop for each epoll_wait on another thread.",
    }];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("Identify was not measured: no gcc");
    return [];
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function asking({ socket }: Server, count: number): number {
  using client = new RawClient(socket);
  const question = message("Identify");
  const start = performance.now();
  for (let asked = 0; asked < count; asked++) {
    client.send(question);
    client.answer();
  }
  return performance.now() - start;
}

/** An agent's state is made from a large record and from an empty one, without a new process each time. */
async function start(): Promise<Row> {
  const one = async (sessions: number) => {
    const directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
    const sys = new Machine().init();
    const socket = `${directory}/s`;
    leaveRecord(sys, socket, sessions, FILES);
    const now = () => new Date().toISOString();
    const state = { sys, paths: agentPaths(socket), pid: 1, now, log: () => {} };
    const time = await ofThisProcess(() => new AgentState(state)[Symbol.dispose]());
    Deno.removeSync(directory, { recursive: true });
    return time;
  };
  await one(MANY);
  const differences: number[] = [];
  for (let pair = 0; pair < 5; pair++) differences.push(await one(MANY) - await one(0));
  const more = new Samples(differences);
  return {
    what: `start, ${MANY.toLocaleString("en")} sessions x ${FILES} files`,
    against: "an empty journal",
    target: "at most 500 ms",
    measured: more.text((ms) => `${ms.toFixed(0)} ms`),
    met: more.median <= 500,
    why: "most of it is JSON: reading the old journal, and writing the new one to its two places.",
  };
}

const BINARY = new URL("../../dist/luo", import.meta.url).pathname;
const WARM_UP = 30_000;
const REQUESTS = 100_000;
/** Bytes that V8's heap may differ by, from one moment to another. */
const NOISE_KB = 4096;

/** Kilobytes of a process that are in memory. */
function resident_kb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1]);
}

/** The agent and the machine of dist/luo, as a user has them. */
async function memory(): Promise<Row[]> {
  const directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
  const empty = `${directory}/empty.js`;
  Deno.writeTextFileSync(empty, "setInterval(() => {}, 100000)");
  const child = new Deno.Command(Deno.execPath(), { args: ["run", "--quiet", empty], stdin: "null" }).spawn();
  try {
    const serving =
      (what: string) => (socket: string) => [what, "run", "--backend", "model", "--socket", socket];
    await using idle = new Server(BINARY, serving("agent"));
    const machine = machineAt(idle.socket);
    idle.after = () => Deno.kill(machine, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const alone = resident_kb(child.pid);
    const ratio = (pid: number) => resident_kb(pid) / alone;
    const found = [["agent", ratio(idle.child.pid)], ["machine", ratio(machine)]] as const;
    asking(idle, WARM_UP);
    const [agent_kb, machine_kb] = [resident_kb(idle.child.pid), resident_kb(machine)];
    asking(idle, REQUESTS);
    const grown_kb = Math.max(resident_kb(idle.child.pid) - agent_kb, resident_kb(machine) - machine_kb);
    return [
      ...found.map(([what, ratio]) => ({
        what: `memory (RSS) of an idle ${what}`,
        against: "an empty Deno program",
        target: "at most 1.2x",
        measured: times(ratio),
        met: ratio <= 1.2,
        why: "the code of luo and the heap of V8 that its loading leaves.",
      })),
      {
        what: `both after ${REQUESTS.toLocaleString("en")} requests`,
        against: "before, warm",
        target: "no growth",
        measured: `${(grown_kb / 1024).toFixed(1)} MiB`,
        met: grown_kb <= NOISE_KB,
        why: "V8 gives memory back late.",
      },
    ];
  } finally {
    child.kill("SIGKILL");
    await child.status;
    Deno.removeSync(directory, { recursive: true });
  }
}

/** The pid of the machine that the agent at this socket has started. */
function machineAt(socket: string): number {
  const path = machineSocket({ backend: "model", socket, isDefault: false });
  const fd = check(unix_connect(path, SOCK_SEQPACKET), "connect", path);
  const peer = peer_credentials(fd);
  close(fd);
  return typeof peer === "number" ? peer : peer.pid;
}
