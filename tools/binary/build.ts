/** Builds the single file `luo`: Deno, a start program and the script. */
import { PERMISSIONS } from "../../commands/processes/own_command.ts";
import { bundle } from "./bundle.ts";
import { denoProgram } from "./deno_program.ts";
import { addSegment, type Target } from "./elf.ts";
import { importedAddress } from "./imported.ts";
import { stubSegment } from "./stub.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/**
 * Arguments for Deno. It reads no configuration of the host: no deno.json or package.json, no lock file, no packages. V8 compiles a first
 * batch of functions after 64 KiB of them, not after 4 KiB: a command ends before that, and would wait 3 ms for the thread that compiles.
 */
const WORDS: readonly string[] = [
  ..."run --quiet --ext=mjs --no-config --no-lock --no-remote --no-npm --no-code-cache".split(" "),
  "--v8-flags=--baseline-batch-compilation-threshold=65536",
  ...PERMISSIONS,
];

/** Variables for Deno, which would otherwise look for a newer version and write a cache for the script. */
const ENV: readonly string[] = [
  "DENO_NO_UPDATE_CHECK=1",
  // This directory cannot be created, so Deno keeps its cache in memory. On a terminal it would print a warning.
  "DENO_DIR=/proc/no-cache",
  "DENO_LOG=error,deno::cache::cache_db=off",
];

/** The executable for an architecture. */
export async function build(target: Target): Promise<Uint8Array<ArrayBuffer>> {
  const program = await denoProgram(target, `${ROOT}.cache`);
  const start = { words: WORDS, env: ENV, ...await bundle(ROOT, ENV) };
  const environ = importedAddress(program, target, "environ");
  return addSegment(
    program,
    target,
    (address, entry) => stubSegment(target, start, entry - address, environ - address),
  );
}
