/** Runs programs/many_kexecs.c under `luo emulate --strict`, and measures luo and the host once in every so many boots. */
import { luoCommand } from "../luo_under_test.ts";
import type { Lab } from "./run.ts";

/** What is there at the beginning of a boot, before the program has made anything. */
export interface Figures {
  readonly boot: number;
  /** Of luo itself. */
  readonly fds: number;
  readonly threads: number;
  readonly mappings: number;
  readonly resident_kb: number;
  /** Descendants of luo. */
  readonly processes: number;
  /** Of the host. */
  readonly memfds_kb: number;
  readonly names: number;
  readonly mounts: number;
  readonly ipc_objects: number;
  /** For each kexec since the figures before. */
  readonly cpu_ms: number;
  readonly ms: number;
}

/** sysconf(_SC_CLK_TCK) is 100 on every Linux that luo runs on. */
const TICK_MS = 10;

/** The figures of boot 1 and of every `step`-th one after it, up to boot `last`. @throws Error the program has ended with a defect */
export async function* manyKexecs(lab: Lab, last: number, step: number): AsyncGenerator<Figures> {
  const program = lab.compile("many_kexecs", "-static");
  const child = luoCommand(["emulate", "--strict", program, `${last}`, `${step}`], {
    cwd: lab.directory,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = child.stdin.getWriter();
  let before = { cpu_ms: cpuOf(child.pid), ms: performance.now() };
  for await (const line of linesOf(child.stdout)) {
    const [, boot] = /^boot (\d+)$/.exec(line) ?? [];
    if (boot === undefined) throw new Error(line);
    const now = { cpu_ms: cpuOf(child.pid), ms: performance.now() };
    const each = (key: keyof typeof now) => Math.round((now[key] - before[key]) / step * 100) / 100;
    // The guard of the boot before, and its namespaces, end in their own time.
    await new Promise((resolve) => setTimeout(resolve, 200));
    yield { boot: Number(boot), ...ofLuo(child.pid), ...ofHost(), cpu_ms: each("cpu_ms"), ms: each("ms") };
    before = { cpu_ms: cpuOf(child.pid), ms: performance.now() };
    await input.write(new TextEncoder().encode("\n"));
  }
  await input.close().catch(() => {});
  const { code } = await child.status;
  if (code !== 0) throw new Error(`luo emulate ended with ${code}`);
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end; (end = text.indexOf("\n")) >= 0; text = text.slice(end + 1)) yield text.slice(0, end);
  }
}

function ofLuo(pid: number): Pick<Figures, "fds" | "threads" | "mappings" | "resident_kb" | "processes"> {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return {
    fds: count(`/proc/${pid}/fd`),
    threads: field(status, "Threads"),
    mappings: Deno.readTextFileSync(`/proc/${pid}/maps`).split("\n").length,
    resident_kb: field(status, "VmRSS"),
    processes: descendants(pid),
  };
}

function ofHost(): Pick<Figures, "memfds_kb" | "names" | "mounts" | "ipc_objects"> {
  return {
    memfds_kb: field(Deno.readTextFileSync("/proc/meminfo"), "Shmem"),
    names: ["/dev", "/dev/shm", "/run"].map(count).reduce((sum, one) => sum + one),
    mounts: Deno.readTextFileSync("/proc/self/mountinfo").split("\n").length,
    ipc_objects: ["shm", "sem", "msg"].map((kind) =>
      Deno.readTextFileSync(`/proc/sysvipc/${kind}`).split("\n").length - 2
    ).reduce((sum, one) => sum + one),
  };
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]);
}

function count(directory: string): number {
  return [...Deno.readDirSync(directory)].length;
}

function descendants(pid: number): number {
  const children = [...Deno.readDirSync(`/proc/${pid}/task`)].flatMap(({ name }) =>
    Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`).split(" ").filter((word) => word !== "")
  );
  return children.reduce((sum, child) => sum + 1 + descendants(Number(child)), 0);
}

/** The processor time of luo, without its children. */
function cpuOf(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
