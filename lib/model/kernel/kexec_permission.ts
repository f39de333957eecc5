/** Who may load an image, and how often (kexec_load_permitted() of kernel/kexec_core.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import type { Ret } from "../../system_calls.ts";
import { read_integer } from "./sysctl_integer.ts";

type Kind = "reboot" | "panic";

/** The sysctls `kernel.kexec_load_disabled` and `kernel.kexec_load_limit_*` of one boot. */
export class KexecPermission {
  disabled = false;
  /** Calls that are left; -1: any number. */
  readonly left: Record<Kind, number> = { reboot: -1, panic: -1 };

  /** A call uses up one of those that are left, whether the call succeeds or not. */
  use(uid: number, kind: Kind): boolean {
    if (uid !== 0 || this.disabled || this.left[kind] === 0) return false;
    if (this.left[kind] > 0) this.left[kind]--;
    return true;
  }

  /** Accepts 1 only, and cannot be undone (proc_dointvec_minmax with both limits 1). The bytes that were taken; -errno. */
  disable(bytes: Uint8Array): Ret {
    const read = read_integer(bytes);
    if (typeof read === "number") return read;
    if (read.value === undefined) return read.taken;
    if (read.value !== 1) return -Errno.EINVAL;
    this.disabled = true;
    return read.taken;
  }

  /** kexec_limit_handler(): accepts a lower number only. Without a number Linux takes what its variable holds; 0 was seen. */
  limit(kind: Kind, bytes: Uint8Array): Ret {
    const read = read_integer(bytes);
    if (typeof read === "number") return read;
    const { value = 0, taken } = read;
    const left = this.left[kind];
    if (value < 0 || (left >= 0 && value >= left)) return -Errno.EINVAL;
    this.left[kind] = value;
    return taken;
  }
}
