/** Something the virtual machine needs is not on this host. The message says which package brings it. */
export class MissingTool extends Error {
  override readonly name = "MissingTool";
}

const PACKAGES = "apt-get install --no-install-recommends qemu-system-x86 busybox-static";

/** The path of a program, found as a shell would find it. */
export function findTool(name: string): string {
  const path = `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin`;
  for (const directory of path.split(":")) {
    const file = `${directory}/${name}`;
    if (directory !== "" && isFile(file)) return file;
  }
  throw new MissingTool(
    `Cannot start a virtual machine: "${name}" is not installed\n  on Debian: ${PACKAGES}`,
  );
}

export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

export function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
