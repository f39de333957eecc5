/**
 * `inside_main.ts SEED LAST CLIENTS DIRECTORY`, the first process of a machine of `luo emulate`: an agent with Linux's backend and its clients, over the
 * kexecs up to boot LAST. It prints what machine/wild.c prints.
 */
import { Random } from "../traffic/random.ts";
import { letLive } from "./agent_round.ts";
import { AgentWorld } from "./agent_world.ts";
import { Keeper } from "./keeper.ts";

const [seed = 0, last = 2, clients = 1] = Deno.args.slice(0, 3).map(Number);
const [, , , directory = "."] = Deno.args;
const boot = Number(Deno.env.get("LUO_BOOT"));
const round = { seed, random: new Random(seed), directory, clients, faults: undefined };
const world = new AgentWorld(round, Deno.env.get("LUO_KERNEL"));
const keeper = new Keeper(world, boot - 1);

try {
  await world.start();
  if (boot > 1) await keeper.takeBack();
  else await keeper.keepForEver();
  if (boot < last) {
    await keeper.keep();
    for (let part = 0; part * 20 < clients; part++) {
      await letLive(world, 20, 100 * boot + part);
      console.log(`lives ${20 * (part + 1)} of boot ${boot}, client ${20 * (part + 1)}`);
    }
    world.checkLogs();
  }
} catch (error) {
  world.defects.push(error instanceof Error ? error.stack ?? error.message : String(error));
}
for (const defect of world.defects) {
  console.log(`DEFECT seed ${seed} boot ${boot}: ${defect.replaceAll("\n", " ")}`);
}
if (boot < last && world.defects.length === 0) {
  await keeper.kexec();
  console.log(`DEFECT seed ${seed} boot ${boot}: no kexec is made`);
}
console.log("done");
Deno.exit(0);
