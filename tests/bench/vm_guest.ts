/**
 * Runs in the virtual machine, beside the same in C (`vm.c`, in /share/boot/vm):
 *
 *     vm_guest.ts change COUNT PAIRS            leaves /results/change.json: microseconds of both, in turns
 *     vm_guest.ts keep SESSIONS FILES           makes sessions for the next kernel, and executes it
 *     vm_guest.ts retrieve SESSIONS FILES STEP  leaves /results/retrieve.json: as many sessions for each
 *     vm_guest.ts exec SESSIONS PAGES           by the agent: makes sessions, loads a kernel, executes it
 *     vm_guest.ts bare SESSIONS PAGES           the same, but reboot(2) is called by the program in C
 */
import { connectAgent } from "../../lib/agent/client.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import { openDevice } from "../../lib/session.ts";
import { BOOT_IMAGE, BOOT_INITRD, nextCommandLine, RESULTS } from "../vm/guest.ts";
import { change, filled } from "./change.ts";
import { before, kexec, load } from "./scale.ts";

const VM = "/tmp/vm";
const LUO = "/share/checkout/dist/luo";
const page = new Uint8Array(4096).fill(7);
const sys = linux();

/** Microseconds, as the program in C says. */
function inC(...args: readonly (string | number)[]): number {
  return Number(run(VM, ...args));
}

function run(program: string, ...args: readonly (string | number)[]): string {
  const { success, stdout } = new Deno.Command(program, { args: args.map(String), stderr: "inherit" })
    .outputSync();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout);
}

function changes(count: number): number {
  using device = openDevice(sys);
  return change(device, page, count);
}

function retrieve(first: number, end: number, files: number): number {
  using device = openDevice(sys);
  const begin = performance.now();
  for (let index = first; index < end; index++) {
    const session = device.retrieve(`session ${index}`);
    for (let token = 0n; token < files; token++) session.restore(token).close();
    session.finish();
  }
  return 1000 * (performance.now() - begin);
}

function leave(name: string, found: unknown): void {
  Deno.writeTextFileSync(`${RESULTS}/${name}.json`, JSON.stringify(found));
}

function commandLine(): string {
  return nextCommandLine(Deno.readTextFileSync("/proc/cmdline"));
}

/** Sessions that the agent holds, with an image that it has loaded. */
function prepare(sessions: number, pages: number): void {
  run(LUO, "agent", "start");
  using client = connectAgent("/run/luo/agent.sock");
  const contents = new Uint8Array(pages * 4096).fill(7);
  for (let index = 0; index < sessions; index++) {
    const name = `session ${index}`;
    client.call("CreateSession", { name });
    using fd = filled(sys, contents);
    client.call("PreserveFile", { session: name, token: "1", fileFd: 0 }, [fd.number]);
  }
  run(LUO, "kexec", "load", BOOT_IMAGE, "--initrd", BOOT_INITRD, "--command-line", commandLine());
}

const [verb, ...numbers] = Deno.args;
const [first = 0, second = 0, step = 1] = numbers.map(Number);
run("/bin/cp", "/share/boot/vm", VM);
Deno.chmodSync(VM, 0o700);
switch (verb) {
  case "change": {
    const pairs = Array.from({ length: second }, () => ({ c: inC("change", first), luo: changes(first) }));
    leave("change", pairs);
    break;
  }
  case "keep":
    before(sys, { sessions: first, files: second, pages: 1 });
    load(sys, BOOT_IMAGE, BOOT_INITRD, commandLine());
    kexec(sys);
    break;
  case "retrieve": {
    const found: { c: number; luo: number }[] = [];
    for (let at = 0; at < first; at += 2 * step) {
      const c = inC("retrieve", at, at + step, second);
      found.push({ c, luo: retrieve(at + step, at + 2 * step, second) });
    }
    leave("retrieve", found);
    break;
  }
  case "exec": {
    prepare(first, second);
    using client = connectAgent("/run/luo/agent.sock");
    client.call("Identify", {});
    Deno.writeTextFileSync("/dev/kmsg", "<0>bench: go");
    client.callUntilEnd("ExecImage", {});
    break;
  }
  case "bare":
    prepare(first, second);
    run(VM, "reboot");
    break;
  default:
    throw new TypeError(`There is no ${verb}`);
}
