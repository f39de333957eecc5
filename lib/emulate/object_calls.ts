/** Calls on the device and session fds themselves: ioctl, fcntl, reading, mapping. The host would answer for the memfd. */
import { Errno } from "../../ffi/abi/errno.ts";
import { F_ADD_SEALS, F_GET_SEALS, F_GETFL, F_SETFL, MAP_ANONYMOUS } from "../../ffi/abi/fcntl.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import type { SystemCalls } from "../system_calls.ts";
import { type CallAnswer, type Handlers, int, long } from "./call_answer.ts";
import type { EmulatedFds } from "./emulated_fds.ts";
import type { Ioctls } from "./ioctls.ts";
import type { PreservedFiles } from "./preserved_files.ts";

/** FIOCLEX, FIONCLEX, FIONBIO: ioctls about the fd, whatever file it refers to. */
const FD_REQUESTS = new Set([0x5451, 0x5450, 0x5421]);

const F_SETLEASE = 1024;

export class ObjectCalls {
  constructor(
    readonly sys: SystemCalls,
    readonly objects: EmulatedFds,
    readonly ioctls: Ioctls,
    readonly preserved: PreservedFiles,
  ) {}

  readonly handlers: Handlers<
    | ("ioctl" | "fcntl" | "read" | "pread64" | "readv" | "preadv" | "preadv2" | "lseek" | "mmap")
    | ("fsync" | "fdatasync" | "sync_file_range" | "readahead")
  > = {
    ioctl: (call) => this.#ioctl(call),
    fcntl: (call) => this.#fcntl(call),
    read: (call) => this.#read(call, undefined),
    pread64: (call) => this.#read(call, long(call.args[3])),
    readv: (call) => this.#read(call, undefined),
    preadv: (call) => this.#read(call, long(call.args[3])),
    preadv2: (call) => this.#read(call, long(call.args[3]) === -1n ? undefined : long(call.args[3])),
    lseek: ({ tid, args: [fd, offset, whence] }) => {
      const object = this.objects.find(tid, int(fd));
      return object && Number(this.sys.lseek(object.model_fd, long(offset), int(whence)));
    },
    mmap: (call) => this.#mmap(call),
    // Neither the device nor a session has an operation for these, and neither is a regular file.
    fsync: (call) => this.#refuse(call, Errno.EINVAL),
    fdatasync: (call) => this.#refuse(call, Errno.EINVAL),
    readahead: (call) => this.#refuse(call, Errno.EINVAL),
    sync_file_range: (call) => this.#refuse(call, Errno.ESPIPE),
  };

  #refuse({ tid, args: [fd] }: Notification, errno: number): CallAnswer {
    const object = this.objects.find(tid, int(fd));
    return object && (object.path_only ? -Errno.EBADF : -errno);
  }

  /** The model answers. The host also runs the ioctls that change the fd itself. */
  #ioctl(call: Notification): CallAnswer {
    const object = this.objects.find(call.tid, int(call.args[0]));
    if (object === undefined) return undefined;
    const answer = this.ioctls.serve(call, object);
    // The model runs FIONBIO as well: F_GETFL returns the model's flags.
    return FD_REQUESTS.has(Number(call.args[1] & 0xffff_ffffn)) ? undefined : answer;
  }

  #fcntl({ tid, args: [fd, raw, argument] }: Notification): CallAnswer {
    const command = int(raw);
    if (command === F_ADD_SEALS) {
      const object = this.objects.find(tid, int(fd));
      if (object !== undefined) return this.sys.fcntl(object.model_fd, command, int(argument));
      return this.preserved.ask(tid, int(fd), (copy) => this.sys.fcntl(copy, F_ADD_SEALS, int(argument)));
    }
    if (![F_GETFL, F_SETFL, F_GET_SEALS, F_SETLEASE].includes(command)) return undefined;
    const object = this.objects.find(tid, int(fd));
    if (command === F_SETLEASE) return object && -Errno.EINVAL;
    const answer = object && this.sys.fcntl(object.model_fd, command, int(argument));
    // F_SETFL runs on the host as well, for those who look at the fd in /proc.
    return command === F_SETFL ? undefined : answer;
  }

  #read({ tid, args: [fd] }: Notification, offset: bigint | undefined): CallAnswer {
    const object = this.objects.find(tid, int(fd));
    if (object === undefined) return undefined;
    if (offset !== undefined && offset < 0n) return -Errno.EINVAL;
    const byte = new Uint8Array(1);
    return offset === undefined
      ? this.sys.read(object.model_fd, byte)
      : this.sys.pread(object.model_fd, byte, offset);
  }

  /** An fd of O_PATH gives EBADF, any other ENODEV. */
  #mmap({ tid, args: [, , , flags, fd] }: Notification): CallAnswer {
    if (int(flags) & MAP_ANONYMOUS) return undefined;
    const object = this.objects.find(tid, int(fd));
    if (object === undefined) return undefined;
    return this.sys.read(object.model_fd, new Uint8Array(1)) === -Errno.EBADF ? -Errno.EBADF : -Errno.ENODEV;
  }
}
