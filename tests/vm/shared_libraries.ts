/** The shared libraries that a program of this host needs, for an initramfs without any. */
import type { AddedFile } from "../../lib/rehearse/initramfs.ts";
import { findTool } from "./tools.ts";

/** The libraries and the loader of a program; none for a static one, for which ldd fails. */
export async function sharedLibraries(program: string): Promise<AddedFile[]> {
  const ldd = new Deno.Command(findTool("ldd", "libc-bin"), {
    args: [program],
    stdin: "null",
    stderr: "null",
    env: { LC_ALL: "C" },
  });
  const text = new TextDecoder().decode((await ldd.output()).stdout);
  const paths = text.split("\n").flatMap((line) => line.match(/(?:=>\s+|^\s+)(\/\S+)/)?.[1] ?? []);
  return await Promise.all(paths.map(async (path) => ({ path, bytes: await Deno.readFile(path) })));
}
