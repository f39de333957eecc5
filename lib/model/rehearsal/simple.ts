/** Files of simulated drivers: nothing but ioctls. */
import { Errno } from "../../../ffi/abi/errno.ts";
import * as abi from "../../../ffi/abi/fcntl.ts";
import type { Ret, UserPointer } from "../../kernel.ts";
import { type Inode, opened_flags, OpenFile, stat } from "../file.ts";
import type { Process } from "../process.ts";
import { UserBuffer } from "../user_memory.ts";

/** One struct of the caller's, answered in place. */
export type Ioctl = (struct: DataView, process: Process) => Ret;

export interface DriverIoctl {
  /** Of its struct, in bytes. */
  readonly size: number;
  readonly run: Ioctl;
}

/** By request. */
export type Ioctls = ReadonlyMap<number, DriverIoctl>;

export class DriverInode implements Inode {
  constructor(readonly ino: bigint, readonly mode: number) {}

  stat() {
    return stat({ dev: 5n, ino: this.ino, mode: this.mode });
  }
}

export function character_device(ino: bigint): DriverInode {
  return new DriverInode(ino, abi.S_IFCHR | 0o600);
}

/** A handler finds the driver's own state in `inode`; `release` runs with the last reference. */
export function driver_file(inode: Inode, flags: number, link: string, ioctls: Ioctls, release?: () => void) {
  const ioctl = (process: Process, _file: OpenFile, request: number, argument: UserPointer): Ret => {
    const found = ioctls.get(request >>> 0);
    return found === undefined ? -Errno.ENOTTY : run(found, process, argument);
  };
  return new OpenFile(inode, { ioctl, release }, opened_flags(flags), () => link);
}

/** The first u32 of each struct is its size, as the caller knows it. */
function run(
  { size, run }: DriverIoctl,
  process: Process,
  argument: UserPointer,
): Ret {
  const user = new UserBuffer(argument);
  const given = user.u32();
  if (given === undefined) return -Errno.EFAULT;
  if (given < size) return -Errno.EINVAL;
  const struct = user.struct(size, given);
  if (typeof struct === "number") return struct;
  const answer = run(new DataView(struct.buffer), process);
  return answer < 0 ? answer : user.write(struct);
}
