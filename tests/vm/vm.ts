/** Runs shell commands in a virtual machine whose userland is busybox and Deno, boot after boot. */
import type { AddedFile } from "../../lib/rehearse/initramfs.ts";
import { NINE } from "../../lib/rehearse/init_script.ts";
import type { Share } from "../../lib/rehearse/qemu.ts";
import { type MachineResult, runMachine } from "../../lib/rehearse/virtual_machine.ts";
import { foreignUserland, testArchitecture, type Userland } from "./architecture.ts";
import { CHECKOUT, imagePath, imagesDirectory } from "./images.ts";
import { sharedLibraries } from "./shared_libraries.ts";
import { isDirectory } from "./tools.ts";

/** The commands, and the machine that runs them. */
export interface VmOptions {
  /** An image's path or name (`7.2.12-luo`); without it 7.3.4, of the architecture that is tested. */
  kernel?: string;
  /**
   * Shell commands, one a boot: the first runs after power-on, the second after the kexec that the first one executes, and so
   * on. They run as root in the checkout (`/share/checkout`, read-only); `tests/vm/README.md` says what else is there.
   */
  commands: readonly string[];
  /** The limit for all boots together. */
  timeout_ms?: number;
  memory_mib?: number;
  /** More words for the kernel's command line. */
  append?: string;
  /** Files that the guest finds in `/share/boot/`, by name. */
  files?: Readonly<Record<string, Uint8Array | string>>;
  /** A directory of the host to be `/results`; without it a temporary one. */
  results_dir?: string;
  /** A single executable: it is `/bin/luo` in the guest, which then has no checkout, no Deno and no packages. */
  binary?: string;
  /** Called with each line of the console as it comes. */
  on_line?: (line: string) => void;
  /** The Unix socket at which QEMU's monitor listens. */
  monitor?: string;
}

export interface VmResult {
  /** Exit status of the command of the last boot. */
  status: number;
  /** The number of the last boot, from 1. */
  boot: number;
  /** Everything the serial console showed. */
  console: string;
  /** The files that the commands left in `/results`, by name: `NAME.json` parsed, `NAME.jsonl` as an array. */
  results: Record<string, unknown>;
  /** `dmesg` at the end of each boot that ended without a kexec, by boot number. */
  dmesg: Record<number, string>;
  duration_ms: number;
}

/** The machine did not come to its end: a timeout, a panic, a QEMU that would not start. The message ends with the console's tail. */
export class VmError extends Error {
  override readonly name = "VmError";

  constructor(what: string, readonly console: string) {
    super(`${what}; the console's last lines:\n${tail(console)}`);
  }
}

/** Deno wants to write beside the packages, so only they come from the host. */
const GUEST = `
for tag in checkout deno npm kernels; do
  mkdir -p /share/$tag
  mount -t 9p -o ${NINE},cache=loose,ro $tag /share/$tag 2>/dev/null
done
export DENO_DIR=/tmp/deno
mkdir -p $DENO_DIR
ln -s /share/npm $DENO_DIR/npm
export PATH=/bin:/share/deno HOME=/root TERM=dumb NO_COLOR=1 DENO_NO_UPDATE_CHECK=1 LUO_VM=1 LUO_BACKEND=linux
cd /share/checkout 2>/dev/null || cd /
if [ -f /share/boot/command.$LUO_BOOT ]; then
  sh /share/boot/command.$LUO_BOOT </dev/null
  status=$?
else
  echo "luo-vm: nothing to do in boot $LUO_BOOT"
fi
`;

/**
 * Boots a virtual machine, runs the commands in it, switches it off. Temporary files are removed whatever happens.
 *
 * @throws MissingTool no QEMU or busybox on this host; VmError
 */
