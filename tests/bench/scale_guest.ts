/** Runs in the virtual machine, once in each boot: `scale_guest.ts SESSIONS FILES PAGES` writes /results/times.N.json. */
import { linux } from "../../lib/linux/system_calls.ts";
import { BOOT_IMAGE, BOOT_INITRD, nextCommandLine, RESULTS } from "../vm/guest.ts";
import { after, before, kexec, load } from "./scale.ts";

const [sessions = 0, files = 0, pages = 0] = Deno.args.map(Number);
const size = { sessions, files, pages };
const boot = Deno.env.get("LUO_BOOT");
const sys = linux();
const times = boot === "1" ? before(sys, size) : after(sys, size);
Deno.writeTextFileSync(`${RESULTS}/times.${boot}.json`, JSON.stringify(times));
if (boot === "1") {
  load(sys, BOOT_IMAGE, BOOT_INITRD, nextCommandLine(Deno.readTextFileSync("/proc/cmdline")));
  kexec(sys);
}
