/** Measures the start of a command, relative to an empty script and to kexec(8). */
import { PERMISSIONS } from "../../commands/processes/own_command.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
/** Written by `deno task binary`. */
const BINARY = `${ROOT}dist/luo`;
const NO_AGENT = 3;
const directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
const empty = `${directory}/empty.js`;
Deno.writeTextFileSync(empty, "");
globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));

function bench(name: string, [command = "", ...args]: readonly string[], expected = 0): void {
  Deno.bench({
    name,
    group: "start",
    baseline: args.includes(empty),
    n: 40,
    warmup: 5,
    fn() {
      const { code } = new Deno.Command(command, {
        args,
        stdout: "null",
        stderr: "null",
        env: { LUO_BACKEND: "model", LUO_SOCKET: `${directory}/s` },
      }).outputSync();
      if (code !== expected) throw new Error(`${name} ended with ${code}`);
    },
  });
}

function isInstalled(command: string): boolean {
  try {
    return new Deno.Command(command, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

const checkout = [Deno.execPath(), "run", "--quiet", ...PERMISSIONS, `${ROOT}main.ts`];
bench("deno run of an empty script", [Deno.execPath(), "run", "--quiet", empty]);
for (const [name, luo] of [["the checkout", checkout], ["dist/luo", [BINARY]]] as const) {
  if (!isInstalled(luo[0] ?? "")) {
    console.log(`No ${name} to measure: deno task binary`);
    continue;
  }
  bench(`${name}: luo --version`, [...luo, "--version"]);
  bench(`${name}: luo agent status, no agent`, [...luo, "agent", "status"], NO_AGENT);
}
if (isInstalled("kexec")) bench("kexec --version", ["kexec", "--version"]);
