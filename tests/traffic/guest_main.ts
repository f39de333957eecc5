/**
 * Runs in the virtual machine, once in each boot: plays the traffic of this boot on the real kernel and boots the next one by kexec.
 * `deno run guest_main.ts SEED BOOTS COUNT` writes the trace of boot N to /results/trace.N.txt.
 */
import { O_RDONLY, POLLIN } from "../../ffi/abi/fcntl.ts";
import { poll } from "../../ffi/epoll.ts";
import { kill } from "../../ffi/process.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import { BOOT_IMAGE, BOOT_INITRD, nextCommandLine, RESULTS } from "../vm/guest.ts";
import type { Holder, TrafficHost } from "./host.ts";
import { nextBoot, play } from "./play.ts";

const SIGKILL = 9;
const [seed, boots, count] = Deno.args.map(Number);
if (seed === undefined || boots === undefined || count === undefined) {
  throw new TypeError("usage: SEED BOOTS COUNT");
}
const boot = Number(Deno.env.get("LUO_BOOT"));
const sys = linux();
const host: TrafficHost = {
  sys,
  tmpfs: "/dev/shm/traffic",
  image: BOOT_IMAGE,
  initrd: BOOT_INITRD,
  spawn: holder,
};
sys.mkdir(host.tmpfs, 0o755);

const trace = `${RESULTS}/trace.${boot}.txt`;
let lines: string[] = [];
const started = performance.now();
for (const line of play(host, seed, boot, count)) {
  lines.push(line);
  if (lines.length === 200) await flush();
}
await flush();
console.log(`traffic: boot ${boot}, ${count} operations in ${Math.round(performance.now() - started)} ms`);
if (boot < boots) nextBoot(host, nextCommandLine(readText("/proc/cmdline")));

/**
 * Writes the lines to the trace, which shows how far a machine came that hangs. The wait also lets Deno read its pipe of SIGCHLD:
 * when that pipe is full, the signal handler leaves EAGAIN in the errno of the call that it interrupts.
 */
async function flush(): Promise<void> {
  await Deno.writeTextFile(trace, lines.map((line) => `${line}\n`).join(""), { append: true });
  lines = [];
}

function readText(path: string): string {
  const into = new Uint8Array(4096);
  const fd = sys.open(path, O_RDONLY);
  const length = sys.read(fd, into);
  sys.close(fd);
  return new TextDecoder().decode(into.subarray(0, length));
}

/** A child that holds the fds without FD_CLOEXEC. Its pidfd is readable when it has exited and its files are closed. */
function holder(): Holder {
  const child = new Deno.Command("sleep", { args: ["1000000"], stdin: "null", stdout: "null" }).spawn();
  // Deno does not wait for the child at the end of the traffic.
  child.unref();
  const pidfd = sys.pidfd_open(child.pid, 0);
  return {
    kill() {
      kill(child.pid, SIGKILL);
      poll(pidfd, POLLIN, 10_000);
      sys.close(pidfd);
    },
  };
}
