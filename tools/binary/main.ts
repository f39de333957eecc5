/** `deno task binary [x86_64|aarch64]`: writes dist/luo, or dist/luo-ARCH for another architecture (docs/decisions/one-file.md). */
import { build } from "./build.ts";
import { digest, hostTarget } from "./deno_program.ts";
import { MACHINES, type Target } from "./elf.ts";

function isTarget(word: string): word is Target {
  return word in MACHINES;
}

const host = hostTarget();
const [target = host] = Deno.args;
if (!isTarget(target) || Deno.args.length > 1) {
  console.error(`Usage: deno task binary [${Object.keys(MACHINES).join("|")}]`);
  Deno.exit(2);
}
const directory = new URL("../../dist", import.meta.url).pathname;
const path = target === host ? `${directory}/luo` : `${directory}/luo-${target}`;
const bytes = await build(target);
await Deno.mkdir(directory, { recursive: true });
// The old program may be running: its file can be replaced but not written.
await Deno.writeFile(`${path}.new`, bytes, { mode: 0o755 });
await Deno.rename(`${path}.new`, path);
console.log(`${path}: ${(bytes.length / 1e6).toFixed(1)} MB, sha256:${await digest(bytes)}`);
