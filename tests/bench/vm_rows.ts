/** The library and the agent beside the same in C, on the real kernel in a virtual machine. */
import { MissingTool } from "../vm/tools.ts";
import { runInVm, type VmResult } from "../vm/vm.ts";
import { type Row, Samples, type Section, times } from "./report.ts";

const CHANGES = 2000;
const PAIRS = 3;
const SESSIONS = 1000;
const FILES = 10;
/** Sessions that one side retrieves before the other side has its turn. */
const STEP = 100;
const TIMEOUT_MS = 600_000;

export const vm: Section = {
  name: "vm",
  title: "The real kernel, in a virtual machine",
  about:
    `Linux 7.3.4 under QEMU, which emulates every instruction: a system call takes tens of microseconds there, and compiled
    JavaScript slows down more than C does. The first turn of the library includes the compilation of its code. kexec exec is
    measured from the request on an open connection to the kernel's message "Starting new kernel"; for C, from before reboot(2).`,
  rows,
};

async function rows(): Promise<Row[]> {
  const directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
  try {
    const program = `${directory}/vm`;
    const source = new URL("vm.c", import.meta.url).pathname;
    new Deno.Command("gcc", { args: ["-O2", "-static", "-o", program, source] }).outputSync();
    const files = { vm: Deno.readFileSync(program) };
    const run = (...commands: string[]) =>
      runInVm({ commands: commands.map(guest), files, timeout_ms: TIMEOUT_MS });
    return [...await calls(run), ...await execs(run)];
  } catch (error) {
    if (!(error instanceof MissingTool || error instanceof Deno.errors.NotFound)) throw error;
    console.log(`The real kernel was not measured: ${error.message}`);
    return [];
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

type Run = (...commands: string[]) => Promise<VmResult>;

function guest(command: string): string {
  const program = "deno run -A --quiet --cached-only tests/bench/vm_guest.ts";
  return command.split(" && ").map((args) => `${program} ${args}`).join(" && ");
}

interface Pair {
  readonly c: number;
  readonly luo: number;
}

async function calls(run: Run): Promise<Row[]> {
  const { results } = await run(
    `change ${CHANGES} ${PAIRS} && keep ${2 * SESSIONS} ${FILES}`,
    `retrieve ${2 * SESSIONS} ${FILES} ${STEP}`,
  );
  const row = (what: string, pairs: unknown): Row => {
    const ratio = new Samples((pairs as Pair[]).map(({ c, luo }) => luo / c));
    return {
      what,
      against: "the same loop in C",
      target: "at most 1.5x",
      measured: ratio.text(times),
      met: ratio.median <= 1.5,
      why:
        "the kernel's part is the same for both. The library's own part is 1 to 2 microseconds for a session, on this host's " +
        "processor, and its calls into C take 1 more each; emulated they take 30 times as long.",
    };
  };
  return [
    row(`create, preserve, close: ${CHANGES.toLocaleString("en")}`, results["change.json"]),
    row(`retrieve ${SESSIONS.toLocaleString("en")} sessions x ${FILES} files`, results["retrieve.json"]),
  ];
}

/** Pages of each file: few, and many. */
const [FEW, MANY] = [1, 32];

async function execs(run: Run): Promise<Row[]> {
  const bare = executing(await run(`bare ${SESSIONS} ${FEW}`));
  const few = executing(await run(`exec ${SESSIONS} ${FEW}`));
  const many = executing(await run(`exec ${SESSIONS} ${MANY}`));
  const [more, flat] = [few - bare, many - few];
  return [
    {
      what: `kexec exec, ${SESSIONS.toLocaleString("en")} sessions`,
      against: `bare reboot(2): ${bare.toFixed(0)} ms`,
      target: "5 ms more",
      measured: `${more.toFixed(0)} ms more`,
      met: more <= 5,
      why:
        "before reboot(2) the agent loads the image again, so that no other program's image is executed, and writes its " +
        "journal; emulated, that takes a part of a second.",
    },
    {
      what: `kexec exec, ${MANY} times the bytes`,
      against: `one page each: ${few.toFixed(0)} ms`,
      target: "flat",
      measured: `${flat.toFixed(0)} ms more`,
      met: flat <= few / 5,
      why: "the kernel's own part of the kexec depends on the number of pages.",
    },
  ];
}

/** Milliseconds from the mark of the guest to the end of the kernel, on the kernel's clock. */
function executing({ console }: VmResult): number {
  const at = (text: string) => 1000 * Number(console.match(new RegExp(`\\[ *(\\d+\\.\\d+)\\] ${text}`))?.[1]);
  return at("kexec_core: Starting new kernel") - at("bench: go");
}
