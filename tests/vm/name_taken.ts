/**
 * In the virtual machine: 51 sessions and a name taken twice, then a kexec. With `settle` the spare block is given back before;
 * `after` looks for them in the next kernel.
 */
import { encodeSession, LIVEUPDATE_IOCTL_CREATE_SESSION } from "../../ffi/abi/liveupdate.ts";
import { O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { check } from "../../lib/error.ts";
import { linux } from "../../lib/linux/system_calls.ts";
import { openDevice } from "../../lib/session.ts";
import { BOOT_IMAGE, BOOT_INITRD, nextCommandLine } from "./guest.ts";

const SESSIONS = Array.from({ length: 51 }, (_, index) => `session ${index}`);

function before(settle: boolean): void {
  const sys = linux();
  const device = openDevice(sys);
  for (const name of SESSIONS) device.create(name);
  const taken = sys.ioctl(device.fd.number, LIVEUPDATE_IOCTL_CREATE_SESSION, encodeSession("session 0"));
  console.log(`name taken: ${taken}`);
  if (settle) device.settle();
  const line = new TextEncoder().encode(`${nextCommandLine(Deno.readTextFileSync("/proc/cmdline"))}\0`);
  const [image, initrd] = [BOOT_IMAGE, BOOT_INITRD].map((path) =>
    check(sys.open(path, O_RDONLY), "open", path)
  );
  check(
    sys.kexec_file_load(image ?? -1, initrd ?? -1, BigInt(line.length), line, 0n),
    "kexec load",
    BOOT_IMAGE,
  );
  check(sys.reboot(LINUX_REBOOT_CMD_KEXEC), "kexec exec", BOOT_IMAGE);
}

if (import.meta.main) {
  const [what] = Deno.args;
  if (what === "after") {
    const device = openDevice(linux());
    for (const name of SESSIONS) device.retrieve(name);
  } else before(what === "settle");
}
