/**
 * Plays the same random traffic on the real kernel and on the model, and compares the traces line by line:
 * `kernel_main.ts [--record] [SEED [BOOTS [COUNT]]]`. The last line is `N passed, N failed`; each boot counts as a case. `--record`
 * keeps the trace of Linux, to which `trace_test.ts` compares the model on hosts without QEMU.
 */
import { testArchitecture } from "../vm/architecture.ts";
import { runInVm } from "../vm/vm.ts";
import { modelTraces } from "./model_trace.ts";
import { RECORDED } from "./recorded.ts";

const record = Deno.args[0] === "--record";
const [seed = 1, boots = 11, count = 9_200] = Deno.args.slice(Number(record)).map(Number);
const results_dir = await Deno.makeTempDir({ prefix: "luo-traffic-" });
try {
  const command = `deno run -A --cached-only tests/traffic/guest_main.ts ${seed} ${boots} ${count}`;
  console.log(`traffic: seed ${seed}, ${boots} boots of ${count} operations, first on the real kernel`);
  const vm = await runInVm({
    commands: Array.from({ length: boots }, () => command),
    results_dir,
    timeout_ms: 1_800_000,
    on_line: (line) => line.startsWith("traffic:") && console.log(`  ${line}`),
  });
  if (vm.status !== 0) throw new Error(`the guest ended with ${vm.status}\n${vm.console.slice(-2000)}`);
  const real = Array.from({ length: boots }, (_, index) => traceOf(index + 1));
  if (record) {
    Deno.writeTextFileSync(RECORDED, `${[`${seed} ${boots} ${count}`, ...real.flat()].join("\n")}\n`);
  }
  let failed = 0;
  let boot = 0;
  for (const model of modelTraces(seed, boots, count, testArchitecture())) {
    if (!same(boot + 1, real[boot++] ?? [], model)) failed++;
  }
  console.log(`${boots - failed} passed, ${failed} failed`);
  if (failed > 0) Deno.exitCode = 1;
} finally {
  await Deno.remove(results_dir, { recursive: true });
}

function traceOf(boot: number): string[] {
  return Deno.readTextFileSync(`${results_dir}/trace.${boot}.txt`).trimEnd().split("\n");
}

/**
 * A struct that says it has 4 GiB can end after the end of user memory: then EFAULT comes before the bytes are looked at. That
 * depends on where the program's memory lies, which is near that end on arm64, and which the model does not know.
 */
function agree(real: string | undefined, model: string | undefined): boolean {
  if (real === model) return true;
  if (testArchitecture() !== "aarch64" || !real?.includes(" size=4294967295 ")) return false;
  return real.endsWith(" -> EFAULT") && model === real.replace(/EFAULT$/, "E2BIG");
}

/** Compares two traces. Prints the first line that differs: a run of the operations up to this line fails again. */
function same(boot: number, real: readonly string[], model: readonly string[]): boolean {
  const length = Math.max(real.length, model.length);
  const at = Array.from({ length }, (_, index) => index).findIndex((index) =>
    !agree(real[index], model[index])
  );
  if (at < 0) {
    console.log(`ok   boot ${boot}: ${length} operations`);
    return true;
  }
  console.log(
    `FAIL boot ${boot}: seed ${seed}, the first ${
      at + 1
    } operations of it are the shortest prefix that differs`,
  );
  console.log(`  Linux: ${real[at]}\n  model: ${model[at]}`);
  return false;
}
