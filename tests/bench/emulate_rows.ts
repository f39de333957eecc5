/** What `luo emulate` costs a program's ordinary calls, with and without --strict, while it holds a session and while it holds none. */
import { isInstalled, Lab } from "../emulate/run.ts";
import { type Row, Samples, type Section, times } from "./report.ts";

const PAIRS = 5;

/** The calls of cost.c, and how much more than alone each may cost. */
const CALLS: readonly { readonly name: string; readonly most: number; readonly why: string }[] = [
  {
    name: "write",
    most: 1.3,
    why: "each filter costs a call 15 ns, and a session and its device have one each.",
  },
  {
    name: "read",
    most: 1.3,
    why: "each filter costs a call 15 ns, and a session and its device have one each.",
  },
  {
    name: "fcntl",
    most: 1.3,
    why:
      `F_GETFL is the shortest call of all, 77 ns. The kernel runs all filters of a process for a call that one of them looks into:
    luo's own, and with --strict one for the device and one for the session, without it one for both. Filters that do nothing but look at
    the fd (cost.c: filters N) make F_GETFL take 100, 115 and 128 ns, 1.30x, 1.49x and 1.66x, for one, two and three of them.`,
  },
  {
    name: "fstat",
    most: 1.3,
    why:
      `the kernel runs all filters of a process for a call that one of them looks into: luo's own, one for the device and one for the
    session. Three filters that do nothing but look at the fd (cost.c: filters 3) make fstat take 1.36x.`,
  },
  {
    name: "fork and exec",
    most: 1.5,
    why:
      "execve and the dynamic loader's access are round trips, and a child of a traced process stops three times.",
  },
  {
    name: "open and close",
    most: 5,
    why:
      `in a process that has an fd of the machine, files of /proc can show it, so that each open stops and the guard looks at the path.
    A stop alone takes 2.3 us, and a file that is in the cache is opened in half a microsecond.`,
  },
  {
    name: "open to write",
    most: 5,
    why:
      `a filter sees the address of a path, not the path, and an open for writing can change a preserved file. So luo looks at each of
    them: two changes of process, 3 microseconds, and 2 in luo.`,
  },
];

const MODES: readonly { readonly name: string; readonly options: readonly string[] }[] = [
  { name: "", options: [] },
  { name: ", --strict", options: ["--strict"] },
];
const HOLDS = [{ name: "", args: [] }, { name: ", session", args: ["held"] }] as const;

export const emulate: Section = {
  name: "emulate",
  title: "A program under luo emulate",
  about:
    `The least of many short rounds of each call, by tests/emulate/programs/cost.c, alone and under luo emulate in turns: write and
    read of 4 KiB of a memfd, F_GETFL, fstat as glibc calls it, fork with exec of a dynamic program until its end, open and close of
    /etc/passwd, and of /dev/null as a shell opens it for > /dev/null. "session": the program has the device and a session open meanwhile, and the calls are about another fd.`,
  rows,
};

async function rows(): Promise<Row[]> {
  if (!isInstalled("gcc")) return [];
  using lab = new Lab();
  const program = lab.compile("cost");
  const kinds = MODES.flatMap((mode) =>
    HOLDS.map((held) => ({ mode, held, ratios: new Map<string, number[]>() }))
  );
  const base = new Map<string, number[]>();
  for (let pair = 0; pair < PAIRS; pair++) {
    const alone = figures((await lab.run(program, [])).out);
    for (const [name, ns] of alone) collect(base, name, ns);
    for (const { mode, held, ratios } of kinds) {
      const { out, err } = await lab.emulate(...mode.options, program, ...held.args);
      const found = figures(out);
      for (const { name } of CALLS) {
        collect(ratios, name, (found.get(name) ?? fail(name, err)) / (alone.get(name) ?? NaN));
      }
    }
  }
  return CALLS.flatMap(({ name, most, why }) => {
    const against = `alone: ${duration(new Samples(base.get(name) ?? []).median)}`;
    return kinds.map(({ mode, held, ratios }): Row => {
      const samples = new Samples(ratios.get(name) ?? []);
      return {
        what: `${name}${mode.name}${held.name}`,
        against,
        target: `at most ${most}x`,
        measured: samples.text(times),
        met: samples.median <= most,
        why,
      };
    });
  });
}

function figures(text: string): Map<string, number> {
  const lines = text.trim().split("\n").map((line) => line.split(": "));
  return new Map(lines.map(([name = "", ns]) => [name, Number(ns)]));
}

function collect(into: Map<string, number[]>, name: string, value: number): void {
  into.set(name, [...into.get(name) ?? [], value]);
}

function fail(name: string, err: string): never {
  throw new Error(`cost.c did not measure ${name}: ${err}`);
}

function duration(ns: number): string {
  return ns < 10_000 ? `${Math.round(ns)} ns` : `${Math.round(ns / 1000)} us`;
}
