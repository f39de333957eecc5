/** Processor time, which other programs on the machine do not change as they change the time on the wall. */
import process from "node:process";

/** Milliseconds of the busiest command of a pipeline. Each command is measured with its children. @throws Error a command failed */
export function ofPipeline(...commands: readonly string[]): number {
  const script = `TIMEFORMAT="%U %S"; ${commands.map((command) => `{ time ${command}; }`).join(" | ")}`;
  const output = new Deno.Command("bash", {
    args: ["-o", "pipefail", "-c", script],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).outputSync();
  const text = new TextDecoder().decode(output.stderr);
  if (!output.success) throw new Error(`"${script}" failed: ${text}`);
  return Math.max(...milliseconds(text));
}

function milliseconds(text: string): number[] {
  const times = Array.from(text.matchAll(/^([\d.]+) ([\d.]+)$/gm));
  return times.map(([, user, system]) => 1000 * (Number(user) + Number(system)));
}

/** Milliseconds of the busiest part of this process: its main thread, or all others together. */
export async function ofThisProcess(work: () => void | Promise<void>): Promise<number> {
  const [all, main] = [process.cpuUsage(), ofMainThread()];
  await work();
  const { user, system } = process.cpuUsage(all);
  const own = ofMainThread() - main;
  return Math.max(own, (user + system) / 1000 - own);
}

/** Milliseconds of the main thread of this process. The first number of schedstat is nanoseconds (kernel/sched/stats.c). */
function ofMainThread(): number {
  const text = Deno.readTextFileSync(`/proc/self/task/${Deno.pid}/schedstat`);
  return Number(text.split(" ")[0]) / 1e6;
}
