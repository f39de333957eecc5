/**
 * The architecture of the virtual machines of the tests: LUO_TEST_ARCHITECTURE (x86_64 or aarch64), else this host's. For another
 * one than the host's, busybox, the C library and Deno come from elsewhere: `arm64.sh` and Deno's npm package.
 */
import type { Architecture } from "../../lib/kexec/file_kind.ts";
import type { AddedFile } from "../../lib/rehearse/initramfs.ts";
import { denoProgram } from "../../tools/binary/deno_program.ts";
import { output } from "../../tools/binary/output.ts";
import { CHECKOUT } from "./images.ts";
import { isFile } from "./tools.ts";

export function testArchitecture(): Architecture {
  const chosen = Deno.env.get("LUO_TEST_ARCHITECTURE") || Deno.build.arch;
  if (chosen === "x86_64" || chosen === "aarch64") return chosen;
  throw new TypeError(`Cannot test on "${chosen}": LUO_TEST_ARCHITECTURE is x86_64 or aarch64`);
}

/** The programs of a guest whose architecture is not the host's. */
export interface Userland {
  readonly busybox: string;
  /** The C library and the loader. */
  readonly libraries: readonly AddedFile[];
  /** A directory with a program `deno`. */
  readonly deno: string;
}

const DIRECTORY = `${CHECKOUT}/.cache/arm64`;
const LIBRARIES = [
  "ld-linux-aarch64.so.1",
  "libc.so.6",
  "libdl.so.2",
  "libgcc_s.so.1",
  "libm.so.6",
  "libpthread.so.0",
  "librt.so.1",
];

/** Undefined: the host's own programs run in the guest. The first call downloads what is missing. */
export async function foreignUserland(architecture: Architecture): Promise<Userland | undefined> {
  if (architecture === Deno.build.arch) return undefined;
  if (architecture !== "aarch64") throw new TypeError(`Cannot test ${architecture} on ${Deno.build.arch}`);
  const busybox = ["bin", "usr/bin"].map((place) => `${DIRECTORY}/root/${place}/busybox`);
  if (!busybox.some(isFile)) await output("sh", [`${CHECKOUT}/tests/vm/arm64.sh`, DIRECTORY], CHECKOUT);
  return {
    busybox: busybox.find(isFile) ?? "busybox",
    libraries: await Promise.all(LIBRARIES.map(library)),
    deno: await denoOf(architecture),
  };
}

async function library(name: string): Promise<AddedFile> {
  const places = ["lib", "usr/lib"].map((place) => `${DIRECTORY}/root/${place}/aarch64-linux-gnu/${name}`);
  return { path: `/lib/${name}`, bytes: await Deno.readFile(places.find(isFile) ?? name) };
}

async function denoOf(architecture: "aarch64"): Promise<string> {
  const directory = `${DIRECTORY}/deno`;
  if (isFile(`${directory}/deno`)) return directory;
  const program = await denoProgram(architecture, `${CHECKOUT}/.cache`);
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeFile(`${directory}/deno.new`, program, { mode: 0o755 });
  await Deno.rename(`${directory}/deno.new`, `${directory}/deno`);
  return directory;
}
