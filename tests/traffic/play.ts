/** Plays one boot of random traffic, and reboots at its end. */
import { KEXEC_FILE_NO_INITRAMFS, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { check } from "../../lib/error.ts";
import type { TrafficHost } from "./host.ts";
import { operations } from "./operations.ts";
import { Traffic } from "./trace.ts";

/** Makes the `count` operations of one boot and gives a line for each. The fds that they leave open stay open. */
export function* play(host: TrafficHost, seed: number, boot: number, count: number): Generator<string> {
  const traffic = new Traffic(host);
  let number = 0;
  for (const operation of operations(seed, boot, count)) {
    yield `${boot}.${number++} ${traffic.line(operation)}`;
  }
}

/** Loads the next kernel and boots it. Never returns: it throws when that fails, and on the model also when it succeeds. */
export function nextBoot({ sys, image, initrd }: TrafficHost, commandLine: string): void {
  const text = new TextEncoder().encode(commandLine + "\0");
  const kernel_fd = check(sys.open(image, O_RDONLY | O_CLOEXEC), "open", image);
  const initrd_fd = initrd === undefined ? -1 : check(sys.open(initrd, O_RDONLY | O_CLOEXEC), "open", initrd);
  const flags = initrd === undefined ? BigInt(KEXEC_FILE_NO_INITRAMFS) : 0n;
  check(sys.kexec_file_load(kernel_fd, initrd_fd, BigInt(text.length), text, flags), "kexec load", image);
  check(sys.reboot(LINUX_REBOOT_CMD_KEXEC), "kexec exec", image);
}
