/**
 * Runs in the virtual machine, once a boot: plays this boot's traffic on the real kernel and goes on to the next boot by
 * kexec. `deno run guest_main.ts SEED BOOTS COUNT`; the trace of boot N is left in /results/trace.N.txt.
 */
import { O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { linux } from "../../lib/linux/kernel.ts";
import { BOOT_IMAGE, BOOT_INITRD, nextCommandLine, RESULTS } from "../vm/guest.ts";
import { nextBoot, play } from "./play.ts";

const [seed, boots, count] = Deno.args.map(Number);
if (seed === undefined || boots === undefined || count === undefined) {
  throw new TypeError("usage: SEED BOOTS COUNT");
}
const boot = Number(Deno.env.get("LUO_BOOT"));
const kernel = linux();

const lines: string[] = [];
const started = performance.now();
play(kernel, "/dev/shm", seed, boot, count, (line) => lines.push(line));
console.log(`traffic: boot ${boot}, ${count} operations in ${Math.round(performance.now() - started)} ms`);
Deno.writeTextFileSync(`${RESULTS}/trace.${boot}.txt`, lines.join("\n") + "\n");
if (boot < boots) nextBoot(kernel, BOOT_IMAGE, BOOT_INITRD, nextCommandLine(readText("/proc/cmdline")));

function readText(path: string): string {
  const into = new Uint8Array(4096);
  const fd = kernel.open(path, O_RDONLY);
  const length = kernel.read(fd, into);
  kernel.close(fd);
  return new TextDecoder().decode(into.subarray(0, length));
}
