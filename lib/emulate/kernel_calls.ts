/** Calls about the kernel itself: its name, loading the next one, and the kexec. */
import { Errno } from "../../ffi/abi/errno.ts";
import { LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { encodeUtsname } from "../../ffi/abi/stat.ts";
import { inPersonality, personalityOf } from "./personality.ts";
import { uname } from "../../ffi/system.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import type { CallingProgram } from "./calling_program.ts";
import { CAP_SYS_BOOT } from "./credentials.ts";
import type { EmulatedFds } from "./emulated_fds.ts";
import { HostNames } from "./host_names.ts";
import type { Ioctls } from "./ioctls.ts";
import { AGAIN } from "./number_watch.ts";

const COMMAND_LINE_MAX = 1 << 16;
/** linux/kexec.h */
const [KEXEC_FILE_UNLOAD, KEXEC_FILE_ON_CRASH, KEXEC_FILE_UNKNOWN] = [1n, 2n, 1n << 32n];
const KEXEC_ON_CRASH = 1n;
const KEXEC_SEGMENT_MAX = 16n;
/** KEXEC_ON_CRASH, KEXEC_PRESERVE_CONTEXT, KEXEC_UPDATE_ELFCOREHDR, KEXEC_CRASH_HOTPLUG_SUPPORT. */
const [KEXEC_FLAGS, KEXEC_ARCH_MASK] = [0xfn, 0xffff_0000n];
/** KEXEC_ARCH_X86_64, KEXEC_ARCH_AARCH64: the ELF machine, shifted by 16. */
const KEXEC_ARCH = { x86_64: 62n << 16n, aarch64: 183n << 16n } as const;
const [PR_GET_SECCOMP, PR_SET_SECCOMP, SECCOMP_MODE_FILTER] = [21, 22, 2];
/** linux/reboot.h: LINUX_REBOOT_MAGIC1; MAGIC2, MAGIC2A, MAGIC2B, MAGIC2C. */
const MAGIC = 0xfee1dead;
const MAGIC2 = [672274793, 85072278, 369367448, 537993216];
const [CMD_RESTART, CMD_HALT, CMD_POWER_OFF, CMD_SW_SUSPEND] = [
  0x01234567,
  0xcdef0123,
  0x4321fedc,
  0xd000fce2,
];
const [CMD_CAD_ON, CMD_CAD_OFF, CMD_RESTART2] = [0x89abcdef, 0, 0xa1b2c3d4];

export class KernelCalls {
  readonly #names: HostNames;

  constructor(
    readonly sys: SystemCalls,
    readonly program: CallingProgram,
    readonly objects: EmulatedFds,
    readonly ioctls: Ioctls,
  ) {
    this.#names = new HostNames(program);
  }

  readonly handlers: Handlers<
    | "uname"
    | "sethostname"
    | "setdomainname"
    | "prctl"
    | "kexec_load"
    | "kexec_file_load"
    | "reboot"
    | "userfaultfd"
    | "io_uring_setup"
  > = {
    uname: ({ tid, args: [address] }) => this.#uname(tid, address),
    sethostname: (call) => this.#names.set(call, "nodename"),
    setdomainname: (call) => this.#names.set(call, "domainname"),
    prctl: (call) => this.#prctl(call),
    kexec_load: (call) => this.#kexec_load(call),
    kexec_file_load: (call) => this.#kexec_file_load(call),
    reboot: (call) => this.#reboot(call),
    userfaultfd: ({ tid }) => this.program.fillsMemory(tid),
    // As with the sysctl kernel.io_uring_disabled=2.
    io_uring_setup: () => -Errno.EPERM,
  };

  #prctl({ tid, args: [option, mode] }: Notification): CallAnswer {
    const { watch } = this.program;
    switch (int(option)) {
      case PR_GET_SECCOMP:
        // A filter besides luo's is the program's own.
        return this.program.credentials(tid).filters > 1 + watch.filters(tid) ? SECCOMP_MODE_FILTER : 0;
      case PR_SET_SECCOMP:
        // The program's filter could forbid the guard's.
        return int(mode) === SECCOMP_MODE_FILTER && watch.everything(tid) ? AGAIN : undefined;
    }
    return undefined;
  }

  /** The host's answer with the model's release and version. */
  #uname(tid: number, address: bigint): Ret {
    const { release, version } = this.sys.uname();
    const { nodename = uname().nodename, domainname } = this.#names.of(tid);
    const whole = { ...uname(), nodename, release, version };
    return this.program.write(
      tid,
      address,
      encodeUtsname(inPersonality(personalityOf(tid), whole), domainname),
    );
  }

  /** Without segments it unloads the image. The model cannot run segments: EPERM, as a locked-down kernel says. */
  #kexec_load({ tid, args: [, segments, , flags] }: Notification): Ret {
    if (!this.program.credentials(tid).has(CAP_SYS_BOOT)) return -Errno.EPERM;
    const crash = flags & KEXEC_ON_CRASH ? KEXEC_FILE_ON_CRASH : 0n;
    // A refused call uses up one of kernel.kexec_load_limit_* too, before its arguments are looked at.
    const ask = (more: bigint) => this.sys.kexec_file_load(-1, -1, 0n, null, crash | more);
    const architecture = flags & KEXEC_ARCH_MASK;
    const known = architecture === 0n || architecture === KEXEC_ARCH[Deno.build.arch];
    if ((flags & ~KEXEC_ARCH_MASK & ~KEXEC_FLAGS) !== 0n || segments > KEXEC_SEGMENT_MAX || !known) {
      return ask(KEXEC_FILE_UNKNOWN);
    }
    if (segments === 0n) return ask(KEXEC_FILE_UNLOAD);
    ask(KEXEC_FILE_UNKNOWN);
    return -Errno.EPERM;
  }

  #kexec_file_load({ tid, args: [kernel, initrd, length, address, flags] }: Notification): Ret {
    if (!this.program.credentials(tid).has(CAP_SYS_BOOT)) return -Errno.EPERM;
    const wanted = Number(length < COMMAND_LINE_MAX ? length : COMMAND_LINE_MAX);
    // Read before luo takes copies of the fds: when the page is not populated, the call is served again from its start.
    const bytes = this.program.bytes(tid, address, wanted);
    const fds = [this.#modelFd(tid, int(kernel)), this.#modelFd(tid, int(initrd))] as const;
    const line = typeof bytes === "number" ? null : { bytes, writable: true };
    const answer = this.sys.kexec_file_load(fds[0].fd, fds[1].fd, length, line, flags);
    for (const { fd, adopted } of fds) if (adopted && fd >= 0) this.sys.close(fd);
    return answer;
  }

  /** The device and sessions have an fd in the model already. */
  #modelFd(tid: number, fd: number): { fd: number; adopted: boolean } {
    const object = this.objects.find(tid, fd);
    if (object !== undefined) return { fd: object.model_fd, adopted: false };
    return { fd: this.ioctls.adopt(tid, fd), adopted: true };
  }

  #reboot({ tid, args: [magic, magic2, command, argument] }: Notification): CallAnswer {
    const credentials = this.program.credentials(tid);
    // kernel/pid_namespace.c: reboot_pid_ns(). The host ends the init of a namespace that a program made, and nothing else.
    if (credentials.inPidNamespace) return undefined;
    if (!credentials.has(CAP_SYS_BOOT)) return -Errno.EPERM;
    const [one, two, wanted] = [magic, magic2, command].map((word) => Number(BigInt.asUintN(32, word)));
    if (one !== MAGIC || !MAGIC2.includes(two ?? 0)) return -Errno.EINVAL;
    switch (wanted) {
      case LINUX_REBOOT_CMD_KEXEC:
        return this.sys.reboot(LINUX_REBOOT_CMD_KEXEC);
      case CMD_CAD_ON:
      case CMD_CAD_OFF:
        return 0;
      case CMD_RESTART2:
        return typeof this.program.path(tid, argument) === "number" ? -Errno.EFAULT : -Errno.EPERM;
      case CMD_RESTART:
      case CMD_HALT:
      case CMD_POWER_OFF:
      case CMD_SW_SUSPEND:
        return -Errno.EPERM;
      default:
        return -Errno.EINVAL;
    }
  }
}
