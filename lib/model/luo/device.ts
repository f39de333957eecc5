/**
 * `/dev/liveupdate` (kernel/liveupdate/luo_core.c): it can be open once at a time, and its first open reads the
 * incoming sessions.
 */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import * as luo from "../../../ffi/abi/liveupdate.ts";
import type { Ret } from "../../system_calls.ts";
import { type FileOperations, type Inode, opened_flags, OpenFile, stat } from "../fs/file.ts";
import { answer_with_fd, type Call, type Command, commands, luo_ioctl } from "./luo_ioctl.ts";
import type { Sessions } from "./session.ts";

export class LiveupdateDevice {
  readonly inode: Inode;
  readonly #commands: ReadonlyMap<number, Command<Sessions>>;
  #in_use = false;
  /** Result of reading the incoming sessions; undefined before the first open. A failure stays. */
  #deserialized: Ret | undefined;

  readonly sessions: Sessions;
  readonly deserialize: () => Ret;

  constructor(sessions: Sessions, deserialize: () => Ret, ino: bigint) {
    this.sessions = sessions;
    this.deserialize = deserialize;
    this.inode = { stat: () => stat({ dev: 5n, ino, mode: abi.S_IFCHR | 0o600 }) };
    this.#commands = device_commands(sessions.release.limits.name);
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
    ioctl: (caller, _file, request, argument) =>
      luo_ioctl(this.#commands, caller, this.sessions, request, argument),
    reopen: (_file, flags) => this.open(flags),
    // Sessions stay: they are fds of their own.
    release: () => {
      this.#in_use = false;
    },
  };
}

/** The commands of the device. `name` is the size of the struct's name buffer in bytes. */
function device_commands(name: number): ReadonlyMap<number, Command<Sessions>> {
  const size = luo.SESSION_STRUCT_SIZE - luo.LIVEUPDATE_SESSION_NAME_LENGTH + name;
  const field = (call: Call<Sessions>) => call.struct.subarray(8, 8 + name);
  return commands<Sessions>(
    {
      request: luo.LIVEUPDATE_IOCTL_CREATE_SESSION,
      size,
      min_size: size,
      run: (call) => answer_with_fd(call, () => call.target.create(field(call))),
    },
    {
      request: luo.LIVEUPDATE_IOCTL_RETRIEVE_SESSION,
      size,
      min_size: size,
      run: (call) => answer_with_fd(call, () => call.target.retrieve(field(call))),
    },
  );
}
