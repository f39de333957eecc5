/** The commands of luo with arguments by chance, some of them killed at a random moment. */
import type { Random } from "../traffic/random.ts";
import type { AgentWorld } from "./agent_world.ts";
import { mistakesIn } from "./round.ts";
import { NAMES } from "./varlink_calls.ts";
import { inTime } from "./varlink_clients.ts";

/** N: a session's name, T: a token, K: a key, I: the image. */
const LINES =
  `status|status --json|status --exit-code|session create N|session create N --if-absent|session create N --keep|session list|
session list --json|session show N|session show N --json|session retrieve N|session retrieve --all|session finish N --force|session close N --force|session keep N|
file preserve N --stdin --token T|file preserve N --stdin --token T --seal --digest|file preserve N --from I --token T|file list N|file restore N T --stdout|
file restore N T --exec -- cat|put K text|put K|get K|get K --default x|keys|keys wild|drop K|kexec show|kexec check I|kexec load I --reuse-cmdline --force|
kexec unload|losses|losses --json|update prepare I --reuse-cmdline|update freeze|update cancel|update state|update state --json|update finish|update history|update report|
batch|batch --json|kho show|agent status|agent stop|machine stop|doctor|man|completion bash|schema Status|--help|--version|N|session N|file restore`
    .split("|").map((line) => line.trim());
/** None of them leads to another agent or backend. */
const ODD = ["--json", "--timeout", "0.1", "-x", "--force=yes", "", "--", "--help", "\u{1F600}"];
const EXITS = [0, 1, 2, 3, 4, 5, 6, 7, 126, 127, 130, 137, 141, 143];

function someArguments(world: AgentWorld, random: Random): string[] {
  const words = random.pick(LINES).split(" ").map((word) => {
    if (word === "N") return random.pick(NAMES);
    if (word === "T") return random.pick(["1", "2", "0x3", "x"]);
    if (word === "K") return random.pick(["wild/a", "wild/b", ""]);
    return word === "I" ? world.kernel : word;
  });
  if (random.chance(20)) words.splice(random.below(words.length + 1), 0, random.pick(ODD));
  if (random.chance(5)) words.splice(random.below(words.length), 1);
  return words;
}

/** @throws Error it does not end, or its exit code or words are those of no command */
export async function commandLife(world: AgentWorld, random: Random): Promise<void> {
  const args = someArguments(world, random);
  const child = world.command(args, { stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const signal = random.chance(35)
    ? random.pick(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"] as const)
    : undefined;
  const timer = signal === undefined ? undefined : setTimeout(() => kill(child, signal), random.below(300));
  const input = feed(child, random);
  const out = random.chance(10) ? child.stdout.cancel() : new Response(child.stdout).bytes();
  const err = new Response(child.stderr).text();
  try {
    const { code } = await inTime(child.status, args.join(" "));
    const wrong = mistakesIn(await err);
    if (wrong.length > 0) throw new Error(`${args.join(" ")}: ${wrong.join(" / ")}`);
    // 129: SIGHUP.
    if (!EXITS.includes(code) && !(signal !== undefined && code === 129)) {
      throw new Error(`${args.join(" ")}: exit code ${code}`);
    }
  } catch (error) {
    kill(child, "SIGKILL");
    throw error;
  } finally {
    clearTimeout(timer);
    await Promise.allSettled([input, out, err]);
  }
}

async function feed(child: Deno.ChildProcess, random: Random): Promise<void> {
  const lines = [
    "status\n",
    "session list\n",
    "session create b\n",
    "put wild/c x\n",
    "nonsense\n",
    "'\n",
    "\0\n",
  ];
  const text = Array.from({ length: random.below(5) }, () => random.pick(lines)).join("");
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text)).catch(() => {});
  await writer.close().catch(() => {});
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended by itself.
  }
}
