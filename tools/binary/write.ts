/** Builds the single file and writes it to dist. */
import { build } from "./build.ts";
import { hostTarget } from "./deno_program.ts";
import type { Target } from "./elf.ts";

const DIRECTORY = new URL("../../dist", import.meta.url).pathname;

/** Writes dist/luo, or dist/luo-ARCH for another architecture. */
export async function writeBinary(target: Target): Promise<{ path: string; bytes: Uint8Array<ArrayBuffer> }> {
  const path = target === hostTarget() ? `${DIRECTORY}/luo` : `${DIRECTORY}/luo-${target}`;
  const bytes = await build(target);
  await Deno.mkdir(DIRECTORY, { recursive: true });
  // The old program may be running: its file can be replaced but not written.
  const fresh = `${path}.${Deno.pid}.new`;
  await Deno.writeFile(fresh, bytes, { mode: 0o755 });
  await Deno.rename(fresh, path);
  return { path, bytes };
}
