/**
 * Runs the same random traffic of native processes on Linux, in QEMU, and under `luo emulate`, and compares the traces:
 * `kernel_main.ts [SEED [BOOTS [COUNT [GROUPS LEFT OUT]]]]`. `--linux FILE` runs on Linux only and writes the trace to FILE;
 * linux.trace was made so. Prints `N passed, N failed` at the end; each boot is one case.
 */
import { compileClient } from "./client.ts";
import { onLinux, underEmulate } from "./places.ts";
import { explain, firstDifference, job, lines, type Traffic } from "./trace.ts";

const record = Deno.args[0] === "--linux" ? Deno.args[1] : undefined;
const [seed = "1", boots = "4", count = "400", without = ""] = record === undefined
  ? Deno.args
  : Deno.args.slice(2);
const traffic: Traffic = { seed: Number(seed), boots: Number(boots), count: Number(count), without };

const directory = await Deno.makeTempDir({ prefix: "luo-native-" });
try {
  const program = await compileClient(directory);
  if (program === undefined) {
    throw new Error("gcc and a static libc are needed: apt-get install gcc libc6-dev");
  }
  const real = await onLinux(job(traffic, program));
  if (real.status !== 0) throw new Error(`the guest ended with ${real.status}\n${real.err.slice(-2000)}`);
  if (record !== undefined) {
    Deno.writeTextFileSync(record, JSON.stringify({ release: real.release, ...traffic }) + "\n" + real.out);
    console.log(`${lines(real.out).length} operations on ${real.release}: ${record}`);
  } else if (!await compare(lines(real.out), program)) {
    Deno.exitCode = 1;
  }
} finally {
  await Deno.remove(directory, { recursive: true });
}

async function compare(linux: readonly string[], program: string): Promise<boolean> {
  const emulated = await underEmulate(job(traffic, program), ["--strict"]);
  const emulate = lines(emulated.out);
  const difference = firstDifference(linux, emulate);
  const whole = difference === undefined
    ? traffic.boots
    : Number(linux[difference.operations - 1]?.split(".")[0] ?? traffic.boots) - 1;
  for (let boot = 1; boot <= whole; boot++) console.log(`ok   boot ${boot}`);
  if (difference !== undefined) {
    console.log(`FAIL boot ${whole + 1}: ${explain(traffic, difference)}`);
    console.log(`  luo emulate ended with ${emulated.status}: ${emulated.err.slice(-500)}`);
  }
  console.log(`${whole} passed, ${traffic.boots - whole} failed`);
  return difference === undefined;
}
