/** Clients of luo-agent's socket: they subscribe, claim, tear their lines, say too much, read nothing, and go. */
import type { Random } from "../traffic/random.ts";
import type { AgentWorld } from "./agent_world.ts";

const IDS = ["luod-1", "luod-2", "a", "keep", "", "x".repeat(64), "é"];

function someText(random: Random): string {
  const line = JSON.stringify({ cmd: random.pick(["SUBSCRIBE", "CLAIM", "READY"]), id: random.pick(IDS) });
  return random.pick<() => string>([
    () => `${line}\n`,
    () => line,
    () => `${line}\0\n`,
    () => line.slice(0, random.below(line.length)),
    () => `${line.slice(1)}\n`,
    () => "\n".repeat(random.below(100)),
    () => "x".repeat(random.below(20_000)),
    () =>
      `${
        JSON.stringify({ cmd: random.pick(["", "NONE", 5, null, {}]), id: random.pick([null, 5, [], {}]) })
      }\n`,
    () => String.fromCharCode(...random.bytes(random.below(500))),
    () => `${line}\n`.repeat(random.below(200)),
    () => 'null\n5\n[]\n""\n',
  ])();
}

export async function luodLife(world: AgentWorld, random: Random): Promise<void> {
  using connection = await Deno.connect({ transport: "unix", path: world.luod }).catch(() => undefined);
  if (connection === undefined) return;
  const reads = random.chance(60);
  const into = new Uint8Array(1 + random.below(4096));
  const reading = reads ? readAll(connection, into) : undefined;
  for (let count = 1 + random.below(6); count > 0; count--) {
    const sent = connection.write(new TextEncoder().encode(someText(random))).then(() => true, () => false);
    // The agent may leave a client that does not read to itself: the write then waits.
    const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 500));
    if (!await Promise.race([sent, late])) break;
    if (random.chance(40)) await new Promise((resolve) => setTimeout(resolve, random.below(30)));
  }
  connection.close();
  await reading;
}

async function readAll(connection: Deno.UnixConn, into: Uint8Array): Promise<void> {
  while (await connection.read(into).catch(() => null) !== null);
}
