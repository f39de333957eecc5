/** How /dev/kmsg looks where a tripwire (tripwires.ts) lies on the device: as the host's own. */
import { S_IFCHR, S_IFMT } from "../../ffi/abi/fcntl.ts";
import { FUSE_SUPER_MAGIC, makedev } from "../../ffi/abi/stat.ts";
import { owner, stat, statfs_type } from "../../ffi/file.ts";
import { now } from "./device_nodes.ts";
import { KMSG } from "./kernel_files.ts";
import type { FilePlace } from "./path_walk.ts";
import { type FileLook, timesOf } from "./stat_structs.ts";

/** drivers/char/mem.c: the memory devices; /dev/kmsg is the eleventh. */
const NUMBER = makedev(1, 11);

/** The path of the device for luo: the tripwire lies in the machine only. */
export function pathOfLog({ path }: FilePlace): string {
  return statfs_type(path) === FUSE_SUPER_MAGIC ? KMSG : path;
}

/** Undefined for every other file, and where no tripwire lies. */
export function lookOfLog(file: FilePlace | undefined): FileLook | undefined {
  if (file?.inside !== KMSG || pathOfLog(file) !== KMSG) return undefined;
  const [found, node] = [stat(KMSG), owner(KMSG)];
  if (typeof found === "number" || typeof node === "number") return undefined;
  if ((found.mode & S_IFMT) !== S_IFCHR) return undefined;
  const { dev, ino, mode, nlink, size } = found;
  const { uid, gid } = node;
  const times = timesOf(now());
  return { dev, ino, mode, nlink, uid, gid, size, times, device: true, number: NUMBER };
}
