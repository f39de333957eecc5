/** `deno task binary [x86_64|aarch64]`: writes dist/luo, or dist/luo-ARCH for another architecture (docs/decisions/one-file.md). */
import { digest, hostTarget } from "./deno_program.ts";
import { isTarget, MACHINES } from "./elf.ts";
import { writeBinary } from "./write.ts";

const [target = hostTarget()] = Deno.args;
if (!isTarget(target) || Deno.args.length > 1) {
  console.error(`Usage: deno task binary [${Object.keys(MACHINES).join("|")}]`);
  Deno.exit(2);
}
const { path, bytes } = await writeBinary(target);
console.log(`${path}: ${(bytes.length / 1e6).toFixed(1)} MB, sha256:${await digest(bytes)}`);
