/**
 * `deno task soak [--clients N] [--seconds N] [--seed S] [--kind machine|agent|inside]`: random clients of all kinds, a day's worth (86,400 lives) unless told
 * otherwise. Ends with 1 when there was a defect; its round is made again with `--seed` and `--rounds 1`.
 */
import { parseArgs } from "node:util";
import { Random } from "../traffic/random.ts";
import { agentRound } from "./agent_round.ts";
import { compileClients, insideRound, machineRound } from "./machine_round.ts";
import { type Outcome, type Round, someFaults } from "./round.ts";

const { values } = parseArgs({
  allowNegative: true,
  options: {
    clients: { type: "string", default: "86400" },
    seconds: { type: "string" },
    seed: { type: "string", default: `${Math.floor(Math.random() * 1e9)}` },
    rounds: { type: "string" },
    kind: { type: "string" },
    faults: { type: "boolean", default: true },
  },
});
const CLIENTS_OF_A_ROUND = 400;

const directory = await Deno.makeTempDir({ prefix: "luo-soak-" });
// A machine may belong to a user without rights.
Deno.chmodSync(directory, 0o755);
const total = { lives: 0, kexecs: 0, defects: 0, rounds: 0 };
const end = values.seconds === undefined ? Infinity : performance.now() + Number(values.seconds) * 1000;
let stopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // The present round ends in order.
  Deno.addSignalListener(signal, () => {
    stopping = true;
  });
}
try {
  const program = compileClients(directory);
  for (let seed = Number(values.seed); !isOver(); seed++) {
    const random = new Random(seed);
    const own = await Deno.makeTempDir({ dir: directory });
    const faults = random.chance(30) && values.faults ? someFaults(random) : undefined;
    const round: Round = { seed, random, directory: own, clients: CLIENTS_OF_A_ROUND, faults };
    const kind = values.kind ?? random.weighted({ machine: 65, agent: 25, inside: 10 });
    tell(kind, round, await outcome(kind, round, program));
    await Deno.remove(own, { recursive: true });
  }
} finally {
  await Deno.remove(directory, { recursive: true });
}
console.log(
  `${total.lives} clients, ${total.kexecs} kexecs, ${total.rounds} rounds: ${total.defects} defects`,
);
Deno.exit(total.defects === 0 ? 0 : 1);

async function outcome(kind: string, round: Round, program: string): Promise<Outcome> {
  if (kind === "agent") return await agentRound(round);
  return kind === "inside" ? await insideRound(round) : await machineRound(round, program);
}

function isOver(): boolean {
  return stopping || total.rounds >= Number(values.rounds ?? Infinity) ||
    total.lives >= Number(values.clients) ||
    performance.now() >= end;
}

function tell(kind: string, { seed, faults }: Round, { lives, kexecs, defects }: Outcome): void {
  total.lives += lives;
  total.kexecs += kexecs;
  total.defects += defects.length;
  total.rounds++;
  const what = defects.length === 0 ? "" : `\n  ${defects.slice(0, 12).join("\n  ")}`;
  console.log(
    `${kind} seed ${seed}${
      faults === undefined ? "" : ` faults ${faults}`
    }: ${lives} clients, ${kexecs} kexecs${what}`,
  );
}
