/** The kernel images of the tests. */
import type { Architecture } from "../../lib/kexec/file_kind.ts";
import { isDirectory, isFile, MissingTool } from "./tools.ts";

/** The directory of the checkout. */
export const CHECKOUT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

const STOCK: Readonly<Record<Architecture, string>> = {
  x86_64: "bzImage-7.3.4-luo",
  aarch64: "Image-7.3.4-luo-arm64",
};

/**
 * The directory of kernel images, named as in `tests/vm/README.md`: `LUO_TEST_KERNELS`, else `../shared/kernel` beside the
 * checkout, else what `tests/vm/build_kernel.sh` has built. Undefined when there is none.
 */
export function imagesDirectory(): string | undefined {
  const chosen = Deno.env.get("LUO_TEST_KERNELS");
  const places = chosen ? [chosen] : [`${CHECKOUT}/../shared/kernel`, `${CHECKOUT}/.cache/kernel`];
  const found = places.find(isDirectory);
  return found === undefined ? undefined : Deno.realPathSync(found);
}

/** The path of an image: a file as given, or a name (`7.2.12-luo` is enough) in the images' directory. */
export function imagePath(name?: string, architecture: Architecture = "x86_64"): string {
  const wanted = name ?? STOCK[architecture];
  if (isFile(wanted)) return Deno.realPathSync(wanted);
  const directory = imagesDirectory();
  const file = [wanted, `bzImage-${wanted}`].map((word) => `${directory}/${word}`).find(isFile);
  if (directory !== undefined && file !== undefined) return file;
  throw new MissingTool(
    `Cannot find the kernel image "${wanted}"`,
    "set LUO_TEST_KERNELS to a directory that has it, or build one: tests/vm/build_kernel.sh (about 10 minutes)",
  );
}
