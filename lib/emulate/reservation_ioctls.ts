/** The ioctls by which XFS reserved and freed the pages of a file, which every file system has now (fs/ioctl.c: ioctl_preallocate). */
import type { Notification } from "../../ffi/abi/seccomp.ts";
import { type CallAnswer, int } from "./call_answer.ts";
import type { PreservedFiles } from "./preserved_files.ts";

/** linux/falloc.h: FALLOC_FL_KEEP_SIZE, and the mode of FS_IOC_RESVSP, UNRESVSP (both also with 64), ZERO_RANGE. */
const KEEP_SIZE = 1;
const MODES: ReadonlyMap<number, number> = new Map([
  [0x4030_5828, 0],
  [0x4030_5829, 2],
  [0x4030_582a, 0],
  [0x4030_582b, 2],
  [0x4030_5839, 0x10],
]);
/** struct space_resv: s16 type, s16 whence, s64 start@8, s64 length@16. */
const RESERVATION_SIZE = 48;

/** Of a preserved file the model answers, as for fallocate(2); undefined for all other requests and files. */
export function reserve(
  { tid, args: [fd, request, address] }: Notification,
  preserved: PreservedFiles,
): CallAnswer {
  const mode = MODES.get(Number(BigInt.asUintN(32, request)));
  const size = mode === undefined ? undefined : preserved.sizeOfFd(tid, int(fd));
  if (mode === undefined || size === undefined) return undefined;
  const { program } = preserved.ioctls;
  const bytes = program.bytes(tid, address, RESERVATION_SIZE);
  // The host's kernel says EFAULT.
  if (typeof bytes === "number" || bytes.length < RESERVATION_SIZE) return undefined;
  const view = new DataView(bytes.buffer);
  const bases = [0n, program.description(tid, int(fd))?.position ?? 0n, size];
  const base = bases[view.getInt16(2, true)];
  // Of an unknown whence it says EINVAL.
  if (base === undefined) return undefined;
  const [start, length] = [base + view.getBigInt64(8, true), view.getBigInt64(16, true)];
  return preserved.ask(
    tid,
    int(fd),
    (copy) => preserved.sys.fallocate(copy, mode | KEEP_SIZE, start, length),
  );
}
