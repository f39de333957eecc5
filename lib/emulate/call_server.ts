/** Answers each trapped call: reads the arguments and hands the call to the part of `lib/emulate` that knows it. */
import { Errno } from "../../ffi/abi/errno.ts";
import { F_ADD_SEALS, F_GETFL, F_SETFL, MAP_ANONYMOUS } from "../../ffi/abi/fcntl.ts";
import { LINUX_REBOOT_CMD_KEXEC } from "../../ffi/abi/kexec.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import type { Ret, SystemCalls } from "../system_calls.ts";
import { ARCHITECTURE, type Call } from "./trapped_calls.ts";
import { Ioctls } from "./ioctls.ts";
import { PathCalls } from "./path_calls.ts";
import type { EmulatedFds } from "./emulated_fds.ts";
import { PreservedFileCalls } from "./preserved_file_calls.ts";
import type { CallingProgram } from "./calling_program.ts";
import { type CallAnswer, int, long } from "./call_answer.ts";
import { DEVICE, encodeStat, encodeStatx, SESSION } from "./stat_structs.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const COMMAND_LINE_MAX = 1 << 16;
/** FIOCLEX, FIONCLEX, FIONBIO: ioctls about the fd, whatever file it refers to. */
const FD_REQUESTS = new Set([0x5451, 0x5450, 0x5421]);
const MAGIC = 0xfee1dead;
/** LINUX_REBOOT_MAGIC2, MAGIC2A, MAGIC2B, MAGIC2C (linux/reboot.h). */
const MAGIC2 = [672274793, 85072278, 369367448, 537993216];

/** The machine as the server needs it: init's system calls, and which files are preserved. */
export interface ServedMachine {
  readonly sys: SystemCalls;
  /** Whether the host's inode `dev:ino` is preserved. */
  isPreserved(identity: string): boolean;
}

/** Serves the trapped calls of one boot. */
export class CallServer {
  readonly #ioctls: Ioctls;
  readonly #sys: SystemCalls;
  readonly #preserved: PreservedFileCalls;
  readonly #names: PathCalls;

  constructor(
    readonly machine: ServedMachine,
    readonly program: CallingProgram,
    readonly objects: EmulatedFds,
  ) {
    this.#sys = machine.sys;
    this.#ioctls = new Ioctls(machine.sys, program, objects);
    const isPreserved = (identity: string) => machine.isPreserved(identity);
    this.#preserved = new PreservedFileCalls(machine.sys, program, objects, this.#ioctls, isPreserved);
    this.#names = new PathCalls(machine.sys, program, objects, this.#ioctls, this.#preserved);
  }

  /**
   * @throws ProcessKilled the call was the kexec, or a fault killed init: no process is left that waits for an answer
   */
  serve(name: Call, call: Notification): CallAnswer {
    const { tid, args: [a, b, c, d] } = call;
    switch (name) {
      case "open":
        return this.#names.open(call, AT_FDCWD, a, int(b));
      case "openat":
        return this.#names.open(call, int(a), b, int(c));
      case "openat2":
        return this.#names.openat2(call);
      case "stat":
      case "lstat":
        return this.#names.stat(tid, AT_FDCWD, a, name === "lstat" ? AT_SYMLINK_NOFOLLOW : 0, b, encodeStat);
      case "newfstatat":
        return this.#names.stat(tid, int(a), b, int(d), c, encodeStat);
      case "statx":
        return this.#names.stat(tid, int(a), b, int(c), call.args[4], encodeStatx);
      case "access":
        return this.#names.access(tid, AT_FDCWD, a, int(b));
      case "faccessat":
      case "faccessat2":
        return this.#names.access(tid, int(a), b, int(c));
      case "ioctl":
        return this.#ioctl(call);
      case "readlink":
        return this.#names.readlink(tid, AT_FDCWD, a, b, c);
      case "readlinkat":
        return this.#names.readlink(tid, int(a), b, c, d);
      case "read":
      case "pread64":
      case "lseek":
      case "mmap":
      case "fstat":
        return this.#emulated_fd_call(name, call);
      case "fcntl":
        return this.#fcntl(call);
      case "ftruncate":
        return this.#emulated_fd_call(name, call) ??
          this.#preserved.ask(tid, int(a), (fd) => this.#sys.ftruncate(fd, BigInt.asIntN(64, b)));
      case "fallocate":
        return this.#emulated_fd_call(name, call) ??
          this.#preserved.ask(tid, int(a), (fd) => this.#sys.fallocate(fd, int(b), long(c), long(d)));
      case "write":
        return this.#emulated_fd_call(name, call) ??
          this.#preserved.ask(tid, int(a), (fd) => this.#preserved.write(tid, fd, b, c, undefined));
      case "pwrite64":
        return this.#preserved.ask(tid, int(a), (fd) => this.#preserved.write(tid, fd, b, c, long(d)));
      case "writev":
      case "pwritev":
      case "pwritev2":
        return this.#preserved.ask(tid, int(a), (fd) => this.#preserved.writev(tid, fd, b, int(c), name, d));
      case "sendfile":
        return this.#preserved.ask(tid, int(a), (fd) => this.#preserved.sendfile(call, fd));
      case "madvise":
        return this.#preserved.madvise(tid, a, b);
      case "symlink":
      case "symlinkat":
      case "rename":
      case "renameat":
      case "renameat2":
        return this.#names.changed();
      case "chroot":
        return this.#names.chroot();
      case "uname":
        return this.#names.uname(tid, a);
      case "kexec_file_load":
        return this.#kexec_file_load(call);
      case "reboot":
        return this.#reboot(call);
    }
  }

