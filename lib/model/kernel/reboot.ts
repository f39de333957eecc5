/** reboot(2) (kernel/reboot.c, kernel/kexec_core.c): the end of a kernel, and the way into the next one. */
import { Errno } from "../../../ffi/abi/errno.ts";
import {
  LINUX_REBOOT_CMD_CAD_OFF,
  LINUX_REBOOT_CMD_KEXEC,
  LINUX_REBOOT_CMD_POWER_OFF,
  LINUX_REBOOT_CMD_RESTART,
} from "../../../ffi/abi/kexec.ts";
import type { Ret } from "../../system_calls.ts";
import { corrupt, lose_page } from "../kho/handover_faults.ts";
import type { Kho } from "../kho/kho.ts";
import type { System } from "./system.ts";

export function reboot(system: System, command: number): Ret {
  switch (command) {
    case LINUX_REBOOT_CMD_KEXEC:
      return kexec(system);
    case LINUX_REBOOT_CMD_RESTART:
      system.stop();
      system.hardware.restart();
      return 0;
    case LINUX_REBOOT_CMD_POWER_OFF:
      system.stop();
      system.hardware.power_off();
      return 0;
    case LINUX_REBOOT_CMD_CAD_OFF:
      return 0;
    default:
      return -Errno.EINVAL;
  }
}

/** kernel_kexec(): needs a loaded image; then liveupdate_reboot() may still refuse. After that there is no way back. */
function kexec(system: System): Ret {
  const { image, kho, luo, hardware } = system;
  if (image === undefined) return -Errno.EINVAL;
  const frozen = luo?.freeze() ?? 0;
  if (frozen < 0) return frozen;
  const finished = kho?.finish() ?? 0;
  if (finished < 0) {
    luo?.unfreeze();
    return finished;
  }
  luo?.serialize();
  const kept = kho === undefined ? [] : kept_frames(system, kho);
  system.printk("kexec_core: Starting new kernel");
  system.stop();
  hardware.ram.kexec(kept);
  hardware.kexec({
    release: image.release ?? system.release,
    command_line: image.command_line,
    handover: kho?.handover,
  });
  return 0;
}

/** The frames that the kexec keeps, after the faults that are to damage the handover. */
function kept_frames({ hardware: { faults } }: System, kho: Kho): (readonly [base: number, count: number])[] {
  lose_page(faults, kho);
  const kept = kho.kept();
  corrupt(faults, kho);
  return kept;
}
