/** The version of luo and of its parts. */
import config from "../deno.json" with { type: "json" };
import type { Version } from "./schema/answer_types.ts";

/** The facts that the single executable has about itself. */
interface Binary {
  readonly commit: string;
  /** The help page of this name, if there is one (commands/help/ready_help.ts). */
  readonly help: (key: string) => string | undefined;
}

/** The script of the single executable defines this (tools/binary/loader.ts). A checkout has no such script. */
declare const LUO_BINARY: Binary | undefined;

/** The single executable that runs now; undefined in a checkout. */
export function inBinary(): Binary | undefined {
  return typeof LUO_BINARY === "undefined" ? undefined : LUO_BINARY;
}

/** The version in deno.json. */
export const VERSION: string = config.version;

/** True in a single executable (`deno task binary`, `deno compile`), false in a checkout that Deno runs. */
export const BINARY: boolean = typeof LUO_BINARY !== "undefined" || Deno.build.standalone;

/** Packages that are not in the program: they are for tests and for making the single executable. */
const NOT_IN_PROGRAM: readonly string[] = ["ajv", "esbuild", "fast-check", "lzma1"];

export function version(): Version {
  const packages = Object.entries(config.imports).filter(([name]) => !NOT_IN_PROGRAM.includes(name));
  return {
    version: VERSION,
    commit: inBinary()?.commit || undefined,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    arch: Deno.build.arch,
    dependencies: Object.fromEntries(
      packages.map(([name, from]) => [name, from.slice(`npm:${name}@`.length)]),
    ),
  };
}

/** The answer to `--version` and to `--version --json`. Undefined for every other command line. */
export function versionText(args: readonly string[]): string | undefined {
  const [first, second] = args;
  if (first !== "--version" && first !== "-v" || args.length > 2) return undefined;
  if (second === undefined) return VERSION;
  return second === "--json" ? JSON.stringify(version()) : undefined;
}