  #fcntl({ tid, args: [fd, command, argument] }: Notification): CallAnswer {
    if (int(command) === F_ADD_SEALS) {
      return this.#preserved.ask(
        tid,
        int(fd),
        (adopted) => this.#sys.fcntl(adopted, F_ADD_SEALS, int(argument)),
      );
    }
    if (int(command) !== F_GETFL && int(command) !== F_SETFL) return undefined;
    const object = this.objects.find(tid, int(fd));
    const answer = object && this.#sys.fcntl(object.model_fd, int(command), int(argument));
    // F_SETFL runs on the host as well: without O_NONBLOCK on the socket, its reads would block.
    return int(command) === F_GETFL ? answer : undefined;
  }

  /** The model answers for emulated fds. The host also runs the ioctls that change the fd itself. */
  #ioctl(call: Notification): CallAnswer {
    const object = this.objects.find(call.tid, int(call.args[0]));
    if (object === undefined) return undefined;
    const answer = this.#ioctls.serve(call, object);
    // The model runs FIONBIO as well: F_GETFL returns the model's flags.
    return FD_REQUESTS.has(Number(call.args[1] & 0xffff_ffffn)) ? undefined : answer;
  }

  /** File calls on an emulated fd. The model answers; the host would answer for the socket underneath. */
  #emulated_fd_call(name: Call, { tid, args: [a, b, c, d, e] }: Notification): CallAnswer {
    const object = this.objects.find(tid, int(name === "mmap" ? e : a));
    if (object === undefined || (name === "mmap" && int(d) & MAP_ANONYMOUS)) return undefined;
    const fd = object.model_fd;
    const nothing = new Uint8Array(1);
    switch (name) {
      case "read":
        return this.#sys.read(fd, nothing);
      case "pread64":
        return this.#sys.pread(fd, nothing, 0n);
      case "write":
        return this.#sys.write(fd, nothing);
      case "lseek":
        return Number(this.#sys.lseek(fd, long(b), int(c)));
      case "ftruncate":
        return this.#sys.ftruncate(fd, long(b));
      case "fallocate":
        return this.#sys.fallocate(fd, int(b), long(c), long(d));
      case "mmap":
        return -Errno.ENODEV;
      case "fstat":
        return this.program.write(tid, b, encodeStat(object.kind === "device" ? DEVICE : SESSION));
    }
  }

  #kexec_file_load({ tid, args: [kernel, initrd, length, address, flags] }: Notification): Ret {
    const [kernel_fd, initrd_fd] = [
      this.#ioctls.adopt(tid, int(kernel)),
      this.#ioctls.adopt(tid, int(initrd)),
    ];
    const wanted = Number(length < COMMAND_LINE_MAX ? length : COMMAND_LINE_MAX);
    const bytes = this.program.bytes(tid, address, wanted);
    const line = typeof bytes === "number" ? null : { bytes, writable: true };
    const answer = this.#sys.kexec_file_load(kernel_fd, initrd_fd, length, line, flags);
    for (const fd of [kernel_fd, initrd_fd]) if (fd >= 0) this.#sys.close(fd);
    return answer;
  }

  #reboot({ args: [magic, magic2, command] }: Notification): Ret {
    const [one, two] = [Number(BigInt.asUintN(32, magic)), Number(BigInt.asUintN(32, magic2))];
    if (one !== MAGIC || !MAGIC2.includes(two)) return -Errno.EINVAL;
    const wanted = Number(BigInt.asUintN(32, command));
    return wanted === LINUX_REBOOT_CMD_KEXEC ? this.#sys.reboot(LINUX_REBOOT_CMD_KEXEC) : -Errno.EPERM;
  }
}

/** The calls' names by number. */
export const CALLS: ReadonlyMap<number, Call> = new Map(
  (Object.entries(ARCHITECTURE.calls) as [Call, { nr: number }][]).map(([name, { nr }]) => [nr, name]),
);
