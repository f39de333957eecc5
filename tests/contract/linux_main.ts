/**
 * The suite inside the virtual machine. Boot 1: all single cases, then the first half of all reboot cases, then one kexec for
 * all of them. Boot 2: their second half, and a second kexec. Boot 3: what some have to say then. A line of JSON per case and
 * phase goes to /results/cases.jsonl, and to the console.
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

/** One phase of every reboot case. What `before` and `after` leave open goes into the kexec with them. */
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
 * The cases whose next kernel has words of its own, two kexecs each: case N begins in boot 2N + 1, goes on with its words in
 * boot 2N + 2, and ends in boot 2N + 3, where the next begins. Returns the words for the next boot, undefined at the end.
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
