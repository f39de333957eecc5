/** The Deno program that goes into `luo`: taken from its npm package, and pinned by its hash. */
import { MACHINES, type Target } from "./elf.ts";
import { output } from "./output.ts";

interface Pinned {
  /** The name of the npm package. */
  readonly package: string;
  readonly version: string;
  /** The hash of the program in the package. */
  readonly sha256: string;
}

/** Only these programs go into `luo`, so that a commit gives the same `luo` on every host. */
const PINNED: Readonly<Record<Target, Pinned>> = {
  x86_64: {
    package: "@deno/linux-x64-glibc",
    version: "2.9.6",
    sha256: "bceb5b6a6239b0b010418406d8c77a508f67cf4337d94288f1c19fe71304aab0",
  },
  aarch64: {
    package: "@deno/linux-arm64-glibc",
    // The newest version for this architecture.
    version: "2.9.5",
    sha256: "e1a70c5eb03b0ebaf761077029ef86b9ba22d50e2b54ca45ce5437457f701b63",
  },
};

/**
 * The pinned Deno for an architecture: the running Deno when it has the right hash, else the program in `cache`. The first call
 * downloads the npm package into `cache`.
 */
export async function denoProgram(target: Target, cache: string): Promise<Uint8Array<ArrayBuffer>> {
  const { package: name, version, sha256 } = PINNED[target];
  const kept = `${cache}/deno-${version}-${target}`;
  for (const path of [Deno.execPath(), kept]) {
    const program = await read(path);
    if (program !== undefined && await digest(program) === sha256) return program;
  }
  const program = await download(`${name}@${version}`);
  const found = await digest(program);
  if (found !== sha256) {
    throw new Error(`Cannot use the Deno of ${name}@${version}: its SHA-256 is ${found}, not ${sha256}`);
  }
  await Deno.mkdir(cache, { recursive: true });
  await Deno.writeFile(kept, program);
  return program;
}

/** The architecture of this host. */
export function hostTarget(): Target {
  const { arch } = Deno.build;
  if (!(arch in MACHINES)) throw new Error(`Cannot build for ${arch}`);
  return arch;
}

async function read(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function download(packet: string): Promise<Uint8Array<ArrayBuffer>> {
  const directory = await Deno.makeTempDir({ prefix: "luo-binary-" });
  try {
    const packed = await output("npm", ["pack", "--silent", packet], directory);
    await output("tar", ["-xzf", packed.trim(), "package/deno"], directory);
    return await Deno.readFile(`${directory}/package/deno`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

export async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
