/** Finds out what a trapped call is about: the device, a session, or a file of the host. */
import { Errno } from "../../ffi/abi/errno.ts";
import { O_PATH, S_IFREG } from "../../ffi/abi/fcntl.ts";
import { AT_EMPTY_PATH } from "../../ffi/abi/stat.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { fstat, mount_flags, mount_id, stat } from "../../ffi/file.ts";
import type { CallingProgram } from "./calling_program.ts";
import type { Credentials } from "./credentials.ts";
import { DEVICE_DIRECTORY, type Entry, type Node } from "./device_nodes.ts";
import type { EmulatedFd, EmulatedFds } from "./emulated_fds.ts";
import {
  fileNodeOf,
  isReachable,
  type KernelFileNode,
  type KernelFileNodes,
  lookOfKernelFile,
} from "./kernel_file_nodes.ts";
import { isKernelFile } from "./kernel_files.ts";
import { isNextKernelFile } from "./next_kernel_files.ts";
import { type FilePlace, type Place, splitPath } from "./path_walk.ts";
import { isProcOrSys } from "./proc_and_sys.ts";
import type { Paths } from "./paths.ts";
import { isSearchable } from "./searchable.ts";
import { type FileLook, lookOf, SESSION } from "./stat_structs.ts";

/** An object of the emulated machine. */
export type Subject =
  | {
    readonly is: "device";
    readonly node: Node;
    readonly entry?: Entry;
    readonly object?: EmulatedFd;
    /** The directory that the path led to, as luo can open it. */
    readonly directory?: string;
  }
  | { readonly is: "session"; readonly object: EmulatedFd }
  | { readonly is: "absent"; readonly entry: Entry }
  | { readonly is: "below"; readonly slash: boolean; readonly path?: string }
  /** A file of /proc or /sys that is the model's; without `file` its kernel has none of this name. */
  | {
    readonly is: "kernel";
    readonly path: string;
    readonly file?: KernelFileNode;
    readonly path_only?: boolean;
  };

export interface PathArguments {
  readonly dirfd: number;
  /** The address of the path in the program. */
  readonly path: bigint;
  /** AT_* flags; AT_EMPTY_PATH makes `dirfd` the subject. */
  readonly flags?: number;
  readonly follow: boolean;
  /** With AT_EMPTY_PATH a null pointer is an empty path. */
  readonly nullable?: boolean;
}

export class Subjects {
  constructor(
    readonly program: CallingProgram,
    readonly objects: EmulatedFds,
    readonly paths: Paths,
    readonly kernelFiles: KernelFileNodes,
  ) {}

  /** The object that a path names; undefined for all others, and when the path cannot be read. */
  byPath(call: Notification, named: PathArguments): Subject | undefined {
    return this.find(call, named).subject;
  }

  /** As `byPath`, and the place that the path leads to when it is a file of the host, or of the model's kernel. */
  find(
    { tid }: Notification,
    { dirfd, path, flags = 0, follow, nullable = false }: PathArguments,
  ): { readonly subject?: Subject; readonly file?: FilePlace } {
    const empty = (flags & AT_EMPTY_PATH) !== 0;
    const text = path === 0n && empty && nullable ? "" : this.program.path(tid, path);
    if (typeof text === "number") return {};
    if (text === "" && empty) return { subject: this.byFd(tid, dirfd) };
    const place = this.paths.find(tid, dirfd, text, { follow });
    if (place?.is === "file") return { file: place, subject: this.at(place) };
    if (place?.is === "fd" && !follow) return {};
    return place === undefined ? {} : { subject: this.at(place) };
  }

  at(place: Place): Subject | undefined {
    if (place.is === "below") return { is: "below", slash: place.slash };
    if (place.is === "fd") return this.#ofNextKernel(place) ?? this.byFd(place.pid, place.fd);
    if (place.is === "file") return this.#ofKernel(place);
    if (place.is !== "entry") return undefined;
    const { entry, directory } = place;
    return entry.node === undefined
      ? { is: "absent", entry }
      : { is: "device", node: entry.node, entry, directory };
  }

