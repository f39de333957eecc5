/** Calls after which a path can lead past all tripwires (tripwires.ts) to a file of the machine: from then on the guard looks at every open. */
import {
  AT_FDCWD,
  DEBUGFS_MAGIC,
  FUSE_SUPER_MAGIC,
  PROC_SUPER_MAGIC,
  SYSFS_MAGIC,
} from "../../ffi/abi/stat.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { readlink, statfs_type } from "../../ffi/file.ts";
import { int } from "./call_answer.ts";
import type { CallingProgram } from "./calling_program.ts";
import { isKernelFile } from "./kernel_files.ts";
import type { FilePlace, Place } from "./path_walk.ts";
import type { Paths } from "./paths.ts";
import { isProcOrSys } from "./proc_and_sys.ts";
import { textOfFd } from "./program_fds.ts";

const KERNELS = new Set([PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC]);
const TYPES = new Set(["proc", "sysfs", "debugfs"]);
const [MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC] = [0x20, 0x1000, 0x2000, 0x4000];
/** MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED */
const PROPAGATION = 0x1e_0000;
const CLONE_NEWNS = 0x20000;
/** Names that have tripwires in each machine. */
const ALWAYS = [["proc", "cmdline", PROC_SUPER_MAGIC], ["sys", "kernel/kexec_loaded", SYSFS_MAGIC]] as const;

export class PastTripwires {
  /** `copies`: directories of /proc and /sys that were mounted for tripwires. */
  constructor(
    readonly program: CallingProgram,
    readonly paths: Paths,
    readonly copies: ReadonlySet<string>,
  ) {}

  /** mount(2): procfs and sysfs anew, or without the mounts in them. */
  mounts({ tid, args: [source, , kind, raw] }: Notification): void {
    const flags = int(raw);
    if (flags & (MS_REMOUNT | MS_MOVE | PROPAGATION)) return;
    if (flags & MS_BIND) {
      if (!(flags & MS_REC) && isOfKernel(this.#place(tid, source))) this.program.watch.unsure(true);
      return;
    }
    const type = kind === 0n ? "" : this.program.path(tid, kind);
    if (typeof type === "number" || TYPES.has(type)) this.program.watch.unsure(true);
  }

  /** move_mount(2): a mount that is moved has those in it with it, and a new one may have none. */
  moves({ tid, args: [fd] }: Notification): void {
    if (int(fd) === AT_FDCWD) return;
    if (KERNELS.has(statfs_type(`/proc/${tid}/fd/${int(fd)}`))) this.program.watch.unsure(true);
  }

  unmounts({ tid, args: [path] }: Notification): void {
    const place = this.#place(tid, path);
    const tripwire = place?.is === "file" && statfs_type(place.path) === FUSE_SUPER_MAGIC;
    if (tripwire || isOfKernel(place)) this.program.watch.unsure(true);
  }

  /** chroot(2) and pivot_root(2): another procfs or sysfs may be at the new root. */
  roots({ tid, args: [path] }: Notification): void {
    const place = this.#place(tid, path);
    if (place?.is !== "file") return;
    const bare = ALWAYS.some(([top, name, magic]) =>
      statfs_type(`${place.path}/${top}`) === magic &&
      statfs_type(`${place.path}/${top}/${name}`) !== FUSE_SUPER_MAGIC
    );
    if (bare) this.program.watch.unsure(true);
  }

  /** setns(2): the host's mounts have no tripwires, and those of a program of the machine may have none. */
  enters({ tid, args: [fd, raw] }: Notification): void {
    const text = textOfFd(tid, int(fd));
    const machine = readlink(`/proc/${this.program.watch.guard}/ns/mnt`);
    const mounts = typeof text === "number" ||
      (text.startsWith("mnt:") ? text !== machine : (int(raw) & CLONE_NEWNS) !== 0);
    if (mounts) this.program.watch.unsure(true);
  }

  /** Whether the kernel of the machine has no mount there. */
  isNoMount(place: Place | undefined): boolean {
    if (!this.program.watch.tripwires || place?.is !== "file") return false;
    const { inside, path } = place;
    return (isKernelFile(inside) || this.copies.has(inside)) && isProcOrSys(path, inside);
  }

  #place(tid: number, address: bigint): Place | undefined {
    const text = this.program.path(tid, address);
    return typeof text === "number" ? undefined : this.paths.resolve(tid, AT_FDCWD, text, { follow: true });
  }
}

function isOfKernel(place: Place | undefined): boolean {
  return place?.is === "file" && (KERNELS.has(statfs_type(place.path)) || isInTop(place));
}

function isInTop({ inside }: FilePlace): boolean {
  return /^\/(proc|sys|dev)(\/|$)/.test(inside);
}
