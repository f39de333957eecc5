/** Counts the calls that load or unload an image, so that luo sees whether another program may have loaded one. */
import { O_CLOEXEC, O_RDONLY, O_WRONLY } from "../../ffi/abi/fcntl.ts";
import type { SystemCalls } from "../system_calls.ts";

/**
 * The number of such calls that are left in this boot. kexec_load_permitted() of kernel/kexec_core.c (Linux 6.3) lowers it before
 * kexec_load(2) and kexec_file_load(2) do anything else, whether they succeed or not. Crash kernels have a count of their own.
 */
const LEFT = "/proc/sys/kernel/kexec_load_limit_reboot";
const UNLIMITED = -1;
/** INT_MAX, the highest number that the kernel takes: nobody loads so often in one boot. */
const MANY = "2147483647\n";

/** Undefined: this kernel does not count, or this process may not make it count. Without a limit the kernel begins to count here. */
export function loadsLeft(sys: SystemCalls): number | undefined {
  const left = read(sys);
  if (left !== UNLIMITED) return left;
  // The kernel takes a lower number only, so this replaces no limit that another program sets meanwhile.
  begin(sys);
  const begun = read(sys);
  return begun === UNLIMITED ? undefined : begun;
}

function read(sys: SystemCalls): number | undefined {
  const fd = sys.open(LEFT, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return undefined;
  const text = new Uint8Array(16);
  const length = sys.read(fd, text);
  sys.close(fd);
  return length > 0 ? Number(new TextDecoder().decode(text.subarray(0, length))) : undefined;
}

function begin(sys: SystemCalls): void {
  const fd = sys.open(LEFT, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  sys.write(fd, new TextEncoder().encode(MANY));
  sys.close(fd);
}
