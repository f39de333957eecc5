/** What a program pays for being emulated: the same one with and without, beside each other. */
import { PERMISSIONS } from "../../commands/self.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));
const program = `${directory}/emulate`;
const LUO = [Deno.execPath(), "run", "--quiet", "--cached-only", ...PERMISSIONS, `${ROOT}main.ts`];

function output(...[command = "", ...args]: string[]): string {
  const { success, stdout } = new Deno.Command(command, { args, stderr: "inherit" }).outputSync();
  if (!success) throw new Error(`${command} failed`);
  return new TextDecoder().decode(stdout);
}

function bench(group: string, name: string, argv: readonly string[], baseline: boolean): void {
  Deno.bench({ group, name, baseline, n: 10, fn: () => void output(...argv) });
}

output("gcc", "-O2", "-o", program, `${ROOT}tests/bench/emulate.c`);
bench("start", "luo --help", [...LUO, "--help"], true);
bench("start", "luo emulate true", [...LUO, "emulate", "true"], false);

// The start is in neither: the program measures itself.
for (const [what, count] of [["getppid", "300000"], ["open", "3000"], ["ioctl", "3000"]] as const) {
  const alone = Number(output(program, what, count));
  const emulated = Number(output(...LUO, "emulate", program, what, count));
  console.log(`${what}: ${alone} ns, emulated ${emulated} ns, ${(emulated / alone).toFixed(1)} times`);
}
