/**
 * Writes a small file that kexec_file_load(2) accepts as a kernel and that cannot boot, to try the model on a host
 * without a kernel image in /boot.
 *
 *     deno run --allow-write examples/stand_in_kernel.ts FILE [RELEASE]
 */
import { standInBzImage } from "../lib/testing.ts";

const [path, release = "7.3.5-standin"] = Deno.args;
if (path === undefined) {
  console.error("Usage: stand_in_kernel.ts FILE [RELEASE]");
  Deno.exit(2);
}
Deno.writeFileSync(path, standInBzImage({ release }));
