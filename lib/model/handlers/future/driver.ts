/** The devices and files of simulated drivers, which have no operation but ioctls. */
import { Errno } from "../../../../ffi/abi/errno.ts";
import * as abi from "../../../../ffi/abi/fcntl.ts";
import type { Ret, Stat, UserPointer } from "../../../system_calls.ts";
import { type Caller, type Inode, opened_flags, OpenFile, stat } from "../../fs/file.ts";
import type { Kho } from "../../kho/kho.ts";
import type { Handlers } from "../../luo/handler_registry.ts";
import type { Ram } from "../../memory/ram.ts";
import { UserBuffer } from "../../fs/user_memory.ts";

/** An ioctl. It gets the caller's struct, and writes the answer into it. */
export type Ioctl = (struct: DataView, caller: Caller) => Ret;

export interface DriverIoctl {
  /** Bytes of its struct. */
  readonly size: number;
  readonly run: Ioctl;
}

/** The ioctls of a file, by request. */
export type Ioctls = ReadonlyMap<number, DriverIoctl>;

export class DriverInode implements Inode {
  readonly ino: bigint;
  readonly mode: number;

  constructor(ino: bigint, mode: number) {
    this.ino = ino;
    this.mode = mode;
  }

  stat(): Stat {
    return stat({ dev: 5n, ino: this.ino, mode: this.mode });
  }
}

export function character_device(ino: bigint): DriverInode {
  return new DriverInode(ino, abi.S_IFCHR | 0o600);
}

/** Creates a file. Its `inode` holds the driver's state; `release` runs with the last reference. */
export function driver_file(
  inode: Inode,
  flags: number,
  link: string,
  ioctls: Ioctls,
  release?: () => void,
): OpenFile {
  const ioctl = (caller: Caller, _file: OpenFile, request: number, argument: UserPointer): Ret => {
    const found = ioctls.get(request >>> 0);
    return found === undefined ? -Errno.ENOTTY : run(found, caller, argument);
  };
  return new OpenFile(
    inode,
    release === undefined ? { ioctl } : { ioctl, release },
    opened_flags(flags),
    () => link,
  );
}

/** Runs an ioctl. The first u32 of each struct is its size, as the caller knows it. */
function run(
  { size, run }: DriverIoctl,
  caller: Caller,
  argument: UserPointer,
): Ret {
  const user = new UserBuffer(argument);
  const given = user.u32();
  if (given === undefined) return -Errno.EFAULT;
  if (given < size) return -Errno.EINVAL;
  const struct = user.struct(size, given);
  if (typeof struct === "number") return struct;
  const answer = run(new DataView(struct.buffer), caller);
  return answer < 0 ? answer : user.write(struct);
}

/** A character device of mode 0600 that belongs to root. */
export interface Driver {
  readonly inode: Inode;
  open(flags: number): OpenFile | Ret;
}

/** The parts of the kernel that a module gets when it is loaded. */
export interface Loading {
  readonly ram: Ram;
  new_ino(): bigint;
  /** Creates a device at a path. */
  add_device(path: string, driver: Driver): void;
  readonly kho: Kho;
  readonly handlers: Handlers;
}
