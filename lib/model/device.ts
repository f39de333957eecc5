/** `/dev/liveupdate` (kernel/liveupdate/luo_core.c): one open at a time; reads what was handed over at the first. */
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import * as luo from "../../ffi/abi/liveupdate.ts";
import type { Ret } from "../kernel.ts";
import { type FileOperations, type Inode, opened_flags, OpenFile, stat } from "./file.ts";
import { answer_with_fd, type Call, commands, luo_ioctl } from "./ioctl.ts";
import type { Sessions } from "./session.ts";

export class LiveupdateDevice {
  readonly inode: Inode;
  #in_use = false;
  /** The answer of the deserialization, once it was tried: a failure sticks. */
  #deserialized: Ret | undefined;

  constructor(readonly sessions: Sessions, readonly deserialize: () => Ret, ino: bigint) {
    this.inode = { stat: () => stat({ dev: 5n, ino, mode: abi.S_IFCHR | 0o600 }) };
  }

  open(flags: number): OpenFile | Ret {
    if (this.#in_use) return -Errno.EBUSY;
    this.#deserialized ??= this.deserialize();
    if (this.#deserialized < 0) return this.#deserialized;
    this.#in_use = true;
    return new OpenFile(this.inode, this.#operations, opened_flags(flags), () => luo.LIVEUPDATE_DEVICE);
  }

  readonly #operations: FileOperations = {
    positioned: true,
    ioctl: (process, _file, request, argument) =>
      luo_ioctl(device_commands, process, this.sessions, request, argument),
    reopen: (_file, flags) => this.open(flags),
    // Sessions live on: they are fds of their own.
    release: () => {
      this.#in_use = false;
    },
  };
}

const device_commands = commands<Sessions>(
  {
    request: luo.LIVEUPDATE_IOCTL_CREATE_SESSION,
    size: luo.SESSION_STRUCT_SIZE,
    min_size: luo.SESSION_STRUCT_SIZE,
    run: (call) => answer_with_fd(call, () => call.target.create(name_field(call))),
  },
  {
    request: luo.LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
    size: luo.SESSION_STRUCT_SIZE,
    min_size: luo.SESSION_STRUCT_SIZE,
    run: (call) => answer_with_fd(call, () => call.target.retrieve(name_field(call))),
  },
);

function name_field(call: Call<Sessions>): Uint8Array {
  return call.struct.subarray(8, 8 + luo.LIVEUPDATE_SESSION_NAME_LENGTH);
}
