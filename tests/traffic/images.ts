/** Random traffic: loads of kernel images, and reboots with nothing loaded. */
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, KEXEC_FILE_UNLOAD, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import type { TrafficHost } from "./host.ts";
import type { Random } from "./random.ts";
import { result, type Slots } from "./slots.ts";

export type ImageOperation =
  | { op: "load_image"; kernel: number | "image"; initrd: number; flags: number; line: CommandLine }
  | { op: "kexec_nothing" | "reboot_unknown" };

type CommandLine = "good" | "empty" | "no NUL" | "too long" | "cut off" | "null";

export const imageWeights = { load_image: 3, kexec_nothing: 1, reboot_unknown: 1 } as const satisfies Record<
  ImageOperation["op"],
  number
>;

const LOADED = "/sys/kernel/kexec_loaded";
/** Bytes of the longest command line of x86, with the NUL. */
const COMMAND_LINE_MAX = 2017;

export function imageOperation(op: ImageOperation["op"], random: Random, slot: () => number): ImageOperation {
  if (op !== "load_image") return { op };
  const flags = [0, 0, 0, KEXEC_FILE_NO_INITRAMFS, KEXEC_FILE_NO_INITRAMFS, KEXEC_FILE_UNLOAD, 0x40, 2, 12];
  return {
    op,
    kernel: random.chance(8) ? "image" : slot(),
    initrd: slot(),
    flags: random.pick(flags),
    line: random.pick(["good", "good", "empty", "no NUL", "too long", "cut off", "null"]),
  };
}

export class Images {
  constructor(readonly host: TrafficHost, readonly slots: Slots) {}

  apply(o: ImageOperation): string {
    const k = this.host.sys;
    switch (o.op) {
      case "kexec_nothing":
        return this.#loaded() ? "an image is loaded" : result(k.reboot(LINUX_REBOOT_CMD_KEXEC));
      case "reboot_unknown":
        return result(k.reboot(0x12345678));
      case "load_image":
        return `${this.#load(o)} loaded=${this.#loaded()}`;
    }
  }

  #load(o: Extract<ImageOperation, { op: "load_image" }>): string {
    const k = this.host.sys;
    const own = o.kernel === "image" ? k.open(this.host.image, O_RDONLY | O_CLOEXEC) : -1;
    const kernel_fd = o.kernel === "image" ? own : this.slots.fd(o.kernel);
    const { bytes, length } = commandLine(o.line);
    const memory = bytes === null ? null : { bytes, writable: true };
    const answer = k.kexec_file_load(kernel_fd, this.slots.fd(o.initrd), length, memory, BigInt(o.flags));
    if (own >= 0) k.close(own);
    return result(answer);
  }

  #loaded(): boolean {
    const k = this.host.sys;
    const fd = k.open(LOADED, O_RDONLY | O_CLOEXEC);
    const text = new Uint8Array(1);
    k.read(fd, text);
    k.close(fd);
    return text[0] === 0x31;
  }
}

/** A command line in memory, and the length that the call gets. */
function commandLine(line: CommandLine): { bytes: Uint8Array | null; length: bigint } {
  const good = new TextEncoder().encode("liveupdate=on\0");
  switch (line) {
    case "good":
      return { bytes: good, length: BigInt(good.length) };
    case "empty":
      return { bytes: good, length: 0n };
    case "no NUL":
      return { bytes: good.subarray(0, 4), length: 4n };
    case "too long":
      return { bytes: new Uint8Array(COMMAND_LINE_MAX + 1), length: BigInt(COMMAND_LINE_MAX + 1) };
    case "cut off":
      return { bytes: good, length: 100n };
    case "null":
      return { bytes: null, length: 5n };
  }
}
