/** The library and the agent beside the same in C, on the real kernel in a virtual machine. */
import { MissingTool } from "../vm/tools.ts";
import { runInVm, type VmResult } from "../vm/vm.ts";
import { change, deviceOfHost } from "./change.ts";
import { type Row, Samples, type Section, times } from "./report.ts";

const CHANGES = 2000;
const PAIRS = 21;
const SESSIONS = 1000;
const FILES = 10;
/** Sessions that one side retrieves before the other side has its turn. */
const STEP = 50;
const HOST_PAIRS = 21;
const EXECS = 3;
const TIMEOUT_MS = 600_000;

export const vm: Section = {
  name: "vm",
  title: "The real kernel, in a virtual machine",
  about:
    `Linux 7.3.4 under QEMU, which emulates every instruction. JavaScript slows down more than C does there: a call into C that
    takes 0.1 microseconds on this host takes 7 to 17, as its code is spread over more memory than the emulator's tables cover
    after each call into the kernel. The first turns of the library include the compilation of its code. kexec exec is measured
    from the request on an open connection to the kernel's message "Starting new kernel"; for C, from before reboot(2). The row
    of this host is not emulated: its ioctls end in /dev/null, so that of the kernel's work only that of the memfd remains. For
    root the machine runs with real-time priority (chrt), so that other programs do not count.`,
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
    return await withPriority(async () => [...await calls(run), host(program), ...await execs(run)]);
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
        "the kernel's part is the same for both. With Deno's calls into C alone, without the library, the loop of changes takes " +
        "1.3 times as long as C, and 1.2 times as soon as V8's last compiler has compiled it. The first turns include that.",
    };
  };
  return [
    row(`create, preserve, close: ${CHANGES.toLocaleString("en")}`, results["change.json"]),
    row(`retrieve ${SESSIONS.toLocaleString("en")} sessions x ${FILES} files`, results["retrieve.json"]),
  ];
}

/** What the library adds where the emulator is not in the way. */
function host(program: string): Row {
  const device = deviceOfHost();
  const page = new Uint8Array(4096).fill(7);
  const found = Array.from({ length: HOST_PAIRS }, () => {
    const { stdout } = new Deno.Command(program, { args: ["host", String(CHANGES)] }).outputSync();
    const c = Number(new TextDecoder().decode(stdout)) / CHANGES;
    return { c, luo: change(device, page, CHANGES) / CHANGES };
  });
  const c = new Samples(found.map(({ c }) => c)).median;
  const more = new Samples(found.map(({ c, luo }) => luo - c));
  return {
    what: "the changes, on this host",
    against: `C: ${c.toFixed(1)} us each`,
    target: "none",
    measured: more.text((us) => `${us.toFixed(1)} us more`),
    met: true,
  };
}

/** Programs that this one starts inherit its priority. */
async function withPriority<T>(work: () => Promise<T>): Promise<T> {
  const set = (policy: string, priority: string) =>
    Deno.uid() === 0 &&
    new Deno.Command("chrt", { args: [policy, "-p", priority, String(Deno.pid)] }).outputSync();
  set("-r", "1");
  try {
    return await work();
  } finally {
    set("-o", "0");
  }
}

/** Pages of each file: few, and many. */
const [FEW, MANY] = [1, 32];

async function execs(run: Run): Promise<Row[]> {
  const found: Record<"bare" | "few" | "many", number>[] = [];
  for (let turn = 0; turn < EXECS; turn++) {
    found.push({
      bare: executing(await run(`bare ${SESSIONS} ${FEW}`)),
      few: executing(await run(`exec ${SESSIONS} ${FEW}`)),
      many: executing(await run(`exec ${SESSIONS} ${MANY}`)),
    });
  }
  const bare = new Samples(found.map(({ bare }) => bare)).median;
  const few = new Samples(found.map(({ few }) => few)).median;
  const more = new Samples(found.map(({ bare, few }) => few - bare));
  const flat = new Samples(found.map(({ few, many }) => many - few));
  const ms = (value: number) => `${value.toFixed(0)} ms more`;
  return [
    {
      what: `kexec exec, ${SESSIONS.toLocaleString("en")} sessions`,
      against: `bare reboot(2): ${bare.toFixed(0)} ms`,
      target: "5 ms more",
      measured: more.text(ms),
      met: more.median <= 5,
      why: EXEC_PARTS,
    },
    {
      what: `kexec exec, ${MANY} times the bytes`,
      against: `one page each: ${few.toFixed(0)} ms`,
      target: "flat",
      measured: flat.text(ms),
      met: flat.median <= few / 5,
      why: "the kernel's own part of the kexec depends on the number of pages.",
    },
  ];
}

/** Measured by the guest's clock at each step of `readyToExec`. */
const EXEC_PARTS =
  "in the guest's milliseconds: the request wakes the agent and is read in 9, the device is opened to see that no other program " +
  "has it in 1, image and command line are looked at in 1, 1,000 sessions are judged in 7, the manifest is up to date in 1, file " +
  "systems are synced in 1, a session is made and closed (Device.settle) in 3, the kernel's count of loads is read in 2, and " +
  "reboot(2) is reached in 4. When sessions have changed since kexec load, the manifest is written without its log in 12 more. " +
  "On a host that is not emulated all of it takes less than a millisecond: see the blackout of luo, below. If another program " +
  "has loaded an image, luo's is loaded again, in 92.";

/** Milliseconds from the mark of the guest to the end of the kernel, on the kernel's clock. */
function executing({ console }: VmResult): number {
  const at = (text: string) => 1000 * Number(console.match(new RegExp(`\\[ *(\\d+\\.\\d+)\\] ${text}`))?.[1]);
  return at("kexec_core: Starting new kernel") - at("bench: go");
}
