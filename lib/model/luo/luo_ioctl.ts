/** The checks that all ioctls of the device and of sessions share (kernel/liveupdate/luo_core.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import type { Ret, UserPointer } from "../../system_calls.ts";
import type { Caller, OpenFile } from "../fs/file.ts";
import { UserBuffer } from "../fs/user_memory.ts";

/** One command of the device or of a session (`struct luo_ioctl_op`). */
export interface Command<T> {
  readonly request: number;
  /** Bytes of the struct in this kernel. `min_size` is the smallest struct that it accepts. */
  readonly size: number;
  readonly min_size: number;
  /** Checked before the sizes. A command for the other direction gives EINVAL. */
  readonly allowed?: (target: T) => boolean;
  readonly run: (call: Call<T>) => Ret;
}

/** A running command. `struct` is the kernel's copy of the caller's struct; `respond` copies it back. */
export interface Call<T> {
  readonly caller: Caller;
  readonly target: T;
  readonly struct: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  /** luo_ucmd_respond(): -EFAULT when the caller's struct cannot be written. */
  respond(): Ret;
}

/**
 * luo_ioctl() and luo_session_ioctl(): check the number, the size word, the whole request, the direction and the sizes,
 * in this order.
 */
export function luo_ioctl<T>(
  commands: ReadonlyMap<number, Command<T>>,
  caller: Caller,
  target: T,
  request: number,
  argument: UserPointer,
): Ret {
  const command = commands.get(request & 0xff);
  if (command === undefined) return -Errno.EINVAL;
  const user = new UserBuffer(argument);
  const size = user.u32();
  if (size === undefined) return -Errno.EFAULT;
  if (command.request !== request >>> 0) return -Errno.ENOTTY;
  if (command.allowed?.(target) === false) return -Errno.EINVAL;
  if (size < command.min_size) return -Errno.EINVAL;
  const struct = user.struct(command.size, size);
  if (typeof struct === "number") return struct;
  return command.run({
    caller,
    target,
    struct,
    view: new DataView(struct.buffer),
    respond: () => user.write(struct.subarray(0, Math.min(size, command.size))),
  });
}

/**
 * Gives the caller a new O_CLOEXEC fd for the file that `make` returns, and writes its number at offset 4 of the
 * answer. The number is chosen first, so EMFILE comes before any other error. When the answer cannot be written, the
 * file is put; its kind decides what that means.
 */
export function answer_with_fd<T>(call: Call<T>, make: () => OpenFile | Ret): Ret {
  const fd = call.caller.fds.unused();
  if (fd < 0) return fd;
  const file = make();
  if (typeof file === "number") return file;
  call.view.setInt32(4, fd, true);
  const answer = call.respond();
  if (answer < 0) file.put();
  else call.caller.fds.install(file, true);
  return answer;
}

/** A table of commands by the number in their request. */
export function commands<T>(...list: Command<T>[]): ReadonlyMap<number, Command<T>> {
  return new Map(list.map((command) => [command.request & 0xff, command]));
}
