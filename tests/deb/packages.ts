/** Packages of luo for the tests. */
import { build } from "../../tools/binary/build.ts";
import { hostTarget } from "../../tools/binary/deno_program.ts";
import { makePackage } from "../../tools/package/deb.ts";

/** Two versions of the package in a directory of their own. */
export class Packages implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "luo-deb-" });
  readonly #binary = `${this.directory}/luo`;

  /** Makes the single executable, and the packages `0.1.0-1` and `0.1.0-2` of it. */
  static async make(): Promise<Packages> {
    const packages = new Packages();
    Deno.writeFileSync(packages.#binary, await build(hostTarget()), { mode: 0o755 });
    await packages.add("0.1.0-1");
    await packages.add("0.1.0-2");
    return packages;
  }

  /** @returns the path of the package */
  async add(version: string, directory = this.directory): Promise<string> {
    const [deb = ""] = await makePackage({
      target: hostTarget(),
      binary: this.#binary,
      directory,
      version,
      date: 1_700_000_000,
      quick: true,
    });
    return deb;
  }

  path(version: string): string {
    const found = Array.from(Deno.readDirSync(this.directory), ({ name }) => name)
      .find((name) => name.startsWith(`luo_${version}_`) && name.endsWith(".deb"));
    return `${this.directory}/${found}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** What a command prints. Throws when the command fails. */
export function output(command: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(command, { args, stdin: "null" }).outputSync();
  const text = new TextDecoder().decode(stdout);
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${text}${new TextDecoder().decode(stderr)}`);
  return text;
}

export function has(command: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${command}`], stdout: "null" }).outputSync()
    .success;
}
