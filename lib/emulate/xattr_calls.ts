/** Extended attributes of the device and of sessions, in all three generations of calls. */
import { Errno } from "../../ffi/abi/errno.ts";
import { encodeOsText } from "../../ffi/abi/os_text.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { AT_EMPTY_PATH, AT_FDCWD } from "../../ffi/abi/stat.ts";
import type { Ret } from "../system_calls.ts";
import { SESSION } from "./stat_structs.ts";
import { CALLS } from "./trapped_calls.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import { isPathOnly, type PathArguments, type Subjects, whyNoFile } from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import { CAP_FOWNER, CAP_SYS_ADMIN, R_OK, W_OK } from "./credentials.ts";
import { isHostKernelFile } from "./host_kernel_files.ts";
import { mayUse, ownsFile } from "./kernel_file_nodes.ts";
import { type Attributes, attributesOf, attributesOfKernelFile, checkName } from "./xattrs.ts";

const AT_SYMLINK_NOFOLLOW = 0x100;
/** struct xattr_args: u64 value, u32 size, u32 flags. */
const XATTR_ARGS_SIZE = 16;
const XATTR_SIZE_MAX = 65536;

/** The way in which a call names its object: a path that is followed, a path that is not, an fd, or the arguments of a ...at call. */
type How = "path" | "link" | "fd" | "at";
/** The value's address and size, and XATTR_CREATE or XATTR_REPLACE. */
interface Value {
  readonly address: bigint;
  readonly size: bigint;
  readonly flags: number;
}

export class XattrCalls {
  constructor(readonly program: CallingProgram, readonly subjects: Subjects) {}

  readonly handlers: Handlers<
    | (
      | "getxattr"
      | "lgetxattr"
      | "fgetxattr"
      | "getxattrat"
      | "setxattr"
      | "lsetxattr"
      | "fsetxattr"
      | "setxattrat"
    )
    | ("listxattr" | "llistxattr" | "flistxattr" | "listxattrat")
    | ("removexattr" | "lremovexattr" | "fremovexattr" | "removexattrat")
  > = {
    getxattr: (call) => this.#get(call, "path"),
    lgetxattr: (call) => this.#get(call, "link"),
    fgetxattr: (call) => this.#get(call, "fd"),
    getxattrat: (call) => this.#get(call, "at"),
    setxattr: (call) => this.#set(call, "path"),
    lsetxattr: (call) => this.#set(call, "link"),
    fsetxattr: (call) => this.#set(call, "fd"),
    setxattrat: (call) => this.#set(call, "at"),
    listxattr: (call) => this.#list(call, "path"),
    llistxattr: (call) => this.#list(call, "link"),
    flistxattr: (call) => this.#list(call, "fd"),
    listxattrat: (call) => this.#list(call, "at"),
    removexattr: (call) => this.#remove(call, "path"),
    lremovexattr: (call) => this.#remove(call, "link"),
    fremovexattr: (call) => this.#remove(call, "fd"),
    removexattrat: (call) => this.#remove(call, "at"),
  };

