/**
 * Runs the contract inside the virtual machine. Boot 1 has all single cases, then `before` of all reboot cases, which share one
 * kexec. Boot 2 has `after` of all reboot cases and a second kexec. Boot 3 has `later`. Every case and phase gives one line of JSON,
 * in /results/cases.jsonl and on the console.
 */
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { check } from "../../lib/error.ts";
import { BOOT_IMAGE, BOOT_INITRD, nextCommandLine, RESULTS } from "../vm/guest.ts";
import { cases, rebootCases, wordsCases } from "./all.ts";
import { LinuxHost } from "./linux_host.ts";
import type { CaseReport } from "./report.ts";
import { type RebootCase, World } from "./world.ts";

function report(line: CaseReport): void {
  const text = JSON.stringify(line);
  Deno.writeTextFileSync(`${RESULTS}/cases.jsonl`, text + "\n", { append: true });
  console.log(text);
}

async function attempt(
  name: string,
  phase: CaseReport["phase"],
  run: () => void | Promise<void>,
): Promise<void> {
  const started = performance.now();
  let error: string | undefined;
  try {
    await run();
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
  }
  report({ name, phase, ms: Math.round(performance.now() - started), ...(error !== undefined && { error }) });
}

async function singleBoot(host: LinuxHost, only: string): Promise<void> {
  for (const { name, run } of cases.filter((one) => one.name.includes(only))) {
    const world = new World(host);
    await attempt(name, "single", () => run(world));
    world.closeAll();
    await host.endAll();
  }
}

/** Runs one phase of every reboot case. The fds that the phase leaves open stay open until the kexec. */
async function phase(host: LinuxHost, name: "before" | "after" | "later", only: string): Promise<void> {
  for (const one of rebootCases.filter((one) => one.name.includes(only))) {
    const world = new World(host);
    await attempt(one.name, name, () => one[name]?.(world));
    world.closeDevice();
  }
}

function saveDmesg(boot: number): void {
  const { stdout } = new Deno.Command("dmesg").outputSync();
  Deno.writeFileSync(`${RESULTS}/dmesg.${boot}.txt`, stdout);
}

/**
 * Runs a phase of the cases whose next kernel has a command line of its own, with two kexecs each. Case N has `before` in boot
 * 2N + 1, `after` in boot 2N + 2 with its words, and `later` in boot 2N + 3, together with `before` of the next case. Returns the
 * words for the next boot, undefined after the last one.
 */
async function wordsBoot(host: LinuxHost, boot: number): Promise<string | undefined> {
  const phaseOf = async (one: RebootCase | undefined, name: "before" | "after" | "later") => {
    if (one === undefined) return;
    const world = new World(host);
    await attempt(one.name, name, () => one[name]?.(world));
    world.closeDevice();
  };
  const number = (boot - 1) >> 1;
  if (boot % 2 === 0) {
    await phaseOf(wordsCases[number], "after");
    return "";
  }
  await phaseOf(wordsCases[number - 1], "later");
  await phaseOf(wordsCases[number], "before");
  return wordsCases[number]?.words;
}

/** Goes on in the next boot; does not return. */
function nextBoot({ sys, paths }: LinuxHost, words = ""): void {
  const line = nextCommandLine(Deno.readTextFileSync("/proc/cmdline"), words);
  const text = new TextEncoder().encode(line + "\0");
  const image = check(sys.open(paths.image, O_RDONLY | O_CLOEXEC), "open", paths.image);
  const initrd = paths.initrd === undefined
    ? -1
    : check(sys.open(paths.initrd, O_RDONLY), "open", paths.initrd);
  const flags = paths.initrd === undefined ? BigInt(KEXEC_FILE_NO_INITRAMFS) : 0n;
  check(sys.kexec_file_load(image, initrd, BigInt(text.length), text, flags), "kexec load", paths.image);
  check(sys.reboot(LINUX_REBOOT_CMD_KEXEC), "kexec exec", paths.image);
}

if (import.meta.main) {
  const boot = Number(Deno.args[0]);
  const only = Deno.args[1] ?? "";
  const tmpfs = "/tmp/contract";
  Deno.mkdirSync(tmpfs);
  const disk = `${RESULTS}/disk.bin`;
  Deno.writeTextFileSync(disk, "a file that is not on a tmpfs");
  const host = new LinuxHost({ tmpfs, disk, image: BOOT_IMAGE, initrd: BOOT_INITRD }, "/run");
  if (only === "--words") {
    const words = await wordsBoot(host, boot);
    saveDmesg(boot);
    if (words !== undefined) nextBoot(host, words);
    Deno.exit(0);
  }
  if (boot === 1) await singleBoot(host, only);
  await phase(host, boot === 1 ? "before" : boot === 2 ? "after" : "later", only);
  if (boot < 3) {
    saveDmesg(boot);
    nextBoot(host);
  }
}
