/** Whether the previous kernel handed live update data to the running one, as debugfs or the kernel's log tells. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_CLOEXEC, O_NONBLOCK, O_RDONLY } from "../../ffi/abi/fcntl.ts";
import type { SystemCalls } from "../system_calls.ts";

/** The data of live update that was handed over (kernel/liveupdate/kexec_handover_debugfs.c). */
const HANDED_OVER = "/sys/kernel/debug/kho/in/sub_fdts/LUO";

/** luo_early_startup() in kernel/liveupdate/luo_core.c prints this; a facility of 0 means that the kernel itself wrote the line. */
const KERNEL_SAYS = /^[0-7],[^;]*;luo: Retrieved live update data/;

/** CONSOLE_EXT_LOG_MAX: no record of /dev/kmsg is longer. */
const LINE_BYTES = 8192;

/** False also when neither debugfs nor the log can be read: a cold boot must not look like a live update. */
export function wasHandedOver(sys: SystemCalls): boolean {
  const fd = sys.open(HANDED_OVER, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return logTells(sys);
  sys.close(fd);
  return true;
}

function logTells(sys: SystemCalls): boolean {
  const fd = sys.open("/dev/kmsg", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  const line = new Uint8Array(LINE_BYTES);
  const decoder = new TextDecoder();
  try {
    while (true) {
      const got = sys.read(fd, line);
      // The kernel overwrote the oldest lines: the next read gives the oldest that is left.
      if (got === -Errno.EPIPE) continue;
      if (got <= 0) return false;
      if (KERNEL_SAYS.test(decoder.decode(line.subarray(0, got)))) return true;
    }
  } finally {
    sys.close(fd);
  }
}
