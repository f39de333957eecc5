/** The agent's speed: changes with few and with many sessions, requests in a row and pipelined, its start, its memory. */
import { MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from "../../ffi/abi/fcntl.ts";
import { close } from "../../ffi/file.ts";
import { AgentState } from "../../lib/agent/agent_state.ts";
import { agentPaths } from "../../lib/agent/agent_place.ts";
import { connectAgent } from "../../lib/agent/client.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import { Machine } from "../../lib/model/machine.ts";
import { openDevice } from "../../lib/session.ts";
import { message, RawClient } from "../agent/raw.ts";
import { leaveRecord } from "./agent_main.ts";
import { memory, PIECES, WARM_UP } from "./memory_rows.ts";
import { ofThisProcess } from "./processor_time.ts";
import { perSecond, ratios, type Row, Samples, type Section, times } from "./report.ts";
import { asking, Server } from "./server.ts";

const [FEW, MANY, FILES] = [10, 10_000, 10];
const PAIRS = 9;

export const agent: Section = {
  name: "agent",
  title: "The agent",
  about:
    `A change is one request on an open connection: create, preserve or close. The agent has a model in its own process. The
    sessions that it knows of besides have ${FILES} files each. The round trip of Identify, one at a time, is measured where client and server
    share a processor, and where each has its own and sleeps until the other wakes it. The start is measured by processor time. The growth of the RSS is
    the median slope over ${PIECES} measurements, that of the heap is measured after forced collections, in an agent with a model in
    its own process; both after ${WARM_UP.toLocaleString("en")} requests.`,
  rows: async () => [...await changes(), ...await identify(), await start(), ...await memory()],
};

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
  await using few = Server.agent(FEW, FILES);
  await using many = Server.agent(MANY, FILES);
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
      `the command lines come one after the other, and each waits for the answer to the one before. Each takes 36 us of a processor in
      luo batch, 33 in the agent, and two switches between them, which take 25 us or more where other programs run.`,
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

/** A switch to another processor, which must wake up, takes ten times as long as all else, so that both servers run on the same one. */
const PLACES = [["one processor", "0", "0"], ["two processors", "0", "1"]] as const;

/** Binds all threads of a process to processors. */
function pin(pid: number, processors: string): void {
  const { success } = new Deno.Command("taskset", { args: ["-acp", processors, String(pid)], stdout: "null" })
    .outputSync();
  if (!success) throw new Error(`taskset could not bind process ${pid} to processor ${processors}`);
}

async function identify(): Promise<Row[]> {
  const directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
  try {
    const source = new URL("echo.c", import.meta.url).pathname;
    new Deno.Command("gcc", { args: ["-O2", "-o", `${directory}/echo`, source] }).outputSync();
    await using echo = new Server(`${directory}/echo`, (socket) => [socket]);
    await using few = Server.agent(FEW, FILES);
    // An agent lives as long as its kernel: V8 has compiled its code after some thousands of requests.
    asking(few, 20_000);
    const rows: Row[] = [];
    for (const [where, client, server] of PLACES) {
      for (
        const [pid, processor] of [[Deno.pid, client], [echo.child.pid, server], [
          few.child.pid,
          server,
        ]] as const
      ) {
        pin(pid, processor);
      }
      const ratio = await ratios(3 * PAIRS, () => asking(few, 400), () => asking(echo, 400));
      rows.push({
        what: `Identify, ${where}`,
        against: "an echo server in C",
        target: "at most 3x",
        measured: ratio.text(times),
        met: ratio.median <= 3,
        why:
          "of 10 us, the client takes 3 and the agent 6, where C needs 2: epoll_wait, recvmsg, send and their kernel's part take 3, JSON and UTF-8 1, and the JavaScript between them 2.",
      });
    }
    pin(Deno.pid, `0-${navigator.hardwareConcurrency - 1}`);
    return rows;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("Identify was not measured: no gcc");
    return [];
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
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
