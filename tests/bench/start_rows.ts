/** What a command costs before it does anything: the single executable beside an empty script, and the checkout. */
import { PERMISSIONS } from "../../commands/processes/own_command.ts";
import { ratios, type Row, type Section, times } from "./report.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
/** Written by `deno task binary`. */
const BINARY = `${ROOT}dist/luo`;
const PAIRS = 25;
const EMPTY = "deno run, empty script";

export const start: Section = {
  name: "start",
  title: "The start of a command",
  about:
    `Wall time of dist/luo (deno task binary), from the start of the process to its end, with an agent on the model where
    the command asks one. For root all of them run with real-time priority (chrt), so that other programs do not count.`,
  rows,
};

interface Command {
  readonly name: string;
  readonly argv: readonly string[];
  readonly most: number;
}

async function rows(): Promise<Row[]> {
  const directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
  const empty = `${directory}/empty.js`;
  Deno.writeTextFileSync(empty, "");
  const env = { LUO_BACKEND: "model", LUO_SOCKET: `${directory}/s` };
  const base = [Deno.execPath(), "run", "--quiet", empty];
  const checkout = [Deno.execPath(), "run", "--quiet", ...PERMISSIONS, `${ROOT}main.ts`];
  const commands: readonly Command[] = [
    { name: "luo --version", argv: [BINARY, "--version"], most: 1.3 },
    { name: "luo --help", argv: [BINARY, "--help"], most: 1.3 },
    { name: "luo session list", argv: [BINARY, "session", "list"], most: 1.6 },
    { name: "the checkout: luo session list", argv: [...checkout, "session", "list"], most: 4 },
  ];
  run([BINARY, "agent", "start"], env);
  try {
    const found: Row[] = [];
    for (const { name, argv, most } of commands) {
      run(argv, env);
      const ratio = await ratios(PAIRS, () => run(argv, env), () => run(base, env));
      found.push({
        what: name,
        against: EMPTY,
        target: `at most ${most}x`,
        measured: ratio.text(times),
        met: ratio.median <= most,
        why:
          `of 7 ms beside the empty script, V8 compiles the modules that are used, and runs them for the first time, in 3 to 4; eight
          symbols of the C library take 1, and two calls of the agent, which answers cold, 2 to 3. V8's code cache cannot be used: node:vm
          takes longer to load.`,
      });
    }
    return found;
  } finally {
    run([BINARY, "agent", "stop"], env);
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Milliseconds until the command has ended. @throws Error it failed */
function run([program = "", ...args]: readonly string[], env: Record<string, string>): number {
  const begin = performance.now();
  const [first = "", ...others] = [...priority(), program, ...args];
  const { code, stderr } = new Deno.Command(first, {
    args: others,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).outputSync();
  const end = performance.now();
  if (code !== 0) {
    throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${new TextDecoder().decode(stderr)}`);
  }
  return end - begin;
}

/** The agent inherits the priority of the command that starts it. */
function priority(): readonly string[] {
  return Deno.uid() === 0 ? ["chrt", "-f", "1"] : [];
}
