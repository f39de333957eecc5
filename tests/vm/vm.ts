import { CHECKOUT, imagePath, imagesDirectory } from "./images.ts";
import { initramfs } from "./initramfs.ts";
import { isDirectory } from "./tools.ts";
import { type Accelerator, Qemu, type VirtualMachine } from "./qemu.ts";

/** What runs, on which kernel. */
export interface VmOptions {
  /** An image's path or name (`7.2.12-luo`); without it 7.3.4. */
  kernel?: string;
  /**
   * Shell commands, one a boot: the first runs after power-on, the second after the kexec that the first one executes, and so
   * on. They run as root in the checkout (`/share/checkout`, read-only); `tests/vm/README.md` says what else is there.
   */
  commands: readonly string[];
  /** For everything together. */
  timeout_ms?: number;
  memory_mib?: number;
  /** More words for the kernel's command line. */
  append?: string;
  /** Files to be found under `/share/boot/`, by name. */
  files?: Readonly<Record<string, Uint8Array | string>>;
  /** A directory of the host to be `/results`; without it a temporary one. */
  results_dir?: string;
  /** A single executable: it is `/bin/luo` in the guest, which then has no checkout, no Deno and no packages. */
  binary?: string;
  /** Called with each line of the console as it comes. */
  on_line?: (line: string) => void;
  /** Where QEMU's monitor is to listen, a Unix socket. */
  monitor?: string;
  /** kvm only with a time limit on its first sign of life; then tcg. Default: `LUO_TEST_ACCEL`, or tcg. */
  accelerator?: Accelerator;
}

export interface VmResult {
  /** Exit status of the command of the last boot. */
  status: number;
  /** The number of the last boot, from 1. */
  boot: number;
  /** Everything the serial console showed. */
  console: string;
  /** What the commands left in `/results`: `NAME.json` parsed, `NAME.jsonl` as an array, by file name. */
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

/** On a busy host the guest's timer may seem not to work. */
const COMMAND_LINE = "console=ttyS0 quiet panic=-1 no_timer_check kho=on liveupdate=on";
const KVM_PATIENCE_MS = 15_000;

/**
 * Boots a virtual machine, runs the commands in it, switches it off. The temporary directory is removed whatever happens.
 *
 * @throws MissingTool no QEMU or busybox on this host; VmError
 */
export async function runInVm(options: VmOptions): Promise<VmResult> {
  const started = Date.now();
  const directory = await Deno.makeTempDir({ prefix: "luo-vm-" });
  try {
    const results_dir = options.results_dir ?? `${directory}/results`;
    const machine = await prepare(options, directory, results_dir);
    const console = await run(machine, options);
    return { ...await collect(results_dir, console), console, duration_ms: Date.now() - started };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Lays out what the guest finds under `/share` and `/results`. */
async function prepare(options: VmOptions, directory: string, results_dir: string): Promise<VirtualMachine> {
  const kernel = imagePath(options.kernel);
  const boot = `${directory}/boot`;
  await Deno.mkdir(boot);
  await Deno.mkdir(results_dir, { recursive: true });
  await Deno.copyFile(kernel, `${boot}/kernel`);
  await Deno.writeFile(`${boot}/initrd`, await initramfs(options.binary));
  for (const [index, command] of options.commands.entries()) {
    await Deno.writeTextFile(`${boot}/command.${index + 1}`, command + "\n");
  }
  for (const [name, content] of Object.entries(options.files ?? {})) {
    await Deno.writeFile(
      `${boot}/${name}`,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
  }
  const shares = [
    { tag: "boot", path: boot, readonly: true },
    { tag: "results", path: results_dir, readonly: false },
    ...options.binary === undefined ? await checkoutShares(directory) : [],
  ];
  const images = imagesDirectory();
  if (images !== undefined) shares.push({ tag: "kernels", path: images, readonly: true });
  return {
    kernel: `${boot}/kernel`,
    initrd: `${boot}/initrd`,
    append: `${COMMAND_LINE} ${options.append ?? ""} luo.boot=1`,
    memory_mib: options.memory_mib ?? 2048,
    shares,
    monitor: options.monitor,
  };
}

/** What luo is run from when it is not one file. */
async function checkoutShares(directory: string): Promise<VirtualMachine["shares"]> {
  const npm = `${await denoCache()}/npm`;
  return [
    { tag: "checkout", path: CHECKOUT, readonly: true },
    { tag: "deno", path: await denoDirectory(directory), readonly: true },
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

/** Where this Deno keeps its packages, as it says itself. */
async function denoCache(): Promise<string> {
  const info = new Deno.Command(Deno.execPath(), { args: ["info", "--json"], cwd: "/", stderr: "null" });
  const { denoDir } = JSON.parse(new TextDecoder().decode((await info.output()).stdout)) as {
    denoDir: string;
  };
  return denoDir;
}

async function run(machine: VirtualMachine, options: VmOptions): Promise<string> {
  const on_line = options.on_line ?? (() => {});
  const timeout_ms = options.timeout_ms ?? 120_000;
  const asked = options.accelerator ?? (Deno.env.get("LUO_TEST_ACCEL") === "kvm" ? "kvm" : "tcg");
  if (asked === "kvm") {
    using qemu = new Qemu(machine, "kvm", on_line);
    const over = await qemu.ends(KVM_PATIENCE_MS);
    if (qemu.console.includes("luo-vm: boot")) return over ? qemu.console : await finish(qemu, timeout_ms);
    await qemu.kill();
    on_line(`luo-vm: KVM gives no sign of life here, going on without it`);
  }
  using qemu = new Qemu(machine, "tcg", on_line);
  return await finish(qemu, timeout_ms);
}

async function finish(qemu: Qemu, timeout_ms: number): Promise<string> {
  if (!await qemu.ends(timeout_ms)) {
    await qemu.kill();
    throw new VmError(`The virtual machine was not done after ${timeout_ms / 1000} s`, qemu.console);
  }
  if (qemu.errors !== "" && qemu.console === "") throw new VmError("Cannot start QEMU", qemu.errors);
  return qemu.console;
}

async function collect(
  directory: string,
  console: string,
): Promise<Pick<VmResult, "status" | "boot" | "results" | "dmesg">> {
  const results: Record<string, unknown> = {};
  const dmesg: Record<number, string> = {};
  const exits = new Map<number, number>();
  for await (const { name, isFile } of Deno.readDir(directory)) {
    const read = () => Deno.readTextFile(`${directory}/${name}`);
    if (!isFile) continue;
    const boot = Number(name.match(/^(?:exit|dmesg)\.(\d+)/)?.[1]);
    if (name.startsWith("exit.")) exits.set(boot, Number(await read()));
    else if (name.startsWith("dmesg.")) dmesg[boot] = await read();
    else if (name.endsWith(".jsonl")) results[name] = jsonLines(await read());
    else if (name.endsWith(".json")) results[name] = JSON.parse(await read());
  }
  const boot = Math.max(0, ...exits.keys());
  const status = exits.get(boot);
  if (status === undefined) throw new VmError("The virtual machine ended before its command did", console);
  return { status, boot, results, dmesg };
}

function jsonLines(text: string): unknown[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

function tail(text: string): string {
  return text.split("\n").slice(-25).map((line) => `  | ${line}`).join("\n");
}
