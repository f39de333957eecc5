/** The package as others use it, out of the checkout: by import map, by links, as a member of a workspace, and packed for npm. */
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url).pathname;
const PROGRAM = Deno.readTextFileSync(`${ROOT}tests/package/consumer/live_update.ts`);
const ENTRIES: Readonly<Record<string, string>> =
  JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)).exports;
const OUTPUT = "kexec warm ENOENT EEXIST AsyncAgentClient\n";

/** The compiler options of a strict project, which hold for the library's sources too. */
const STRICT = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noUnusedLocals: true,
  noImplicitReturns: true,
  noImplicitOverride: true,
  erasableSyntaxOnly: true,
  isolatedDeclarations: true,
};

/** Without npm on this host nothing can be installed with it. */
function hasNpm(): boolean {
  const { success } = new Deno.Command("sh", { args: ["-c", "command -v npm"], stdout: "null" }).outputSync();
  return success;
}

/** A project of somebody else. */
class Project implements Disposable {
  readonly directory = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "luo-consumer-" }));

  constructor(readonly below = "") {
    Deno.mkdirSync(`${this.directory}/${below}`, { recursive: true });
    this.write(`${below}/live_update.ts`, PROGRAM);
  }

  write(path: string, content: string | object): void {
    const text = typeof content === "string" ? content : JSON.stringify(content, undefined, 2);
    Deno.writeTextFileSync(`${this.directory}/${path}`, text);
  }

  run(command: string, args: readonly string[], cwd = `${this.directory}/${this.below}`): string {
    const options = { args: [...args], cwd, env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" } };
    const { code, stdout, stderr } = new Deno.Command(command, options).outputSync();
    const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.equal(code, 0, `${command} ${args.join(" ")}\n${out}${errors}`);
    return out ?? "";
  }

  /** Type-checks the program and runs it, without any permission. */
  works(): void {
    this.run(Deno.execPath(), ["check", "live_update.ts"]);
    assert.equal(this.run(Deno.execPath(), ["run", "--no-prompt", "--quiet", "live_update.ts"]), OUTPUT);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

Deno.test("by an import map that names the checkout", () => {
  using project = new Project();
  // The map that the documents show, for this checkout.
  const shown = /By an import map alone[^]*?```json\n([^]*?)```/.exec(
    Deno.readTextFileSync(`${ROOT}docs/library.md`),
  )?.[1];
  assert.ok(shown !== undefined);
  const map = JSON.parse(shown.replaceAll("file:///src/luo/", `file://${ROOT}`));
  const { imports } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`));
  for (const [name, from] of Object.entries(map.imports)) {
    const path = name === "@luo/luo" || name.startsWith("@luo/luo/")
      ? ENTRIES[`.${name.slice(8)}`]
      : undefined;
    const expected = path === undefined ? imports[name] : new URL(path, `file://${ROOT}`).href;
    assert.equal(from, expected, `docs/library.md: ${name}`);
  }
  project.write("deno.json", { ...map, compilerOptions: STRICT });
  project.works();
});

Deno.test("by links", () => {
  using project = new Project();
  const imports = { "@luo/luo": "jsr:@luo/luo@^0.1.0" };
  project.write("deno.json", { links: [ROOT], imports, compilerOptions: STRICT });
  project.works();
});

Deno.test("as a member of a workspace", () => {
  using project = new Project("app");
  project.write("deno.json", { workspace: ["./app", "./luo"], compilerOptions: STRICT });
  project.write("app/deno.json", { name: "@you/app", version: "1.0.0", exports: "./live_update.ts" });
  Deno.mkdirSync(`${project.directory}/luo`);
  project.run("cp", ["-R", ...["deno.json", "lib", "ffi"].map((path) => ROOT + path), "../luo/"]);
  project.works();
});

Deno.test("packed for npm: small, with types, installed by npm, run by Deno", { ignore: !hasNpm() }, () => {
  using project = new Project();
  const tarball = `${project.directory}/luo.tgz`;
  project.run(Deno.execPath(), ["pack", "--allow-dirty", "--no-source-maps", "--output", tarball], ROOT);
  assert.ok(Deno.statSync(tarball).size < 500_000, "a small package");
  project.write("package.json", { name: "app", private: true, type: "module" });
  project.write("deno.json", { nodeModulesDir: "manual", compilerOptions: STRICT });
  project.run("npm", ["install", "--no-audit", "--no-fund", tarball]);
  project.works();
});
