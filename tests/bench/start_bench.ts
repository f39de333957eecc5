/** What a command costs before it does anything, beside what a shell script would call instead. */
const ROOT = new URL("../..", import.meta.url).pathname;
const directory = Deno.makeTempDirSync({ prefix: "luo-bench-" });
const hello = `${directory}/hello.ts`;
Deno.writeTextFileSync(hello, `console.log("hello");`);
globalThis.addEventListener("unload", () => Deno.removeSync(directory, { recursive: true }));

function bench(name: string, command: string, args: readonly string[], baseline = false): void {
  Deno.bench({
    name,
    group: "start",
    baseline,
    n: 20,
    fn() {
      const { success } = new Deno.Command(command, { args: [...args], stdout: "null", stderr: "null" })
        .outputSync();
      if (!success) throw new Error(`${name} failed`);
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

bench(
  "luo --version",
  Deno.execPath(),
  ["run", "--quiet", "--allow-env", `${ROOT}main.ts`, "--version"],
  true,
);
bench("deno run hello.ts", Deno.execPath(), ["run", "--quiet", hello]);
if (isInstalled("kexec")) bench("kexec --version", "kexec", ["--version"]);
