/** syslog(2): reads and clears the log of the machine's kernel, never the host's. */
import { Errno } from "../../ffi/abi/errno.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { read_text } from "../../ffi/proc.ts";
import type { Ret } from "../system_calls.ts";
import { type Handlers, int } from "./call_answer.ts";
import type { CallingProgram } from "./calling_program.ts";
import { CAP_SYSLOG, type Credentials } from "./credentials.ts";
import type { KernelLog } from "./kernel_log.ts";

/** include/linux/syslog.h */
const [CLOSE, OPEN, READ, READ_ALL, READ_CLEAR, CLEAR] = [0, 1, 2, 3, 4, 5];
const [CONSOLE_OFF, CONSOLE_ON, CONSOLE_LEVEL, SIZE_UNREAD, SIZE_BUFFER] = [6, 7, 8, 9, 10];
/** CONFIG_LOG_BUF_SHIFT=18 */
const LOG_SIZE = 1 << 18;
const CONSOLE_LEVELS = 8;

export class SyslogCalls {
  constructor(readonly program: CallingProgram, readonly log: KernelLog) {}

  readonly handlers: Handlers<"syslog"> = { syslog: (call) => this.#syslog(call) };

  #syslog(call: Notification): Ret {
    const [action, size] = [int(call.args[0]), int(call.args[2])];
    if (!mayRead(this.program.credentials(call.tid), action)) return -Errno.EPERM;
    switch (action) {
      case CLOSE:
      case OPEN:
      case CONSOLE_OFF:
      case CONSOLE_ON:
        return 0;
      case READ:
        return this.#take(call);
      case READ_ALL:
        return this.#read(call, (most) => this.log.newest(most));
      case READ_CLEAR: {
        const answer = this.#read(call, (most) => this.log.newest(most));
        if (answer > 0) this.log.clear();
        return answer;
      }
      case CLEAR:
        this.log.clear();
        return 0;
      case CONSOLE_LEVEL:
        return size >= 1 && size <= CONSOLE_LEVELS ? 0 : -Errno.EINVAL;
      case SIZE_UNREAD:
        return this.log.unread;
      case SIZE_BUFFER:
        return LOG_SIZE;
    }
    return -Errno.EINVAL;
  }

  /** Linux waits where there is no record. */
  #take({ tid, args: [, address, raw] }: Notification): Ret {
    if (address === 0n || int(raw) < 0) return -Errno.EINVAL;
    return this.log.take(int(raw), (at, bytes) => this.program.write(tid, address + BigInt(at), bytes));
  }

  #read({ tid, args: [, address, raw] }: Notification, text: (size: number) => Uint8Array): Ret {
    const size = int(raw);
    if (address === 0n || size < 0) return -Errno.EINVAL;
    if (size === 0) return 0;
    const bytes = text(size);
    const written = this.program.write(tid, address, bytes);
    return written < 0 ? written : bytes.length;
  }
}

/** kernel/printk/printk.c: check_syslog_permissions(). */
export function mayRead(credentials: Credentials, action = READ_ALL): boolean {
  const restricted = read_text("/proc/sys/kernel/dmesg_restrict") !== "0\n";
  const forAll = action === READ_ALL || action === SIZE_BUFFER;
  return (forAll && !restricted) || credentials.has(CAP_SYSLOG);
}
