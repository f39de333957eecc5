/**
 * `deno task fuzz:images [RUNS]`: the images that cost most, and damaged copies of real images, each in 5 seconds of processor time
 * and 512 MB. LUO_SEED repeats a run.
 *
 * One process checks all images, and collects its garbage between them. An image for which this process needs more is checked again
 * in a process of its own, as `luo kexec check` does it: that cost counts.
 */
import { UNPACKED_MAX } from "../../lib/kexec/image/decompress.ts";
import { Budget } from "../../lib/kexec/image/sink.ts";
import { unpackBzImage } from "../../lib/kexec/image/x86_payload.ts";
import { checkCost, checkCostApart, type Cost } from "./cost.ts";
import { mutate, numbersFrom, originals, smallKernel } from "./hostile.ts";
import { realImage } from "./images.ts";
import { WORST } from "./worst.ts";

const LIMIT_MS = 5000;
const LIMIT_RSS = 512 * 1000 * 1000;
/** A real image costs a hundred times more than a small one. */
const REAL_EVERY = 500;

/** Deno has it with --v8-flags=--expose-gc. */
const { gc } = globalThis as { gc?: () => void };

if (import.meta.main) {
  const runs = Number(Deno.args[0] ?? 100_000);
  const seed = Number(Deno.env.get("LUO_SEED") ?? Date.now() % 1_000_000);
  const image = realImage("bzImage-7.3.4-luo");
  if (image === undefined || gc === undefined) {
    console.error(
      "Cannot find bzImage-7.3.4-luo (tests/vm/README.md says where), or --v8-flags=--expose-gc is missing",
    );
    Deno.exit(1);
  }
  for (const [name, make] of Object.entries(WORST)) {
    const bytes = await make(image);
    if (bytes === undefined) continue;
    const cost = await checkCostApart(bytes);
    console.log(`${costText(cost)}: ${name}`);
    judge(cost, name);
  }
  const { kernel } = await unpackBzImage(image, new Budget(UNPACKED_MAX));
  const good = await originals(image, smallKernel(kernel));
  const random = numbersFrom(seed);
  const worst = { ms: 0, rss: 0 };
  let apart = 0;
  console.log(`${runs} images, LUO_SEED=${seed}`);
  for (let run = 0; run < runs; run++) {
    const from = run % REAL_EVERY === 0 ? image : good[random(good.length)] ?? image;
    const bytes = mutate(from, random);
    let { ms, rss } = await checkCost(bytes);
    if (ms > LIMIT_MS || rss > LIMIT_RSS) {
      apart++;
      ({ ms, rss } = await checkCostApart(bytes));
    }
    worst.ms = Math.max(worst.ms, ms);
    worst.rss = Math.max(worst.rss, rss);
    judge({ ms, rss }, `image ${run}`);
    if (rss > LIMIT_RSS / 2) gc();
  }
  console.log(`at most ${costText(worst)}; ${apart} in a process of their own`);
}

function costText({ ms, rss }: Cost): string {
  return `${ms.toFixed()} ms and ${(rss / 1e6).toFixed()} MB`;
}

function judge(cost: Cost, name: string): void {
  if (cost.ms <= LIMIT_MS && cost.rss <= LIMIT_RSS) return;
  console.error(`Too much for ${name}: ${costText(cost)}`);
  Deno.exit(1);
}
