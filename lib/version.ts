/** The version of luo and of its parts. */
import config from "../deno.json" with { type: "json" };
import type { Version } from "./schema/answer_types.ts";

/** The first line of the single executable's script defines this (tools/binary/bundle.ts). A checkout has no such line. */
declare const LUO_BINARY: { readonly commit: string } | undefined;

/** The version in deno.json. */
export const VERSION: string = config.version;

/** True in a single executable (`deno task binary`, `deno compile`), false in a checkout that Deno runs. */
export const BINARY: boolean = typeof LUO_BINARY !== "undefined" || Deno.build.standalone;

/**
 * Packages that are not in the program: for tests, for making the single executable, and those of lib/kexec/image, which no
 * command uses yet.
 */
const NOT_IN_PROGRAM: readonly string[] = [
  "ajv",
  "esbuild",
  "fast-check",
  "lzma1",
  "seek-bzip",
  "xz-decompress",
];

export function version(): Version {
  const packages = Object.entries(config.imports).filter(([name]) => !NOT_IN_PROGRAM.includes(name));
  return {
    version: VERSION,
    commit: typeof LUO_BINARY === "undefined" || LUO_BINARY.commit === "" ? undefined : LUO_BINARY.commit,
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
