/** A machine of `luo emulate --strict` in which random C clients live (machine/wild.c), over several kexecs. */
import { BINARY, LUO } from "../luo_under_test.ts";
import { stuckThreads } from "./stuck.ts";
import { mistakesIn, type Outcome, PATIENCE_MS, type Round } from "./round.ts";

/** What luo may have open and use between clients. A boot in which nothing leaks needs half of it. */
const [FDS_MAX, RESIDENT_MAX_KB] = [80, 900_000];
const SOURCES = new URL("machine/", import.meta.url).pathname;
/** How a script tells how the machine ended, and how many processes are left beside itself. */
const END = 'code=$?; left=0; for p in /proc/[0-9]*; do left=$((left + 1)); done; echo "end $code $left"';

/** Compiles the clients. Returns the program. */
export function compileClients(directory: string): string {
  const program = `${directory}/wild`;
  const sources = [...Deno.readDirSync(SOURCES)].filter(({ name }) => name.endsWith(".c"));
  const { success, stderr } = new Deno.Command("gcc", {
    args: ["-O1", "-w", "-pthread", "-static", "-o", program, ...sources.map(({ name }) => SOURCES + name)],
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return program;
}

/** Random C clients. */
export async function machineRound(round: Round, program: string): Promise<Outcome> {
  const { seed, random, clients, faults } = round;
  const boots = 2 + random.below(6);
  const wild = [program, `${seed}`, `${Math.ceil(clients / (boots - 1))}`, `${boots}`];
  const { user, strict } = someWay(round);
  return await emulated(round, user, strict, [...wild, ...faults === undefined ? [] : ["faults"]]);
}

/** An agent with Linux's backend, and its clients. */
export async function insideRound(round: Round): Promise<Outcome> {
  const { seed, random, clients, directory } = round;
  const boots = 2 + random.below(4);
  const main = new URL("inside_main.ts", import.meta.url).pathname;
  const words = [`${seed}`, `${boots}`, `${Math.ceil(clients / (boots - 1))}`, directory];
  const program = [Deno.execPath(), "run", "-A", "--quiet", main, ...words];
  return await emulated({ ...round, faults: undefined }, [], ["--strict"], program);
}

/**
 * Random calls of root are made in a PID and a mount namespace of their own: no signal of theirs can reach a process of the host, and
 * nothing is left when the round ends.
 */
async function emulated(
  { faults, directory }: Round,
  user: readonly string[],
  strict: readonly string[],
  program: readonly string[],
): Promise<Outcome> {
  const options = [...strict, ...faults === undefined ? [] : ["--faults", faults]];
  const emulate = [...user, ...LUO, "emulate", ...options, "--", ...program];
  const child = new Deno.Command("unshare", {
    args: ["--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", `"$@"; ${END}`, "sh", ...emulate],
    cwd: directory,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const seen = await watched(child);
  await child.status;
  return judged(seen, await stderr, faults !== undefined);
}

/** A user without rights needs the single executable: the modules of the checkout are root's. */
function someWay({ random, directory }: Round): { user: readonly string[]; strict: readonly string[] } {
  const unprivileged = random.chance(25) && BINARY !== undefined;
  const user = unprivileged ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
  if (unprivileged) Deno.chmodSync(directory, 0o755);
  return { user, strict: random.chance(75) ? ["--strict"] : [] };
}

/** The lines of the machine until its end. One that says nothing for long is killed. */
async function watched(child: Deno.ChildProcess): Promise<string[]> {
  const timers: ReturnType<typeof setTimeout>[] = [];
  let [text, stuck] = ["", ""];
  const look = () => {
    stuck += `${stuckThreads(child.pid).join("\n")}\n`;
  };
  const kill = () => {
    text += `\nDEFECT nothing is heard of the machine for ${PATIENCE_MS} ms\n`;
    child.kill("SIGKILL");
  };
  const wait = () => {
    timers.splice(0).forEach(clearTimeout);
    timers.push(setTimeout(look, PATIENCE_MS / 3), setTimeout(kill, PATIENCE_MS));
  };
  wait();
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    wait();
    text += piece;
  }
  timers.forEach(clearTimeout);
  if (text.includes("DEFECT")) console.error(stuck);
  return text.split("\n");
}

function judged(lines: readonly string[], stderr: string, faulty: boolean): Outcome {
  const defects = lines.filter((line) => line.startsWith("DEFECT"));
  const [, code, left] = /^end (\d+) (\d+)$/m.exec(lines.join("\n")) ?? [];
  // With faults the init may be killed, the kernel may panic, and a kexec may be refused.
  if (!(faulty ? ["0", "1", "137"] : ["0"]).includes(code ?? "")) {
    defects.push(`the machine ended with ${code}`);
  }
  if (left !== "1") defects.push(`${left} processes are left`);
  for (const line of lines) {
    const [, fds, resident] = /^figures boot \d+ fds (\d+) rss (\d+)/.exec(line) ?? [];
    if (Number(fds ?? 0) > FDS_MAX || Number(resident ?? 0) > RESIDENT_MAX_KB) defects.push(line);
  }
  const wrong = faulty ? mistakesIn(stderr) : stderr.split("\n").filter((line) => line !== "");
  return { ...counted(lines), defects: [...defects, ...wrong] };
}

/** `lives N of boot B, client C` is printed again and again, with the lives of that boot so far. */
function counted(lines: readonly string[]): { lives: number; kexecs: number } {
  const boots = new Map<string, number>();
  for (const line of lines) {
    const [, lives, boot] = /^lives (\d+) of boot (\d+)/.exec(line) ?? [];
    if (boot !== undefined) boots.set(boot, Number(lives));
  }
  const last = Math.max(0, ...[...boots.keys()].map(Number));
  return { lives: [...boots.values()].reduce((sum, lives) => sum + lives, 0), kexecs: last };
}
