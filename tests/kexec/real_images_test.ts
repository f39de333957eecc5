/** lib/kexec/check_image.ts on the headers of real kernels, complete and cut off. */
import assert from "node:assert/strict";
import { type Architecture, checkImage } from "../../lib/kexec/check_image.ts";

/** Release of each image, as tests/vm/README.md names them. */
const IMAGES = {
  "bzImage-7.3.4-luo": "7.3.4-luo",
  "bzImage-7.2.12-luo": "7.2.12-luo",
  "bzImage-7.3.4-mismatch": "7.3.4-luo",
} as const;

const directory = Deno.env.get("LUO_TEST_KERNELS") ||
  new URL("../../../shared/kernel", import.meta.url).pathname;

for (const [name, release] of Object.entries(IMAGES)) {
  const image = read(`${directory}/${name}`);
  Deno.test({
    name: `the real image ${name} is complete, and truncated when cut off after its setup code`,
    ignore: image === undefined,
    fn() {
      const bytes = image ?? new Uint8Array(0);
      assert.deepEqual(check(bytes), { release, problems: [] });
      const half = check(bytes.subarray(0, bytes.length >> 1));
      assert.deepEqual(half.problems.map(({ code }) => code), ["image_truncated"]);
      assert.deepEqual(check(bytes.subarray(0, 4096)).problems.map(({ code }) => code), ["not_bootable"]);
    },
  });
}

const arm64 = read(`${directory}/Image-7.3.4-luo-arm64`);
Deno.test({
  name:
    "the real image Image-7.3.4-luo-arm64 has its release, is truncated when cut off, and is refused on x86-64",
  ignore: arm64 === undefined,
  fn() {
    const bytes = arm64 ?? new Uint8Array(0);
    assert.deepEqual(check(bytes, "aarch64"), { release: "7.3.4-luo", problems: [] });
    const cut = [bytes.subarray(0, -1), bytes.subarray(0, bytes.length >> 1)].map((part) =>
      check(part, "aarch64")
    );
    assert.deepEqual(
      cut.map(({ problems }) => problems.map(({ code }) => code)),
      [["image_truncated"], ["image_truncated"]],
    );
    assert.match(check(bytes).problems[0]?.reason ?? "", /for arm64, and this machine is x86-64/);
  },
});

function check(bytes: Uint8Array, machine: Architecture = "x86_64") {
  return checkImage((offset, length) => bytes.subarray(offset, offset + length), bytes.length, machine);
}

function read(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
