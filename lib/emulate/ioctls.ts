/** LUO's ioctls on emulated fds: the struct is in the program's memory, the fds in it are the program's. */
import { Errno } from "../../ffi/abi/errno.ts";
import { F_GETFL } from "../../ffi/abi/fcntl.ts";
import * as luo from "../../ffi/abi/liveupdate.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { close, fchown, fstat, stat } from "../../ffi/file.ts";
import { geteuid } from "../../ffi/process.ts";
import { check } from "../error.ts";
import { leader } from "./process_numbers.ts";
import { statOfFd } from "./program_fds.ts";
import type { Ret, SystemCalls, UserMemory } from "../system_calls.ts";
import { type EmulatedFd, type EmulatedFds, identityOf, type Opened } from "./emulated_fds.ts";
import type { CallingProgram } from "./calling_program.ts";

const [SIZE_FIELD, FD_OFFSET] = [4, 4];
const STRUCT_SIZES: Readonly<Record<number, number>> = {
  [luo.LIVEUPDATE_IOCTL_CREATE_SESSION]: luo.SESSION_STRUCT_SIZE,
  [luo.LIVEUPDATE_IOCTL_RETRIEVE_SESSION]: luo.SESSION_STRUCT_SIZE,
  [luo.LIVEUPDATE_SESSION_PRESERVE_FD]: luo.FD_STRUCT_SIZE,
  [luo.LIVEUPDATE_SESSION_RETRIEVE_FD]: luo.FD_STRUCT_SIZE,
  [luo.LIVEUPDATE_SESSION_FINISH]: luo.FINISH_STRUCT_SIZE,
  [luo.LIVEUPDATE_SESSION_GET_NAME]: luo.GET_NAME_STRUCT_SIZE,
};
const MAKES_SESSION = new Set([luo.LIVEUPDATE_IOCTL_CREATE_SESSION, luo.LIVEUPDATE_IOCTL_RETRIEVE_SESSION]);

/** Translates fds between the program and the model, in both directions. */
export class Ioctls {
  constructor(readonly sys: SystemCalls, readonly program: CallingProgram, readonly objects: EmulatedFds) {}

  /** ioctl(fd, request, address) of an emulated fd. */
  serve(call: Notification, object: EmulatedFd): Ret {
    const request = Number(BigInt.asUintN(32, call.args[1]));
    const argument = this.program.argument(call.tid, call.args[2], STRUCT_SIZES[request] ?? 0);
    if (request === luo.LIVEUPDATE_SESSION_PRESERVE_FD) return this.#preserve(call, object, argument);
    const makes_fd = MAKES_SESSION.has(request) || request === luo.LIVEUPDATE_SESSION_RETRIEVE_FD;
    if (makes_fd && !this.program.has_room(call.tid)) return -Errno.EMFILE;
    const answer = this.sys.ioctl(object.model_fd, request, argument);
    if (argument === null) return answer;
    if (request === luo.LIVEUPDATE_SESSION_GET_NAME && answer === -Errno.EFAULT) {
      return this.#part(call, object, argument);
    }
    if (answer < 0) return answer;
    if (makes_fd) {
      const given = this.#give(call, argument, MAKES_SESSION.has(request));
      if (given < 0) return given;
    }
    // The size, the first field, is the program's own.
    const changed = argument.bytes.subarray(SIZE_FIELD, luo.SESSION_STRUCT_SIZE);
    return this.program.write(call.tid, call.args[2] + BigInt(SIZE_FIELD), changed);
  }

