/** ioctl(2): what the VFS answers before a file is asked (fs/ioctl.c), and the checks all LUO commands share (luo_core.c). */
import { Errno } from "../../ffi/abi/errno.ts";
import * as abi from "../../ffi/abi/fcntl.ts";
import type { Ret, UserPointer } from "../kernel.ts";
import type { OpenFile } from "./file.ts";
import type { Process } from "./process.ts";
import { UserBuffer } from "./user_memory.ts";

const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;
const FIONBIO = 0x5421;
const FIONREAD = 0x541b;
const FIOASYNC = 0x5452;
/** What F_SETFL and FIOASYNC set; O_ASYNC to programs. */
const FASYNC = 0o20000;

/** do_vfs_ioctl(): undefined when the request is the file's own business. */
export function generic_ioctl(
  process: Process,
  fd: number,
  file: OpenFile,
  request: number,
  argument: UserPointer,
): Ret | undefined {
  switch (request) {
    case FIOCLEX:
    case FIONCLEX:
      process.fds.set_cloexec(fd, request === FIOCLEX);
      return 0;
    case FIONBIO: {
      const on = new UserBuffer(argument).u32();
      if (on === undefined) return -Errno.EFAULT;
      file.flags = on ? file.flags | abi.O_NONBLOCK : file.flags & ~abi.O_NONBLOCK;
      return 0;
    }
    case FIOASYNC: {
      const on = new UserBuffer(argument).u32();
      if (on === undefined) return -Errno.EFAULT;
      if ((on !== 0) === ((file.flags & FASYNC) !== 0)) return 0;
      // Only files with a fasync operation take it: of those here, pipes and sockets.
      const type = file.inode.stat().mode & abi.S_IFMT;
      if (type !== abi.S_IFIFO && type !== abi.S_IFSOCK) return -Errno.ENOTTY;
      file.flags ^= FASYNC;
      return 0;
    }
    case FIONREAD: {
      const stat = file.inode.stat();
      if ((stat.mode & abi.S_IFMT) !== abi.S_IFREG) return undefined;
      const left = new Uint8Array(4);
      new DataView(left.buffer).setInt32(0, Number(BigInt.asIntN(32, stat.size - file.position)), true);
      return new UserBuffer(argument).write(left);
    }
  }
}

/** One command of the device or of a session (`struct luo_ioctl_op`). */
export interface Command<T> {
  readonly request: number;
  /** Bytes of the struct as this kernel knows it, and the fewest it takes. */
  readonly size: number;
  readonly min_size: number;
  /** Checked before the sizes: a command for the other direction gives EINVAL. */
  readonly allowed?: (target: T) => boolean;
  readonly run: (call: Call<T>) => Ret;
}

/** A command under way. `struct` is the kernel's copy of the caller's struct; `respond` copies it back. */
export interface Call<T> {
  readonly process: Process;
  readonly target: T;
  readonly struct: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  /** luo_ucmd_respond(): -EFAULT when the caller's struct cannot be written. */
  respond(): Ret;
}

/** luo_ioctl() and luo_session_ioctl(): number, size word, whole request, direction, sizes, in this order. */
export function luo_ioctl<T>(
  commands: ReadonlyMap<number, Command<T>>,
  process: Process,
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
    process,
    target,
    struct,
    view: new DataView(struct.buffer),
    respond: () => user.write(struct.subarray(0, Math.min(size, command.size))),
  });
}

/**
 * A new O_CLOEXEC fd for the file `make` gives, its number written at offset 4 of the answer. The fd is allocated first, so that
 * EMFILE comes before any other error; when the answer cannot be written, the file is put again: what that means is the file's.
 */
export function answer_with_fd<T>(call: Call<T>, make: () => OpenFile | Ret): Ret {
  const fd = call.process.fds.unused();
  if (fd < 0) return fd;
  const file = make();
  if (typeof file === "number") return file;
  call.view.setInt32(4, fd, true);
  const answer = call.respond();
  if (answer < 0) file.put();
  else call.process.fds.install(file, true);
  return answer;
}

export function commands<T>(...list: Command<T>[]): ReadonlyMap<number, Command<T>> {
  return new Map(list.map((command) => [command.request & 0xff, command]));
}