export async function runInVm(options: VmOptions): Promise<VmResult> {
  const started = Date.now();
  const directory = await Deno.makeTempDir({ prefix: "luo-vm-" });
  try {
    const results_dir = options.results_dir ?? `${directory}/results`;
    await Deno.mkdir(results_dir, { recursive: true });
    const { timeout_ms = 120_000 } = options;
    const architecture = testArchitecture();
    const foreign = await foreignUserland(architecture);
    const result = await runMachine({
      architecture,
      busybox: foreign?.busybox,
      kernel: imagePath(options.kernel, architecture),
      guest: GUEST,
      files: { ...commandFiles(options.commands), ...options.files },
      added: await userland(options.binary, foreign),
      shares: await shares(directory, options.binary, foreign),
      append: `${options.append ?? ""} luo.boot=1`.trim(),
      memory_mib: options.memory_mib,
      results_dir,
      timeout_ms,
      boot_limit_ms: timeout_ms,
      monitor: options.monitor,
      on_line: options.on_line,
    });
    const status = exitStatus(result, timeout_ms);
    const collected = await collect(results_dir);
    const { boot, console } = result;
    return { status, boot, console, ...collected, duration_ms: Date.now() - started };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function commandFiles(commands: readonly string[]): Record<string, string> {
  return Object.fromEntries(commands.map((command, index) => [`command.${index + 1}`, `${command}\n`]));
}

/** The files that Deno or the single executable needs. Deno itself stays on a share, so that unpacking costs nothing. */
async function userland(binary: string | undefined, foreign: Userland | undefined): Promise<AddedFile[]> {
  const libraries = foreign?.libraries ?? await sharedLibraries(binary ?? Deno.execPath());
  return binary === undefined
    ? [...libraries]
    : [...libraries, { path: "/bin/luo", bytes: await Deno.readFile(binary) }];
}

async function shares(
  directory: string,
  binary: string | undefined,
  foreign: Userland | undefined,
): Promise<Share[]> {
  const images = imagesDirectory();
  return [
    ...binary === undefined ? await checkoutShares(foreign?.deno ?? await denoDirectory(directory)) : [],
    ...images === undefined ? [] : [{ tag: "kernels", path: images, readonly: true }],
  ];
}

/** The shares of a guest that runs luo from the checkout. */
async function checkoutShares(deno: string): Promise<Share[]> {
  const npm = `${await denoCache()}/npm`;
  return [
    { tag: "checkout", path: CHECKOUT, readonly: true },
    { tag: "deno", path: deno, readonly: true },
    ...isDirectory(npm) ? [{ tag: "npm", path: npm, readonly: true }] : [],
  ];
}

/** A directory in which the running Deno is called `deno`. */
async function denoDirectory(directory: string): Promise<string> {
  const executable = await Deno.realPath(Deno.execPath());
  if (executable.endsWith("/deno")) return executable.slice(0, -"/deno".length);
  await Deno.mkdir(`${directory}/deno`);
  await Deno.copyFile(executable, `${directory}/deno/deno`);
  return `${directory}/deno`;
}

/** The directory of this Deno's packages, by `deno info`. */
async function denoCache(): Promise<string> {
  const info = new Deno.Command(Deno.execPath(), { args: ["info", "--json"], cwd: "/", stderr: "null" });
  const { denoDir } = JSON.parse(new TextDecoder().decode((await info.output()).stdout)) as {
    denoDir: string;
  };
  return denoDir;
}

function exitStatus({ end, status, console, errors }: MachineResult, timeout_ms: number): number {
  if (status !== undefined) return status;
  if (end === "no_start") throw new VmError("Cannot start QEMU", errors);
  const what = end === "timeout" || end === "hang"
    ? `The virtual machine was not done after ${timeout_ms / 1000} s`
    : `The virtual machine ended before its command did (${end})`;
  throw new VmError(what, console);
}

async function collect(directory: string): Promise<Pick<VmResult, "results" | "dmesg">> {
  const results: Record<string, unknown> = {};
  const dmesg: Record<number, string> = {};
  for await (const { name, isFile } of Deno.readDir(directory)) {
    const read = () => Deno.readTextFile(`${directory}/${name}`);
    if (!isFile) continue;
    const boot = Number(name.match(/^dmesg\.(\d+)/)?.[1]);
    if (name.startsWith("dmesg.")) dmesg[boot] = await read();
    else if (name.endsWith(".jsonl")) results[name] = jsonLines(await read());
    else if (name.endsWith(".json")) results[name] = JSON.parse(await read());
  }
  return { results, dmesg };
}

function jsonLines(text: string): unknown[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

function tail(text: string): string {
  return text.split("\n").slice(-25).map((line) => `  | ${line}`).join("\n");
}
