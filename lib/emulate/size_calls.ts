/** Calls that set the size of a file or take pages out of it: refused for a preserved file, as on Linux. */
import { Errno } from "../../ffi/abi/errno.ts";
import { S_IFDIR } from "../../ffi/abi/fcntl.ts";
import { PAGE_SIZE } from "../../ffi/abi/page.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { AT_FDCWD } from "../../ffi/abi/stat.ts";
import { ftruncate, owner } from "../../ffi/file.ts";
import type { SystemCalls } from "../system_calls.ts";
import { type CallAnswer, type Handlers, int, long } from "./call_answer.ts";
import { type Subjects, whyNoFile } from "./call_subject.ts";
import type { CallingProgram, Piece } from "./calling_program.ts";
import { W_OK } from "./credentials.ts";
import type { ContentCalls } from "./content_calls.ts";
import type { EmulatedFds } from "./emulated_fds.ts";
import { mayUse, resized } from "./kernel_file_nodes.ts";
import type { PreservedFiles } from "./preserved_files.ts";

const PAGE = BigInt(PAGE_SIZE);

export class SizeCalls {
  constructor(
    readonly sys: SystemCalls,
    readonly program: CallingProgram,
    readonly objects: EmulatedFds,
    readonly subjects: Subjects,
    readonly preserved: PreservedFiles,
    readonly contents: ContentCalls,
  ) {}

  readonly handlers: Handlers<"truncate" | "ftruncate" | "fallocate" | "madvise" | "process_madvise"> = {
    truncate: (call) => this.#truncate(call),
    ftruncate: (call) => {
      const { tid, args: [fd, length] } = call;
      return this.contents.ftruncate(call) ??
        this.#change(tid, int(fd), (model_fd) => this.sys.ftruncate(model_fd, long(length)));
    },
    fallocate: (call) => {
      const { tid, args: [fd, mode, offset, length] } = call;
      return this.contents.fallocate(call) ?? this.#change(
        tid,
        int(fd),
        (model_fd) => this.sys.fallocate(model_fd, int(mode), long(offset), long(length)),
      );
    },
    madvise: ({ tid, args: [address, length] }) => this.#remove(tid, { address, length }),
    process_madvise: (call) => this.#processMadvise(call),
  };

  #change(tid: number, fd: number, run: (model_fd: number) => number): CallAnswer {
    const object = this.objects.find(tid, fd);
    return object === undefined ? this.preserved.ask(tid, fd, run) : run(object.model_fd);
  }

  #truncate({ tid, args: [address, raw] }: Notification): CallAnswer {
    const [path, length] = [this.program.path(tid, address), long(raw)];
    if (typeof path === "number" || length < 0n) return undefined;
    const { paths } = this.subjects;
    // Any name of a preserved file counts, so that the whole path is walked once there is one.
    const find = this.preserved.none ? paths.find : paths.resolve;
    const place = find.call(paths, tid, AT_FDCWD, path, { follow: true });
    const subject = place && this.subjects.at(place);
    const missing = whyNoFile(subject, () => this.program.credentials(tid));
    if (missing !== undefined) return -missing;
    if (subject?.is === "kernel" && subject.file !== undefined) {
      if (subject.file.type === S_IFDIR) return -Errno.EISDIR;
      if (!mayUse(subject.file, W_OK, this.program.credentials(tid))) return -Errno.EACCES;
      resized(subject.file, length);
      return 0;
    }
    if (subject?.is === "device" && subject.node.kind === "file") {
      if (!this.program.credentials(tid).may(subject.node, W_OK)) return -Errno.EACCES;
      return ftruncate(subject.node.memfd ?? -1, length);
    }
    if (subject?.is === "device" || subject?.is === "session") return -Errno.EINVAL;
    if (place?.is !== "file" && place?.is !== "fd") return undefined;
    const size = this.preserved.size(place.path);
    if (size === undefined || size === length) return undefined;
    const found = owner(place.path);
    // The host's kernel says EACCES.
    const may = typeof found === "number" || this.program.credentials(tid).may(found, W_OK);
    return may ? -Errno.EPERM : undefined;
  }

  /** MADV_REMOVE punches a hole, mapping by mapping, up to the first that refuses. */
  #remove(tid: number, { address, length }: Piece): CallAnswer {
    if (this.preserved.none || length === 0n || address % PAGE !== 0n) return undefined;
    for (const { file, shared } of this.program.mappings(tid, address, address + length)) {
      // The host's kernel refuses this mapping before it reaches another.
      if (file === undefined || !shared) return undefined;
      if (this.preserved.isPreserved(file)) return -Errno.EPERM;
    }
    return undefined;
  }

  /** EPERM when one of the pieces is refused: none of them is removed then. The host's kernel removes nothing from another process. */
  #processMadvise({ tid, args: [pidfd, vector, count] }: Notification): CallAnswer {
    if (this.preserved.none || !this.program.isOwnPidfd(tid, int(pidfd))) return undefined;
    const pieces = this.program.vector(tid, vector, int(count));
    if (typeof pieces === "number") return undefined;
    return pieces.some((piece) => this.#remove(tid, piece) !== undefined) ? -Errno.EPERM : undefined;
  }
}
