/** `deno task package [x86_64|aarch64] [--quick]`: writes the Debian package, the tarball and SHA256SUMS of luo (docs/install.md). */
import { hostTarget } from "../binary/deno_program.ts";
import { isTarget, MACHINES } from "../binary/elf.ts";
import { output } from "../binary/output.ts";
import { writeBinary } from "../binary/write.ts";
import { VERSION } from "../../lib/version.ts";
import { makePackage } from "./deb.ts";
import { writeSums } from "./sums.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const DIST = `${ROOT}dist`;

/** Seconds since 1970: the time of every file in the package. Without SOURCE_DATE_EPOCH it is that of the last commit. */
async function sourceDate(): Promise<number> {
  const given = Deno.env.get("SOURCE_DATE_EPOCH") || await output("git", ["log", "-1", "--format=%ct"], ROOT);
  if (!/^\d+\s*$/.test(given)) throw new Error(`Cannot use SOURCE_DATE_EPOCH="${given}": it is no number`);
  return Number(given);
}

const quick = Deno.args.includes("--quick");
const words = Deno.args.filter((word) => word !== "--quick");
const [target = hostTarget()] = words;
if (!isTarget(target) || words.length > 1) {
  console.error(`Usage: deno task package [${Object.keys(MACHINES).join("|")}] [--quick]`);
  Deno.exit(2);
}
// dist/luo may be of another commit than the manual and the completions.
const { path: binary } = await writeBinary(target);
const made = await makePackage({
  target,
  binary,
  directory: DIST,
  version: `${VERSION}-1`,
  date: await sourceDate(),
  quick,
});
const sums = await writeSums(DIST);
for (const path of [...made, sums]) console.log(`${path}: ${(Deno.statSync(path).size / 1e6).toFixed(1)} MB`);