  #get(call: Notification, how: How): CallAnswer {
    return this.#serve(call, how, (attributes) => {
      const [name, value] = [this.#name(call, how), this.#value(call, how)];
      if (typeof name === "number") return name;
      if (typeof value === "number") return value;
      // getxattr has no flags: the register is anything.
      if (how === "at" && value.flags !== 0) return -Errno.EINVAL;
      const found = attributes.get(name);
      return typeof found === "number" ? found : this.#copy(call, found, value);
    });
  }

  #set(call: Notification, how: How): CallAnswer {
    return this.#refuseHost(call, how) ?? this.#serve(call, how, (attributes) => {
      const value = this.#value(call, how);
      if (typeof value === "number") return value;
      if (value.flags & ~3) return -Errno.EINVAL;
      const name = this.#name(call, how);
      if (typeof name === "number") return name;
      if (value.size > XATTR_SIZE_MAX) return -Errno.E2BIG;
      const bytes = this.program.bytes(call.tid, value.address, Number(value.size));
      if (typeof bytes === "number" || bytes.length < value.size) return -Errno.EFAULT;
      return attributes.set(name, bytes, value.flags);
    });
  }

  #list(call: Notification, how: How): CallAnswer {
    return this.#serve(call, how, (attributes) => {
      const [address, size] = how === "at" ? [call.args[3], call.args[4]] : [call.args[1], call.args[2]];
      const names = attributes.list().map((name) => `${name}\0`).join("");
      return this.#copy(call, encodeOsText(names), { address, size });
    });
  }

  #remove(call: Notification, how: How): CallAnswer {
    return this.#refuseHost(call, how) ?? this.#serve(call, how, (attributes) => {
      const name = this.#name(call, how);
      return typeof name === "number" ? name : attributes.remove(name);
    });
  }

  #refuseHost(call: Notification, how: How): CallAnswer {
    const named = namedBy(call, how);
    const subject = named === undefined
      ? this.subjects.byFd(call.tid, int(call.args[0]))
      : this.subjects.byPath(call, named);
    if (subject !== undefined || !isHostKernelFile(this.subjects, call, named)) return undefined;
    return this.program.credentials(call.tid).uid === 0 ? -Errno.EPERM : undefined;
  }

  #serve(call: Notification, how: How, act: (attributes: Attributes) => Ret): CallAnswer {
    const named = namedBy(call, how);
    const subject = named === undefined
      ? this.subjects.byFd(call.tid, int(call.args[0]))
      : this.subjects.byPath(call, named);
    if (subject === undefined) return undefined;
    const credentials = this.program.credentials(call.tid);
    const missing = whyNoFile(subject, () => credentials);
    if (missing !== undefined) return -missing;
    if (isPathOnly(subject) && this.#isByFd(call, named)) return this.#judged(call, how) ?? -Errno.EBADF;
    if ((named?.flags ?? 0) & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -Errno.EINVAL;
    const privileged = credentials.has(CAP_SYS_ADMIN);
    if (subject.is === "kernel" && subject.file !== undefined) {
      const may = (wanted: number) => mayUse(file, wanted, credentials);
      const { file } = subject;
      const rights = { privileged, reads: may(R_OK), writes: may(W_OK), owns: ownsFile(file, credentials) };
      return act(attributesOfKernelFile(file, rights));
    }
    const node = subject.is === "device" ? subject.node : undefined;
    const file = node ?? SESSION;
    const rights = {
      privileged,
      reads: credentials.may(file, R_OK),
      writes: credentials.may(file, W_OK),
      owns: credentials.uid === file.uid || credentials.hasOver(CAP_FOWNER, file),
    };
    return act(attributesOf(node, rights));
  }

  /** With an empty path the kernel takes the file of the fd, as fsetxattr does. */
  #isByFd({ tid }: Notification, named: PathArguments | undefined): boolean {
    if (named === undefined || named.path === 0n) return true;
    return ((named.flags ?? 0) & AT_EMPTY_PATH) !== 0 && this.program.path(tid, named.path) === "";
  }

  /** The errno of arguments that the kernel looks at before the fd. */
  #judged(call: Notification, how: How): CallAnswer {
    const sets = CALLS.get(call.nr)?.includes("setxattr") ?? false;
    const lists = CALLS.get(call.nr)?.includes("listxattr") ?? false;
    const name = lists ? "" : this.#name(call, how);
    const value = sets || (how === "at" && CALLS.get(call.nr) === "getxattrat")
      ? this.#value(call, how)
      : undefined;
    if (typeof value === "number") return value;
    if (value !== undefined && value.flags & (sets ? ~3 : ~0)) return -Errno.EINVAL;
    if (typeof name === "number") return name;
    if (!sets || value === undefined) return undefined;
    if (value.size > XATTR_SIZE_MAX) return -Errno.E2BIG;
    const bytes = this.program.bytes(call.tid, value.address, Number(value.size));
    return value.size > 0n && (typeof bytes === "number" || bytes.length < value.size)
      ? -Errno.EFAULT
      : undefined;
  }

  #name(call: Notification, how: How): string | Ret {
    const name = this.program.path(call.tid, call.args[how === "at" ? 3 : 1]);
    if (name === -Errno.ENAMETOOLONG) return -Errno.ERANGE;
    return typeof name === "number" ? name : checkName(name);
  }

  #value({ tid, args }: Notification, how: How): Value | Ret {
    if (how !== "at") return { address: args[2], size: args[3], flags: int(args[4]) };
    if (args[5] < XATTR_ARGS_SIZE) return -Errno.EINVAL;
    const bytes = this.program.bytes(tid, args[4], XATTR_ARGS_SIZE);
    if (typeof bytes === "number" || bytes.length < XATTR_ARGS_SIZE) return -Errno.EFAULT;
    const view = new DataView(bytes.buffer);
    return {
      address: view.getBigUint64(0, true),
      size: BigInt(view.getUint32(8, true)),
      flags: view.getUint32(12, true),
    };
  }

  /** Size 0 asks for the length. */
  #copy(call: Notification, bytes: Uint8Array, { address, size }: Pick<Value, "address" | "size">): Ret {
    if (size === 0n || bytes.length === 0) return bytes.length;
    if (size < bytes.length) return -Errno.ERANGE;
    const written = this.program.write(call.tid, address, bytes);
    return written < 0 ? written : bytes.length;
  }
}

function namedBy({ args }: Notification, how: How): PathArguments | undefined {
  if (how === "fd") return undefined;
  if (how !== "at") return { dirfd: AT_FDCWD, path: args[0], follow: how === "path" };
  const flags = int(args[2]);
  return {
    dirfd: int(args[0]),
    path: args[1],
    flags,
    follow: !(flags & AT_SYMLINK_NOFOLLOW),
    nullable: true,
  };
}
