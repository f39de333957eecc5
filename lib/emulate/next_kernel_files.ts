/** The files that a program under `luo emulate` loads for its next boot. `luo rehearse` uses the same names for them. */
import { MFD_CLOEXEC } from "../../ffi/abi/fcntl.ts";
import { memfd_create, readlink } from "../../ffi/file.ts";
import { getpid } from "../../ffi/process.ts";
import { check } from "../error.ts";
import { HostFd } from "../files/host_fd.ts";
import { writeAll } from "../files/transfer.ts";
import { standInArm64Image } from "../kexec/arm64_image.ts";
import { standInBzImage } from "../kexec/bzimage.ts";
import { cpio } from "../rehearse/cpio.ts";

/** The command line with which the next kernel takes over what is preserved. */
const COMMAND_LINE = "liveupdate=on kho=on";
const NAMES = ["next-kernel", "next-initrd"] as const;
const [KERNEL, INITRD] = NAMES;
const RELEASE = "7.3.5-standin";

/** A stand-in for a kernel and an empty initramfs. They are memfds of luo, which the program opens in /proc. */
export class NextKernelFiles implements Disposable {
  readonly #kernel = memory(KERNEL, standIn({ release: RELEASE }));
  readonly #initrd = memory(INITRD, cpio([]));

  /** The names that programs open. */
  get paths(): readonly [kernel: string, initrd: string] {
    return [pathOf(this.#kernel), pathOf(this.#initrd)];
  }

  /** `NAME=value`, for the program. */
  get variables(): readonly string[] {
    const [kernel, initrd] = this.paths;
    return [
      `LUO_KERNEL=${kernel}`,
      `LUO_INITRD=${initrd}`,
      `LUO_CMDLINE=${COMMAND_LINE}`,
    ];
  }

  [Symbol.dispose](): void {
    this.#kernel[Symbol.dispose]();
    this.#initrd[Symbol.dispose]();
  }
}

const standIn = Deno.build.arch === "aarch64" ? standInArm64Image : standInBzImage;

function memory(name: string, bytes: Uint8Array): HostFd {
  const fd = new HostFd(check(memfd_create(name, MFD_CLOEXEC), "create", name));
  writeAll({ fd: fd.number, name }, bytes);
  return fd;
}

/**
 * Whether an fd in /proc is such a file of luo. In the user namespace of a machine without root a program may not follow the
 * link: it has no rights over luo.
 */
export function isNextKernelFile({ pid, fd }: { readonly pid: number; readonly fd: number }): boolean {
  if (pid !== getpid()) return false;
  const text = readlink(`/proc/self/fd/${fd}`);
  return typeof text === "string" && NAMES.some((name) => text === `/memfd:${name} (deleted)`);
}

function pathOf({ number }: HostFd): string {
  return `/proc/${getpid()}/fd/${number}`;
}
