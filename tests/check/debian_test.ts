/** Debian's own kernels, which take nothing over: 6.12 has no live update, 7.2 and 7.3 have KHO off. */
import assert from "node:assert/strict";
import { checkBytes, codes } from "./check_image.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const DIRECTORY = `${ROOT}.cache/debian`;

/** Images are large, so they are fetched once and kept out of git. The reason why there are none is printed. */
function fetchImages(): void {
  const { code, stderr } = new Deno.Command("sh", {
    args: [`${ROOT}tests/check/debian_images.sh`, DIRECTORY],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).outputSync();
  if (code !== 0) {
    console.log(`Debian's kernels cannot be fetched: ${new TextDecoder().decode(stderr).trim()}`);
  }
}

const CASES: readonly (readonly [release: RegExp, line: string])[] = [
  [/^6\.12/, "release"],
  [/^7\.2\.12/, "kho_format"],
  [/^7\.3\.4/, "kho_format"],
];

fetchImages();
const names = Array.from(Deno.readDirSync(DIRECTORY), ({ name }) => name);
for (const [release, code] of CASES) {
  const name = names.find((one) => one.startsWith("vmlinuz-") && release.test(one.slice("vmlinuz-".length)));
  Deno.test({
    name: `Debian's ${name ?? release.source} does not fit, with its configuration and without`,
    ignore: name === undefined,
    async fn() {
      const image = Deno.readFileSync(`${DIRECTORY}/${name}`);
      const config = name?.replace("vmlinuz", "config") ?? "";
      const disk = names.includes(config)
        ? { [`/boot/${config}`]: Deno.readFileSync(`${DIRECTORY}/${config}`) }
        : {};
      for (const files of [disk, {}]) {
        const check = await checkBytes(image, { disk: files });
        assert.equal(check.verdict, "does_not_fit", JSON.stringify(check.lines));
        assert.match(check.release ?? "", release);
        assert.ok(codes(check, "does_not_fit").includes(code), JSON.stringify(check.lines));
      }
    },
  });
}
