/**
 * `deno task test:kernel [--kernel IMAGE] [WORDS]`: runs the contract on the real kernel, in a virtual machine. WORDS selects the
 * cases whose names contain them. The last line is `N passed, N failed`. The exit status is 1 when a case failed.
 */
import { MissingTool } from "../vm/tools.ts";
import { runInVm, VmError } from "../vm/vm.ts";
import { cases, rebootCases, wordsCases } from "./all.ts";
import { type CaseReport, parseReport, troubleIn } from "./report.ts";

interface Failure {
  readonly name: string;
  readonly why: string;
}

/** The cases that failed, and those without a report of every boot. */
function failures(reports: readonly CaseReport[], words: string): Failure[] {
  const failed = reports.flatMap(({ name, phase, error }) =>
    error === undefined ? [] : [{ name, why: phase === "single" ? error : `${phase} the kexec: ${error}` }]
  );
  const wanted = (one: { name: string }) => one.name.includes(words);
  const seen = (name: string, phase: string) =>
    reports.some((one) => one.name === name && one.phase === phase);
  const missing = [
    ...wordsCases.filter(wanted).filter(({ name }) => !seen(name, "after")),
    ...cases.filter(wanted).filter(({ name }) => !seen(name, "single")),
    ...rebootCases.filter(wanted).filter(({ name }) =>
      !["before", "after", "later"].every((phase) => seen(name, phase))
    ),
  ].map(({ name }) => ({ name, why: "did not end" }));
  return [...failed, ...missing];
}

function show(line: string): void {
  const report = parseReport(line);
  if (report === undefined) return console.log(line);
  if (report.phase === "later") return;
  const boots = report.phase === "single" ? "" : ` (${report.phase})`;
  console.log(`${report.error === undefined ? "ok    " : "FAILED"} ${report.name}${boots} (${report.ms}ms)`);
}

/** Runs one virtual machine. The answer has the reports of its cases, and the failures of the machine itself. */
async function boots(kernel: string | undefined, count: number, words: string) {
  const lines: string[] = [];
  const trouble: Failure[] = [];
  const command = (boot: number) => `deno run -A tests/contract/linux_main.ts ${boot} '${words}'`;
  let reports: CaseReport[] | undefined;
  try {
    const result = await runInVm({
      kernel,
      commands: Array.from({ length: count }, (_, index) => command(index + 1)),
      timeout_ms: 1_800_000,
      on_line(line) {
        lines.push(line);
        show(line);
      },
    });
    reports = result.results["cases.jsonl"] as CaseReport[] | undefined;
    if (result.status !== 0) {
      trouble.push({ name: "the suite", why: `ended with status ${result.status} in boot ${result.boot}` });
    }
    for (const [boot, text] of Object.entries(result.dmesg)) {
      const found = troubleIn(text);
      if (found.length > 0) trouble.push({ name: `dmesg of boot ${boot}`, why: found.join("\n") });
    }
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    trouble.push({ name: "the virtual machine", why: error.message });
  }
  return { reports: reports ?? lines.flatMap((line) => parseReport(line) ?? []), trouble };
}

async function run(kernel: string | undefined, words: string): Promise<number> {
  const none = { reports: [], trouble: [] };
  const [main, apart] = await Promise.all([
    boots(kernel, 3, words),
    wordsCases.some((one) => one.name.includes(words))
      ? boots(kernel, 2 * wordsCases.length + 1, "--words")
      : none,
  ]);
  const reports = [...main.reports, ...apart.reports];
  const failed = [...failures(reports, words), ...main.trouble, ...apart.trouble];
  for (const { name, why } of failed) console.log(`\nFAILED ${name}\n  ${why.replaceAll("\n", "\n  ")}`);
  const names = new Set(failed.map(({ name }) => name));
  const passed = new Set(reports.map(({ name }) => name).filter((name) => !names.has(name)));
  console.log(`\n${passed.size} passed, ${names.size} failed`);
  return names.size === 0 && passed.size > 0 ? 0 : 1;
}

if (import.meta.main) {
  const named = Deno.args[0] === "--kernel";
  try {
    Deno.exit(await run(named ? Deno.args[1] : undefined, Deno.args.slice(named ? 2 : 0).join(" ")));
  } catch (error) {
    if (!(error instanceof MissingTool)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
