/**
 * Measures a live update of 1,000 sessions and one of 10,000, with 10 files each, on the model, and smaller ones on Linux. Part of
 * `deno task bench`. Each size runs in a process of its own, which makes its memory measurable.
 */
import process from "node:process";
import { ProcessKilled } from "../../lib/system_calls.ts";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { MemoryDisk } from "../../lib/model/fs/disk.ts";
import { Machine } from "../../lib/model/machine.ts";
import { MissingTool } from "../vm/tools.ts";
import { runInVm } from "../vm/vm.ts";
import { after, before, kexec, load, type Size, type Times } from "./scale.ts";

const FILES = 10;
/** The larger live update has a million pages. */
const PAGES = 10;
const [few, many] = [1_000, 10_000];
/** The virtual machine is emulated and has 2 GiB, so its files have one page, and there are a tenth of the sessions. */
const [few_linux, many_linux] = [100, 1_000];

export interface Measured {
  readonly times: Times;
  /** Milliseconds of processor time in user mode, which excludes the host's search for memory. */
  readonly user?: number;
  /** The additional memory of the process, divided by the bytes of all files. */
  readonly memory?: number;
}

function onModel(size: Size): Measured {
  const disk = new MemoryDisk({ "/image": standInBzImage({ release: "7.3.4" }) });
  const data = size.sessions * size.files * size.pages * 4096;
  const started = Deno.memoryUsage().rss;
  const cpu = process.cpuUsage();
  const machine = new Machine({ disk, memory_bytes: data * 1.5 + 2 ** 30 });
  const first = before(machine.init(), size);
  const start = performance.now();
  try {
    load(machine.init(), "/image", undefined, "liveupdate=on");
    kexec(machine.init());
  } catch (error) {
    if (!(error instanceof ProcessKilled)) throw error;
  }
  const times = { ...first, kexec: performance.now() - start, ...after(machine.init(), size) };
  const user = process.cpuUsage(cpu).user / 1000;
  return { times, user, memory: (Deno.memoryUsage().rss - started) / data };
}

/** Milliseconds that a loop needs to use so many bytes of memory for the first time. */
function touching(bytes: number): number {
  const start = performance.now();
  const kept: Uint8Array[] = [];
  for (let left = bytes; left > 0; left -= SLAB) kept.push(new Uint8Array(Math.min(SLAB, left)).fill(1));
  return performance.now() - start;
}

const SLAB = 2 ** 21;

/** A live update of so many sessions on the model, in a process of its own. */
export function modelRun(sessions: number): Measured {
  return inItsOwnProcess<Measured>({ sessions, files: FILES, pages: PAGES });
}

function inItsOwnProcess<T>(what: Size | number): T {
  const args = ["run", "-A", "--quiet", import.meta.filename ?? "", JSON.stringify(what)];
  const { stdout, success } = new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).outputSync();
  if (!success) throw new Error(`a run of ${JSON.stringify(what)} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function onLinux(size: Size): Promise<Measured> {
  const command =
    `deno run -A --cached-only tests/bench/scale_guest.ts ${size.sessions} ${size.files} ${size.pages}`;
  const { results } = await runInVm({ commands: [command, command], timeout_ms: 300_000 });
  return { times: { ...(results["times.1.json"] as Times), ...(results["times.2.json"] as Times) } };
}

function table(title: string, small: number, large: number, one: Measured, ten: Measured): void {
  console.log(`\n${title}\n`);
  console.log(
    `${"".padEnd(10)}${`${small} sessions`.padStart(16)}${`${large} sessions`.padStart(18)}${
      "ratio".padStart(8)
    }`,
  );
  const row = (stage: string, a: number, b: number) =>
    console.log(
      `${stage.padEnd(10)}${`${a.toFixed(0)} ms`.padStart(16)}${`${b.toFixed(0)} ms`.padStart(18)}${
        `${(b / a).toFixed(1)}x`.padStart(8)
      }`,
    );
  for (const [stage, ms] of Object.entries(one.times)) row(stage, ms, ten.times[stage] ?? NaN);
  row("all", sum(one.times), sum(ten.times));
  if (one.user !== undefined && ten.user !== undefined) row("user mode", one.user, ten.user);
  if (ten.memory !== undefined) {
    console.log(`memory    ${ten.memory.toFixed(2)} times the data (${large} sessions)`);
  }
}

function sum(times: Times): number {
  return Object.values(times).reduce((a, b) => a + b, 0);
}

/** Compares a run with the first use of its memory, because the host can need more time for a page when there are more pages. */
function compare(sessions: number, { times, memory = 1 }: Measured): void {
  const bytes = sessions * FILES * PAGES * 4096 * memory;
  const alone = inItsOwnProcess<number>(bytes);
  const gib = (bytes / 2 ** 30).toFixed(1);
  console.log(
    `${sessions} sessions: ${(sum(times) / alone).toFixed(1)} times what touching ${gib} GiB takes (${
      alone.toFixed(0)
    } ms)`,
  );
}

function measure(what: Size | number): Measured | number {
  return typeof what === "number" ? touching(what) : onModel(what);
}

if (import.meta.main) {
  const [what] = Deno.args;
  if (what !== undefined) {
    console.log(JSON.stringify(measure(JSON.parse(what))));
  } else {
    const [one, ten] = [modelRun(few), modelRun(many)];
    table(`The model, ${FILES} files of ${PAGES} pages a session`, few, many, one, ten);
    compare(few, one);
    compare(many, ten);
    try {
      const linux = (sessions: number) => onLinux({ sessions, files: FILES, pages: 1 });
      const [one, ten] = [await linux(few_linux), await linux(many_linux)];
      table(
        `Linux 7.3.4, emulated in a virtual machine, ${FILES} files of one page a session`,
        few_linux,
        many_linux,
        one,
        ten,
      );
    } catch (error) {
      if (!(error instanceof MissingTool)) throw error;
      console.log(`\nLinux was not measured: ${error.message}`);
    }
  }
}
