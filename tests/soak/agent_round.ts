/** One agent with its machine, and clients of all kinds side by side, over some kexecs and deaths of the agent. */
import { Random } from "../traffic/random.ts";
import { AgentWorld } from "./agent_world.ts";
import { commandLife } from "./command_clients.ts";
import { Keeper } from "./keeper.ts";
import { luodLife } from "./luod_clients.ts";
import type { Outcome, Round } from "./round.ts";
import { varlinkLife } from "./varlink_clients.ts";

const SIDE_BY_SIDE = 6;
const WEIGHTS = { varlink: 60, luod: 28, command: 12 };
const LIVES = { varlink: varlinkLife, luod: luodLife, command: commandLife };

export async function agentRound(round: Round): Promise<Outcome> {
  const world = new AgentWorld(round);
  const keeper = new Keeper(world);
  let lives = 0;
  try {
    if (await world.start()) {
      world.remember();
      await checked(world, "keep", async () => {
        await keeper.keep();
        await keeper.keepForEver();
      });
      const parts = 2 + round.random.below(4);
      for (let part = 0; part < parts; part++) {
        const many = Math.ceil(round.clients / parts);
        await letLive(world, many, part);
        lives += many;
        await checked(world, "kexec", () => change(world, keeper, round));
      }
      await checked(world, "end of all sessions", () => closeAll(world));
      await world.checkFds();
    }
  } finally {
    await world.stop();
  }
  return { lives, kexecs: keeper.kexecs, defects: world.defects };
}

/** With faults everything may fail, with an error for those who called. Without faults nothing may. */
async function checked(world: AgentWorld, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const words = `${what}: ${error instanceof Error ? error.message : error}`;
    if (world.round.faults === undefined || /other contents|no answer/.test(words)) world.defects.push(words);
  }
}

/** Clients with numbers of their own, some side by side. */
export async function letLive(world: AgentWorld, many: number, part: number): Promise<void> {
  let begun = 0;
  const next = async () => {
    while (begun < many) {
      const number = begun++;
      const random = new Random(world.round.seed * 1_000_003 + part * 10_007 + number);
      const kind = random.weighted(WEIGHTS);
      try {
        await LIVES[kind](world, random);
      } catch (error) {
        const words = error instanceof Error ? error.stack ?? error.message : String(error);
        world.defects.push(`client ${part}.${number} (${kind}): ${words.split("\n").slice(0, 3).join(" ")}`);
      }
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, next));
}

/** The next kernel, or the next agent. */
async function change(world: AgentWorld, keeper: Keeper, { random }: Round): Promise<void> {
  if (random.chance(20)) {
    await world.killAgent();
    await world.start();
    for (const session of ["keep", "keep-on"]) {
      if (!await keeper.isTold(session)) throw new Error(`the loss of session "${session}" is not told`);
    }
    await keeper.checkValue();
    await keeper.keepForEver();
    await keeper.keep();
    return;
  }
  if (!await keeper.kexec()) throw new Error("no kexec is made");
  await keeper.takeBack();
  await keeper.keep();
}

async function closeAll(world: AgentWorld): Promise<void> {
  await world.client.call("StepUpdate", { step: "cancel" }).catch(() => {});
  await world.client.call("StepUpdate", { step: "finish", force: true }).catch(() => {});
  using list = await world.client.call("ListSessions", {});
  for (const { name, state } of list.reply.sessions) {
    if (state === "incoming") await world.client.call("RetrieveSession", { name, force: true });
    await world.client.call("CloseSession", { name, force: true });
  }
}
