/** ioctl(2): the requests that the VFS answers itself, before it calls the file's own ioctl (fs/ioctl.c). */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret, UserPointer } from "../../system_calls.ts";
import type { Caller, OpenFile } from "./file.ts";
import { UserBuffer } from "./user_memory.ts";

const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;
const FIONBIO = 0x5421;
const FIONREAD = 0x541b;
const FIOASYNC = 0x5452;
/** The flag that F_SETFL and FIOASYNC set. Programs call it O_ASYNC. */
const FASYNC = 0o20000;

/** do_vfs_ioctl(): undefined when the file itself must answer. */
export function generic_ioctl(
  caller: Caller,
  fd: number,
  file: OpenFile,
  request: number,
  argument: UserPointer,
): Ret | undefined {
  switch (request) {
    case FIOCLEX:
    case FIONCLEX:
      caller.fds.set_cloexec(fd, request === FIOCLEX);
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
      // Only files with a fasync operation accept it: of the model's files, pipes and sockets.
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
  return undefined;
}
