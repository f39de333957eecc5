/**
 * Runs the kernel's own selftests under `luo emulate` and, for reference, on Linux in QEMU: `main.ts [emulate] [vm]`; without
 * arguments in both. Prints `N passed, N failed` at the end; exit status 1 when one failed.
 */
import { MissingTool } from "../../vm/tools.ts";
import { VmError } from "../../vm/vm.ts";
import { type Job, onLinux, type Ran, underEmulate } from "../native/places.ts";
import { judge } from "./tap.ts";

const HERE = new URL(".", import.meta.url).pathname;
const NAMES = [
  "liveupdate",
  "luo_kexec_simple",
  "luo_multi_session",
  "luo_stress_sessions",
  "luo_stress_files",
  "next_boot",
];

async function build(): Promise<string> {
  const { code, stdout } = await new Deno.Command("sh", { args: [`${HERE}build.sh`], stderr: "inherit" })
    .output();
  // It has said why it cannot run here (.ci/run).
  if (code === 77) Deno.exit(77);
  if (code !== 0) throw new MissingTool("Cannot build the selftests", "see above");
  return new TextDecoder().decode(stdout).trim();
}

/** @returns how many passed, how many failed */
function report(place: string, { out, err, status }: Ran): [number, number] {
  const cases = judge(out);
  for (const { name, trouble } of cases) {
    console.log(trouble === "" ? `ok     ${place}: ${name}` : `FAILED ${place}: ${name}: ${trouble}`);
  }
  const failed = cases.filter(({ trouble }) => trouble !== "").length;
  if (failed > 0) console.log(`${place} ended with ${status}\n${out.slice(-3000)}\n${err.slice(-2000)}`);
  return [cases.length - failed, failed];
}

try {
  const directory = await build();
  const job: Job = {
    command: `sh $P/chain.sh $P`,
    programs: {
      "chain.sh": `${HERE}chain.sh`,
      ...Object.fromEntries(NAMES.map((name) => [name, `${directory}/${name}`])),
    },
    boots: 5,
    timeout_ms: 300_000,
  };
  const places = { emulate: () => underEmulate(job), vm: () => onLinux(job) };
  let [passed, failed] = [0, 0];
  for (const [place, run] of Object.entries(places)) {
    if (Deno.args.length > 0 && !Deno.args.includes(place)) continue;
    const [good, bad] = report(place, await run());
    [passed, failed] = [passed + good, failed + bad];
  }
  console.log(`${passed} passed, ${failed} failed`);
  Deno.exit(failed === 0 ? 0 : 1);
} catch (error) {
  if (!(error instanceof MissingTool || error instanceof VmError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
