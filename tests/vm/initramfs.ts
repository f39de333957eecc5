import { cpio, type Entry } from "./cpio.ts";
import { findTool } from "./tools.ts";

/**
 * The guest's whole userland: busybox, the shared libraries that Deno needs, and `init.sh`. Deno itself stays on a 9p share,
 * so that unpacking costs nothing; only a `binary`, which is luo and Deno in one file, is in it, as `/bin/luo`. Not compressed:
 * the guest is emulated, and unpacking would take longer than reading.
 */
export async function initramfs(binary?: string): Promise<Uint8Array<ArrayBuffer>> {
  const busybox = findTool("busybox");
  const entries: Entry[] = [{ path: "init", kind: "file", bytes: await ownInit(), mode: 0o755 }];
  const made = new Set<string>();
  const add = (path: string, bytes: Uint8Array) => {
    for (const directory of parents(path)) {
      if (made.has(directory)) continue;
      made.add(directory);
      entries.push({ path: directory, kind: "directory" });
    }
    entries.push({ path, kind: "file", bytes, mode: 0o755 });
  };
  for (const directory of ["dev", "proc", "sys", "sbin", "usr", "usr/bin", "usr/sbin"]) {
    made.add(directory);
    entries.push({ path: directory, kind: "directory" });
  }
  add("bin/busybox", await Deno.readFile(busybox));
  for (const applet of await applets(busybox)) {
    if (applet !== "busybox") entries.push({ path: `bin/${applet}`, kind: "link", target: "busybox" });
  }
  if (binary !== undefined) add("bin/luo", await Deno.readFile(binary));
  const libraries = new Set([...await needed(binary ?? Deno.execPath()), ...await needed(busybox)]);
  for (const library of libraries) add(library.slice(1), await Deno.readFile(library));
  return cpio(entries);
}

function ownInit(): Promise<Uint8Array> {
  return Deno.readFile(new URL("init.sh", import.meta.url));
}

/** `a/b/c` -> `a`, `a/b`. */
function parents(path: string): string[] {
  const words = path.split("/").slice(0, -1);
  return words.map((_, index) => words.slice(0, index + 1).join("/"));
}

async function applets(busybox: string): Promise<string[]> {
  return (await output(busybox, ["--list"])).split("\n").filter((name) => name !== "");
}

/** The libraries and the loader of a program, as absolute paths; none for a static one, for which ldd fails. */
async function needed(program: string): Promise<string[]> {
  const lines = (await output(findTool("ldd"), [program])).split("\n");
  return lines.flatMap((line) => line.match(/(?:=>\s+|^\s+)(\/\S+)/)?.[1] ?? []);
}

async function output(program: string, args: string[]): Promise<string> {
  const command = new Deno.Command(program, { args, stdin: "null", stderr: "null", env: { LC_ALL: "C" } });
  return new TextDecoder().decode((await command.output()).stdout);
}
