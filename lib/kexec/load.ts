import { O_CLOEXEC, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import { KEXEC_FILE_NO_INITRAMFS, KEXEC_FILE_UNLOAD, LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import { check } from "../error.ts";
import type { Fd } from "../fd.ts";
import type { SystemCalls } from "../system_calls.ts";

/** An image to load. The fds may be closed afterwards: the kernel has read them. */
export interface Image {
  readonly kernel: Fd | number;
  readonly initrd?: Fd | number;
  /** Without a NUL. The next kernel has live update only with `liveupdate=on` in it: see `commandLineProblems`. */
  readonly commandLine: string;
}

/** A link to `/sys/kernel/kexec/loaded` in newer kernels. */
const KEXEC_LOADED = "/sys/kernel/kexec_loaded";

/**
 * Loads the next kernel by kexec_file_load(2), the only way on which preserved memory travels. It replaces the image loaded
 * before; a load that fails keeps it. A cut-off image is loaded without complaint: see `checkImage`.
 *
 * @throws LuoError `kexec load`: ENOEXEC (x86: no bootable image), EINVAL (arm64: the same; the command line is over 2,016
 * bytes; not a regular file, or empty), EPERM, EBUSY, ETXTBSY (open for writing), EBADF, EADDRNOTAVAIL (does not fit the
 * scratch area), ENOMEM, ELIBBAD or EKEYREJECTED (signature)
 */
export function loadImage(sys: SystemCalls, image: Image): void {
  const cmdline = new TextEncoder().encode(`${image.commandLine}\0`);
  const flags = image.initrd === undefined ? KEXEC_FILE_NO_INITRAMFS : 0;
  const answer = sys.kexec_file_load(
    number(image.kernel),
    image.initrd === undefined ? -1 : number(image.initrd),
    BigInt(cmdline.length),
    cmdline,
    BigInt(flags),
  );
  check(answer, "kexec load", "the next kernel");
}

/**
 * Forgets the loaded image; none loaded is no error. Sessions are not touched.
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
 * Whether an image is loaded, by whomever: the kernel does not say which, nor whether by kexec_file_load(2).
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
 * Goes into the loaded kernel, now, with all outgoing sessions. Nothing is synced and nobody is stopped first. **Does not
 * return** when it works: on Linux the next instruction is in the next kernel, on the model `ProcessKilled` is thrown.
 *
 * @throws LuoError `kexec exec`: EINVAL (no image loaded, or not the first PID namespace), EPERM, EBUSY; or what a file's
 * handler gave when it could not freeze it: nothing is lost then
 */
export function exec(sys: SystemCalls): void {
  check(sys.reboot(LINUX_REBOOT_CMD_KEXEC), "kexec exec", "the loaded kernel");
}

function number(fd: Fd | number): number {
  return typeof fd === "number" ? fd : fd.number;
}
