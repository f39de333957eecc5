/** Loads, unloads and executes the next kernel by the system calls. */
import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, KEXEC_FILE_UNLOAD, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { check, Errno, LuoError } from "../error.ts";
import type { Fd } from "../fd.ts";
import type { SystemCalls } from "../system_calls.ts";

/** An image to load. The fds may be closed after the load: the kernel has read the files. */
export interface Image {
  /** Opened read-only. */
  readonly kernel: Fd;
  /** Left out: the next kernel has no initramfs but its own. */
  readonly initrd?: Fd | undefined;
  /** Without a NUL. The next kernel has live update only with `liveupdate=on` in it: see `commandLineProblems`. */
  readonly commandLine: string;
}

/** A link to `/sys/kernel/kexec/loaded` in newer kernels. */
const KEXEC_LOADED = "/sys/kernel/kexec_loaded";

/**
 * Loads the next kernel by kexec_file_load(2); kexec_load(2) does not hand preserved memory over. The image replaces the one
 * loaded before; a load that fails keeps that one. Linux loads a truncated image without an error: see `checkImage`.
 *
 * @throws LuoError `kexec load`: ENOEXEC (x86: no bootable image), EINVAL (arm64: the same; x86: the command line is over
 * 2,016 bytes; not a regular file, or empty), EPERM, EBUSY, ETXTBSY (open for writing), EBADF, EADDRNOTAVAIL (does not fit the
 * scratch area), ENOMEM, ELIBBAD or EKEYREJECTED (signature)
 */
export function loadImage(sys: SystemCalls, image: Image): void {
  const cmdline = new TextEncoder().encode(`${image.commandLine}\0`);
  const flags = image.initrd === undefined ? KEXEC_FILE_NO_INITRAMFS : 0;
  const answer = sys.kexec_file_load(
    image.kernel.numberIn(sys),
    image.initrd === undefined ? -1 : image.initrd.numberIn(sys),
    BigInt(cmdline.length),
    cmdline,
    BigInt(flags),
  );
  check(answer, "kexec load", "the next kernel");
}

/**
 * Unloads the image, which is no error when none is loaded. Sessions stay as they are.
 *
 * @throws LuoError `kexec unload`: EPERM (also when kexec_load_disabled is set), EBUSY
 */
export function unloadImage(sys: SystemCalls): void {
  check(
    sys.kexec_file_load(-1, -1, 0n, null, BigInt(KEXEC_FILE_UNLOAD)),
    "kexec unload",
    "the next kernel",
  );
}

/**
 * Whether an image is loaded, by any program. The kernel does not tell which image, nor by which system call.
 *
 * @throws LuoError `open`: ENOENT (this kernel has no kexec, or /sys is not mounted)
 */
export function imageLoaded(sys: SystemCalls): boolean {
  const fd = check(sys.open(KEXEC_LOADED, O_RDONLY | O_CLOEXEC), "open", KEXEC_LOADED);
  try {
    const text = new Uint8Array(8);
    const length = check(sys.read(fd, text), "read", KEXEC_LOADED);
    return length > 0 && text[0] === "1".charCodeAt(0);
  } finally {
    sys.close(fd);
  }
}

/**
 * Executes the loaded kernel at once, with all outgoing sessions. File systems are not synced and processes not stopped.
 * **Does not return** when the kexec happens: on Linux this kernel ends, on the model `ProcessKilled` is thrown.
 *
 * @throws LuoError `kexec exec`: EINVAL (no image loaded, or not the first PID namespace), EPERM, EBUSY; or what a file's
 * handler gave when it could not freeze the file: then nothing is lost
 */
export function exec(sys: SystemCalls): never {
  check(sys.reboot(LINUX_REBOOT_CMD_KEXEC), "kexec exec", "the loaded kernel");
  throw new LuoError("kexec exec", "the loaded kernel", Errno.EIO, "The kernel came back from the kexec");
}
