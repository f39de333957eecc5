/** Hostile images get a verdict, in time and in memory. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { standInBzImage } from "../../lib/kexec/bzimage.ts";
import { UNPACKED_MAX } from "../../lib/kexec/image/decompress.ts";
import { Budget } from "../../lib/kexec/image/sink.ts";
import { unpackBzImage } from "../../lib/kexec/image/x86_payload.ts";
import { checkBytes } from "./check_image.ts";
import { checkCost } from "./cost.ts";
import { mutate, numbersFrom, originals, smallKernel } from "./hostile.ts";
import { pack, PACKERS, packZeros, realImage, uki } from "./images.ts";

const seed = Number(Deno.env.get("LUO_SEED") ?? Date.now() % 1_000_000);
const MIB = 2 ** 20;

async function base(): Promise<{ image: Uint8Array; kernel: Uint8Array }> {
  const real = realImage("bzImage-7.3.4-luo");
  if (real === undefined) {
    const image = standInBzImage({ release: "7.3.4" });
    return { image, kernel: image.subarray(3072) };
  }
  return { image: real, kernel: (await unpackBzImage(real, new Budget(UNPACKED_MAX))).kernel };
}

/** CI has a step that tries more, and `deno task fuzz:images` tries many more. */
const RUNS = Number(Deno.env.get("LUO_RUNS") ?? 250);

Deno.test(`${RUNS} damaged images get a verdict (LUO_SEED=${seed})`, async () => {
  const { image, kernel } = await base();
  const good = await originals(image, smallKernel(kernel));
  const random = numbersFrom(seed);
  for (let run = 0; run < RUNS; run++) {
    const bytes = mutate(good[random(good.length)] ?? image, random);
    try {
      await checkCost(bytes);
    } catch (error) {
      throw new Error(`run ${run} of LUO_SEED=${seed}`, { cause: error });
    }
  }
});

Deno.test(`damaged copies of a real image get a verdict (LUO_SEED=${seed})`, async () => {
  const { image } = await base();
  const random = numbersFrom(seed);
  for (let run = 0; run < 4; run++) await checkCost(mutate(image, random));
});

for (const name of Object.keys(PACKERS)) {
  Deno.test(`a bomb packed with ${name} is given up`, async () => {
    const bomb = await packZeros(300 * MIB, name);
    if (bomb === undefined) return;
    assert.equal((await checkBytes(bomb)).verdict, "does_not_fit");
    if (name === "gzip") assert.equal((await checkBytes(uki({ ".linux": bomb }))).verdict, "does_not_fit");
  });
}

Deno.test("a million empty bzip2 files are given up in time", async () => {
  const one = await pack(new Uint8Array(0), "bzip2");
  if (one === undefined) return;
  const { ms } = await checkCost(Buffer.alloc(1_000_000 * one.length, one));
  assert.ok(ms < 5000, `${ms} ms`);
});

Deno.test("sections that overlap or end after the file get a verdict", async () => {
  const image = uki({ ".linux": standInBzImage({ release: "7.3.4" }), ".initrd": "x" });
  const view = new DataView(image.buffer);
  // The section table begins at 0x98; a section's offset is at 20 in its 40 bytes.
  view.setUint32(0x98 + 40 + 20, view.getUint32(0x98 + 20, true), true);
  assert.equal((await checkBytes(image)).verdict, "fits");
  view.setUint32(0x98 + 40 + 20, 0xffffff00, true);
  assert.equal((await checkBytes(image)).verdict, "does_not_fit");
});
