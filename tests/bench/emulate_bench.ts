/** Measures `luo emulate`: the same program alone and under emulation. Needs gcc. */
import { isInstalled, Lab } from "../emulate/run.ts";

if (isInstalled("gcc")) {
  const lab = new Lab();
  globalThis.addEventListener("unload", () => lab[Symbol.dispose]());
  const program = lab.compile("cost");
  const alone = await new Deno.Command(program, { stdout: "piped" }).output();
  const below = await lab.emulate(program);
  const figures = (text: string) =>
    new Map(text.trim().split("\n").map((line) => line.split(": ") as [string, string]));
  const [without, with_it] = [figures(new TextDecoder().decode(alone.stdout)), figures(below.out)];
  console.log("\nluo emulate: microseconds a call\n");
  for (const [what, us] of with_it) {
    const before = without.get(what);
    const ratio = before === undefined ? "" : `${(Number(us) / Number(before)).toFixed(1)}x`;
    console.log(`${what.padEnd(30)}${(before ?? "-").padStart(10)}${us.padStart(10)}${ratio.padStart(8)}`);
  }
  const run = (name: string, args: readonly string[], baseline = false) =>
    Deno.bench({
      name,
      group: "emulate",
      baseline,
      n: 10,
      async fn() {
        await new Deno.Command(Deno.execPath(), { args: [...args], stdout: "null", stderr: "null" }).output();
      },
    });
  const main = new URL("../../main.ts", import.meta.url).pathname;
  run("luo --help", ["run", "-A", main, "--help"], true);
  run("luo emulate true", ["run", "-A", main, "emulate", "true"]);
} else {
  console.log("luo emulate was not measured: no gcc");
}
