/** Who may load an image, and how often (kexec_load_permitted() of kernel/kexec_core.c). */
import { Errno } from "../../../ffi/abi/errno.ts";

type Kind = "reboot" | "panic";

const INT_MAX = 0x7fffffff;

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

  /** Accepts 1 only, and cannot be undone (proc_dointvec_minmax with both limits 1). */
  disable(text: string): number | undefined {
    if (!/^\s*1\s*$/.test(text)) return -Errno.EINVAL;
    this.disabled = true;
    return undefined;
  }

  /** kexec_limit_handler(): accepts a lower number only. Without a number Linux takes what its variable holds; 0 was seen. */
  limit(kind: Kind, text: string): number | undefined {
    if (!/^\s*(-?\d+\s*)?$/.test(text)) return -Errno.EINVAL;
    const value = Number(text);
    const left = this.left[kind];
    if (value < 0 || value > INT_MAX || (left >= 0 && value >= left)) return -Errno.EINVAL;
    this.left[kind] = value;
    return undefined;
  }
}
