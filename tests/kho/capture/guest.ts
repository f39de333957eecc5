/** Runs in the virtual machine: preserves the files of a scenario, and kexecs into the image that stops. */
import { F_ADD_SEALS, MFD_ALLOW_SEALING, MFD_EXEC, O_RDONLY, SEEK_SET } from "../../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../../ffi/abi/kexec.ts";
import { check } from "../../../lib/error.ts";
import type { SystemCalls } from "../../../lib/system_calls.ts";
import { linux } from "../../../lib/linux/system_calls.ts";
import { Fd } from "../../../lib/fd.ts";
import { openDevice } from "../../../lib/session.ts";
import { type FileScenario, SCENARIOS } from "./scenarios.ts";

/** Creates a file. Its fd is not closed on an error: the process ends with the machine. */
function file(sys: SystemCalls, { size, position, seals }: FileScenario): number {
  const fd = check(sys.memfd_create("capture", MFD_ALLOW_SEALING | MFD_EXEC), "memfd_create", "a file");
  check(sys.ftruncate(fd, BigInt(size)), "ftruncate", "a file");
  if (size > 0) check(sys.pwrite(fd, new Uint8Array(Math.min(size, 4096)).fill(7), 0n), "write", "a file");
  if (position !== undefined) sys.lseek(fd, BigInt(position), SEEK_SET);
  if (seals !== undefined) check(sys.fcntl(fd, F_ADD_SEALS, seals), "seal", "a file");
  return fd;
}

if (import.meta.main) {
  const sys = linux();
  const scenario = SCENARIOS.find(({ name }) => name === Deno.args[0]);
  const device = openDevice(sys);
  for (const { name, files } of scenario?.sessions ?? []) {
    const session = device.create(name);
    for (const each of files) {
      const fd = file(sys, each);
      session.preserve(new Fd(sys, fd), each.token);
      sys.close(fd);
    }
  }
  const image = check(sys.open("/share/boot/halt", O_RDONLY), "open", "the image");
  const line = new TextEncoder().encode("liveupdate=on\0");
  const answer = sys.kexec_file_load(
    image,
    -1,
    BigInt(line.length),
    line,
    BigInt(KEXEC_FILE_NO_INITRAMFS),
  );
  check(answer, "kexec load", "the image");
  check(sys.reboot(LINUX_REBOOT_CMD_KEXEC), "kexec exec", "the image");
}
