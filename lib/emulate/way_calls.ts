/** Calls that go to a file by its path: chdir, execve, rmdir, name_to_handle_at. The device is neither directory nor program. */
import { Errno } from "../../ffi/abi/errno.ts";
import { S_IFDIR } from "../../ffi/abi/fcntl.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { AT_EMPTY_PATH, AT_FDCWD } from "../../ffi/abi/stat.ts";
import { type CallAnswer, type Handlers, int } from "./call_answer.ts";
import { look, type PathArguments, type Subjects, whyNoFile } from "./call_subject.ts";
import type { CallingProgram } from "./calling_program.ts";
import type { DeviceNodes } from "./device_nodes.ts";
import { whyNotEmpty } from "./directory_rights.ts";
import { whyNotRemoved } from "./kernel_names.ts";

const [AT_SYMLINK_NOFOLLOW, AT_SYMLINK_FOLLOW] = [0x100, 0x400];
/** linux/exportfs.h: the kind of handle that tmpfs gives (mm/shmem.c: shmem_encode_fh), three u32. */
const [SHMEM_HANDLE, SHMEM_HANDLE_SIZE] = [1, 12];
/** struct file_handle: u32 handle_bytes, i32 handle_type, the handle. linux/exportfs.h: MAX_HANDLE_SZ. */
const [HANDLE_HEADER, MAX_HANDLE_SIZE] = [8, 128];
/** linux/fcntl.h: flags of name_to_handle_at(2). */
const [AT_HANDLE_MNT_ID_UNIQUE, AT_HANDLE_CONNECTABLE, AT_HANDLE_FID] = [1, 2, 0x200];
const HANDLE_KINDS = AT_HANDLE_CONNECTABLE | AT_HANDLE_FID;
const HANDLE_FLAGS = HANDLE_KINDS | AT_HANDLE_MNT_ID_UNIQUE | AT_SYMLINK_FOLLOW | AT_EMPTY_PATH;
/** linux/exportfs.h: FILEID_INO64_GEN, the kind that a file system without handles of its own gives. */
const INO64_GEN_HANDLE = 0x81;
/** AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_EXECVE_CHECK. */
const EXECVEAT_FLAGS = 0x1_1100;
/** The mount of anonymous inodes. */
const MOUNT = 14n;

export class WayCalls {
  constructor(readonly program: CallingProgram, readonly subjects: Subjects, readonly nodes: DeviceNodes) {}

  readonly handlers: Handlers<"chdir" | "rmdir" | "execve" | "execveat" | "name_to_handle_at"> = {
    chdir: (call) => this.#chdir(call),
    rmdir: (call) => this.#rmdir(call),
    execve: (call) => this.#refuse(call, named(AT_FDCWD, call.args[0]), Errno.EACCES),
    execveat: (call) => {
      const [dirfd, path, , , flags] = call.args;
      // The host's kernel refuses these.
      if (int(flags) & ~EXECVEAT_FLAGS || path === 0n) return undefined;
      const follow = !(int(flags) & AT_SYMLINK_NOFOLLOW);
      return this.#refuse(call, { ...named(int(dirfd), path), flags: int(flags), follow }, Errno.EACCES);
    },
    name_to_handle_at: (call) => this.#name_to_handle_at(call),
  };

  /** The directories of /proc and /sys that are the model's are in the machine where tripwires lie. */
  #chdir(call: Notification): CallAnswer {
    const place = named(AT_FDCWD, call.args[0]);
    const subject = this.subjects.byPath(call, place);
    const directory = subject?.is === "kernel" && subject.file?.type === S_IFDIR;
    return directory && this.program.watch.tripwires ? undefined : this.#refuse(call, place, Errno.ENOTDIR);
  }

  #refuse(call: Notification, place: PathArguments, errno: number): CallAnswer {
    const subject = this.subjects.byPath(call, place);
    if (subject === undefined) return undefined;
    const missing = whyNoFile(subject, () => this.program.credentials(call.tid));
    return -(missing ?? errno);
  }

  #rmdir(call: Notification): CallAnswer {
    const place = { ...named(AT_FDCWD, call.args[0]), follow: false };
    const subject = this.subjects.byPath(call, place);
    if (subject === undefined) {
      return whyNotEmpty(call, this.subjects, this.nodes, [AT_FDCWD, call.args[0]]);
    }
    if (subject.is !== "kernel") return this.#refuse(call, place, Errno.ENOTDIR);
    return -whyNotRemoved(subject, this.program.credentials(call.tid), true);
  }

  /** A session has no handle: anonymous inodes cannot be found again. */
  #name_to_handle_at(call: Notification): CallAnswer {
    const [dirfd, path, handle, mount, raw] = call.args;
    const flags = int(raw);
    const place = { ...named(int(dirfd), path), flags, follow: (flags & AT_SYMLINK_FOLLOW) !== 0 };
    // The host's kernel refuses these.
    if (flags & ~HANDLE_FLAGS || (flags & HANDLE_KINDS) === HANDLE_KINDS || path === 0n) return undefined;
    const subject = this.subjects.byPath(call, place);
    if (subject?.is === "below") return -Errno.ENOTDIR;
    const unique = (flags & AT_HANDLE_MNT_ID_UNIQUE) !== 0;
    const looks = subject && look(subject, unique);
    if (subject === undefined || looks === undefined) return undefined;
    // Any file has a handle by which it is known again, but not opened.
    const known = (flags & AT_HANDLE_FID) !== 0;
    if ((subject.is !== "device" && !known) || flags & AT_HANDLE_CONNECTABLE) return -Errno.EOPNOTSUPP;
    const head = this.program.bytes(call.tid, handle, 4);
    if (typeof head === "number" || head.length < 4) return -Errno.EFAULT;
    const room = new DataView(head.buffer).getUint32(0, true);
    if (room > MAX_HANDLE_SIZE) return -Errno.EINVAL;
    const fits = room >= SHMEM_HANDLE_SIZE;
    const type = subject.is === "device" ? SHMEM_HANDLE : INO64_GEN_HANDLE;
    const told = this.program.write(call.tid, handle, encodeHandle(looks.ino, type, fits));
    const id = new Uint8Array(new BigUint64Array([looks.mount ?? MOUNT]).buffer);
    const mounted = this.program.write(call.tid, mount, unique ? id : id.subarray(0, 4));
    if (told < 0 || mounted < 0) return -Errno.EFAULT;
    return fits ? 0 : -Errno.EOVERFLOW;
  }
}

function named(dirfd: number, path: bigint): PathArguments {
  return { dirfd, path, follow: true };
}

/** Without room for the handle, only its size is told. */
function encodeHandle(ino: bigint, type: number, whole: boolean): Uint8Array {
  const bytes = new Uint8Array(HANDLE_HEADER + (whole ? SHMEM_HANDLE_SIZE : 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SHMEM_HANDLE_SIZE, true);
  view.setInt32(4, whole ? type : 0xff, true);
  if (whole) view.setBigUint64(HANDLE_HEADER + 4, ino, true);
  return bytes;
}