  #ofKernel({ inside, path, system }: FilePlace): Subject | undefined {
    const [parent] = splitPath(inside);
    if (!(isKernelFile(inside) || isKernelFile(parent))) return undefined;
    if (!system && !isProcOrSys(path, inside)) return undefined;
    const file = this.kernelFiles.find(inside);
    const below = file === undefined && this.kernelFiles.find(parent)?.type === S_IFREG;
    if (below) return { is: "below", slash: false, path: inside };
    return isKernelFile(inside) ? { is: "kernel", path: inside, file } : undefined;
  }

  #ofNextKernel(place: { readonly pid: number; readonly fd: number }): Subject | undefined {
    if (!isNextKernelFile(place)) return undefined;
    const path = `/proc/self/fd/${place.fd}`;
    return { is: "kernel", path, file: fileNodeOf(path) };
  }

  /** A memfd with the content of such a file. */
  #content(tid: number, fd: number): Subject | undefined {
    const { path, flags = 0 } = this.objects.content(tid, fd) ?? {};
    if (path === undefined) return undefined;
    return {
      is: "kernel",
      path,
      path_only: (flags & O_PATH) !== 0,
      file: isKernelFile(path) ? this.kernelFiles.find(path) : fileNodeOf(path),
    };
  }

  byFd(tid: number, fd: number): Subject | undefined {
    const object = this.objects.find(tid, fd);
    if (object?.kind === "session") return { is: "session", object };
    if (object === undefined) return this.#content(tid, fd);
    if (object.node === undefined) return undefined;
    return { is: "device", node: object.node, entry: object.entry, object };
  }
}

/** The errno of a path to the subject that leads nowhere, or into a directory that the program may not search. */
export function whyNoFile(subject: Subject | undefined, credentials: () => Credentials): number | undefined {
  if (subject?.is === "absent") return Errno.ENOENT;
  if (subject?.is === "device" && subject.directory !== undefined) {
    return isSearchable(subject.directory, credentials()) ? undefined : Errno.EACCES;
  }
  if (subject?.is !== "kernel" && subject?.is !== "below") return undefined;
  if (subject.path !== undefined && !isReachable(subject.path, credentials())) return Errno.EACCES;
  if (subject.is === "below") return Errno.ENOTDIR;
  return subject.file === undefined ? Errno.ENOENT : undefined;
}

/** The mount that the path led through. */
function mountOf(
  { directory, entry }: Extract<Subject, { is: "device" }>,
  unique: boolean,
): bigint | undefined {
  const mount = mount_id(directory ?? entry?.directory ?? DEVICE_DIRECTORY, unique);
  return typeof mount === "number" ? undefined : mount;
}

/** How a file of the machine looks to stat(2). `unique`: with the number of its mount that is never used again. */
export function look(subject: Subject, unique = false): FileLook | undefined {
  if (subject.is === "kernel") return subject.file && lookOfKernelFile(subject.file);
  if (subject.is === "session") return { ...SESSION, ...subject.object.anonymous };
  if (subject.is !== "device") return undefined;
  const { kind, memfd } = subject.node;
  const found = kind === "file" && memfd !== undefined ? fstat(memfd) : undefined;
  const directory = stat(subject.entry?.directory ?? DEVICE_DIRECTORY);
  const dev = typeof directory === "number" ? 5n : directory.dev;
  const size = found === undefined || typeof found === "number" ? 0n : found.size;
  return lookOf(subject.node, dev, size, mountOf(subject, unique));
}

/** Whether the path led through a mount with this flag (ST_NODEV, ST_RDONLY) that luo's own /dev does not have. */
export function isMounted({ directory }: { readonly directory?: string }, flag: number): boolean {
  if (directory === undefined) return false;
  const [mount, own] = [mount_flags(directory), mount_flags(DEVICE_DIRECTORY)];
  return mount > 0 && (mount & flag) !== 0 && (own & flag) === 0;
}

/** Whether the fd was opened with O_PATH. */
export function isPathOnly(subject: Subject): boolean {
  if (subject.is === "kernel") return subject.path_only === true;
  return (subject.is === "device" || subject.is === "session") && subject.object?.path_only === true;
}