  /** copy_to_user() writes up to the first byte that cannot be written. */
  #part({ tid, args: [, , address] }: Notification, { model_fd }: EmulatedFd, { bytes }: UserMemory): Ret {
    const whole = { bytes, writable: true };
    const answer = this.sys.ioctl(model_fd, luo.LIVEUPDATE_SESSION_GET_NAME, whole);
    if (answer < 0) return answer;
    this.program.write(tid, address, bytes.subarray(0, luo.GET_NAME_STRUCT_SIZE));
    return -Errno.EFAULT;
  }

  /** The model gets a copy of the program's fd. The program's struct is not changed. */
  #preserve(call: Notification, object: EmulatedFd, argument: UserMemory | null): Ret {
    const request = luo.LIVEUPDATE_SESSION_PRESERVE_FD;
    if (argument === null || argument.bytes.length < luo.FD_STRUCT_SIZE || object.kind === "device") {
      return this.sys.ioctl(object.model_fd, request, argument);
    }
    const view = viewOf(argument.bytes);
    const fd = view.getInt32(FD_OFFSET, true);
    const emulated = this.objects.find(call.tid, fd);
    // A file of /proc, whose content a memfd holds: no handler takes it.
    if (emulated === undefined && this.objects.contentPath(call.tid, fd) !== undefined) {
      return this.#refused(object, argument, view);
    }
    const model_fd = emulated?.model_fd ?? this.adopt(call.tid, fd);
    view.setInt32(FD_OFFSET, model_fd, true);
    const answer = this.sys.ioctl(object.model_fd, request, argument);
    // With EFAULT the file is preserved too: only the struct could not be written.
    const done = answer >= 0 || answer === -Errno.EFAULT;
    if (done && this.program.watch.strict) this.#watchFile(call.tid, fd);
    if (emulated === undefined && model_fd >= 0) this.sys.close(model_fd);
    return answer;
  }

  #watchFile(tid: number, fd: number): void {
    const found = statOfFd(tid, fd);
    if (typeof found === "number") return;
    this.program.watch.file(tid, identityOf(found));
    // Without root the guard does not see the fds of a process that may not be dumped; nor does it see a thread's own table of fds, or
    // that of a process whose first thread has ended.
    const seen = stat(`/proc/${leader(tid)}/fd/${fd}`);
    if (typeof seen === "number" || identityOf(seen) !== identityOf(found)) {
      this.program.watch.number(tid, fd, identityOf(found));
    }
  }

  /** The model's answer for a file that no handler takes, as the session itself is. */
  #refused({ model_fd }: EmulatedFd, argument: UserMemory, view: DataView): Ret {
    view.setInt32(FD_OFFSET, model_fd, true);
    return this.sys.ioctl(model_fd, luo.LIVEUPDATE_SESSION_PRESERVE_FD, argument);
  }

  /** An fd of the model for the program's fd; the caller closes it. -1 when the program has no such fd. */
  adopt(tid: number, fd: number): number {
    const copy = fd < 0 ? -1 : this.program.fd(tid, fd);
    const adopted = copy < 0 ? -1 : this.sys.adopt(copy);
    return adopted < 0 ? -1 : adopted;
  }

  /** Gives the program the model's new fd, and writes the program's number for it into the struct. */
  #give(call: Notification, { bytes }: UserMemory, session: boolean): Ret {
    const view = viewOf(bytes);
    const model_fd = view.getInt32(FD_OFFSET, true);
    const given = session
      ? this.give_object(call, "session", model_fd, true, { name: luo.decodeName(bytes) })
      : this.#give_file(call, model_fd);
    if (given >= 0) view.setInt32(FD_OFFSET, given, true);
    return given;
  }

  give_object(
    call: Notification,
    kind: EmulatedFd["kind"],
    model_fd: number,
    cloexec = true,
    opened: Opened = {},
  ): Ret {
    const flags = this.sys.fcntl(model_fd, F_GETFL);
    const made = this.objects.make(kind, model_fd, flags, opened);
    if (typeof made === "number") {
      this.sys.close(model_fd);
      return made;
    }
    const given = this.program.give(call, made.fd, cloexec);
    if (given >= 0) this.program.watch.number(call.tid, given, made.object.identity);
    // When the program does not get a copy, this is the end of the last one, which closes the model's fd.
    close(made.fd);
    return given;
  }

  #give_file(call: Notification, model_fd: number): Ret {
    const host_fd = this.sys.expose(model_fd);
    this.sys.close(model_fd);
    if (host_fd < 0) return host_fd;
    // The file is made when it is retrieved, so that it belongs to the program. Without root luo cannot give it away.
    const { uid, gid } = this.program.credentials(call.tid);
    if (uid !== geteuid() || gid !== 0) fchown(host_fd, uid, gid);
    const given = this.program.give(call, host_fd);
    this.objects.nameless.add(identityOf(check(fstat(host_fd), "fstat", "a retrieved file")));
    close(host_fd);
    return given;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
