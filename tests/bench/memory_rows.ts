/** The memory of an agent and of a machine: idle, and after many requests. */
import { SOCK_SEQPACKET } from "../../ffi/abi/socket.ts";
import { close } from "../../ffi/file.ts";
import { peer_credentials, unix_connect } from "../../ffi/socket.ts";
import { machineSocket } from "../../commands/arguments/agent_target.ts";
import { check } from "../../lib/error.ts";
import { MeasuredAgent } from "../agent/measured_agent.ts";
import { growth_kb, resident_kb } from "./growth.ts";
import { type Row, times } from "./report.ts";
import { asking, Server } from "./server.ts";

/** By then V8 has compiled the code and grown its heap to the size that the requests need. */
export const WARM_UP = 50_000;
const REQUESTS = 100_000;
export const PIECES = 20;
/** What V8's heap may differ by after a collection: 5 bytes a request. Code that V8 compiles late is a part of it. */
const HEAP_NOISE_KB = 512;
/** What the memory of a process may differ by: V8 takes pages in pieces of some MiB. */
const NOISE_KB = 4096;

const BINARY = new URL("../../dist/luo", import.meta.url).pathname;

/** The agent and the machine of dist/luo, as a user has them. */
export async function memory(): Promise<Row[]> {
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
    const grown_kb = PIECES *
      growth_kb([idle.child.pid, machine], PIECES, () => void asking(idle, REQUESTS / PIECES));
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
        what: `RSS, ${REQUESTS.toLocaleString("en")} requests more`,
        against: "before: the median slope",
        target: "no growth",
        measured: `${(grown_kb / 1024).toFixed(1)} MiB`,
        met: grown_kb <= NOISE_KB,
        why:
          "V8's young generation grows under load, up to a limit: the whole heap from 18 to 42 MiB and no further. The next row says whether something of a request stays.",
      },
      await heap(),
    ];
  } finally {
    child.kill("SIGKILL");
    await child.status;
    Deno.removeSync(directory, { recursive: true });
  }
}

/** The memory of V8 that is in use after a collection: something that stays of every request shows here alone. */
async function heap(): Promise<Row> {
  await using agent = new MeasuredAgent();
  (await agent.connect())[Symbol.dispose]();
  const used_kb = async () => {
    const { heapUsed, external } = await agent.memory();
    return (heapUsed + external) / 1024;
  };
  asking(agent, WARM_UP);
  const before_kb = await used_kb();
  asking(agent, REQUESTS);
  const grown_kb = await used_kb() - before_kb;
  return {
    what: `heap, ${REQUESTS.toLocaleString("en")} requests more`,
    against: "before",
    target: "no growth",
    measured: `${(grown_kb / 1024).toFixed(2)} MiB`,
    met: grown_kb <= HEAP_NOISE_KB,
    why: "something of each request stays.",
  };
}

/** The pid of the machine that the agent at this socket has started. */
function machineAt(socket: string): number {
  const path = machineSocket({ backend: "model", socket, isDefault: false });
  const fd = check(unix_connect(path, SOCK_SEQPACKET), "connect", path);
  const peer = peer_credentials(fd);
  close(fd);
  return typeof peer === "number" ? peer : peer.pid;
}
