/** The lines of `luo emulate --trace`: one served call each, in the style of strace. */
import { errnoName } from "../../ffi/abi/errno.ts";
import * as luo from "../../ffi/abi/liveupdate.ts";
import type { Notification } from "../../ffi/abi/seccomp.ts";
import type { Call } from "./trapped_calls.ts";
import type { CallingProgram } from "./calling_program.ts";

const REQUESTS: Readonly<Record<number, string>> = {
  [luo.LIVEUPDATE_IOCTL_CREATE_SESSION]: "LIVEUPDATE_IOCTL_CREATE_SESSION",
  [luo.LIVEUPDATE_IOCTL_RETRIEVE_SESSION]: "LIVEUPDATE_IOCTL_RETRIEVE_SESSION",
  [luo.LIVEUPDATE_SESSION_PRESERVE_FD]: "LIVEUPDATE_SESSION_PRESERVE_FD",
  [luo.LIVEUPDATE_SESSION_RETRIEVE_FD]: "LIVEUPDATE_SESSION_RETRIEVE_FD",
  [luo.LIVEUPDATE_SESSION_FINISH]: "LIVEUPDATE_SESSION_FINISH",
  [luo.LIVEUPDATE_SESSION_GET_NAME]: "LIVEUPDATE_SESSION_GET_NAME",
};

/**
 * p: a path; d: a directory's fd; i: a decimal number; x: a hexadecimal number; r: an ioctl's request; s: its struct;
 * *: not shown.
 */
const ARGUMENTS: Readonly<Partial<Record<Call, string>>> = {
  open: "px",
  creat: "px",
  openat: "dpx",
  openat2: "dp",
  stat: "p",
  lstat: "p",
  newfstatat: "dp*x",
  statx: "dpx",
  statfs: "p",
  access: "pi",
  faccessat: "dpi",
  faccessat2: "dpix",
  readlink: "p",
  readlinkat: "dp",
  chdir: "p",
  execve: "p",
  execveat: "dp",
  rmdir: "p",
  name_to_handle_at: "dp",
  mkdir: "px",
  mkdirat: "dpx",
  mknod: "pxx",
  mknodat: "dpxx",
  symlink: "pp",
  symlinkat: "pdp",
  link: "pp",
  linkat: "dpdpx",
  unlink: "p",
  unlinkat: "dpx",
  rename: "pp",
  renameat: "dpdp",
  renameat2: "dpdpx",
  chmod: "px",
  fchmod: "ix",
  fchmodat: "dpx",
  fchmodat2: "dpxx",
  chown: "pii",
  lchown: "pii",
  fchown: "iii",
  fchownat: "dpiix",
  utimensat: "dp*x",
  getxattr: "pp*i",
  lgetxattr: "pp*i",
  fgetxattr: "ip*i",
  getxattrat: "dpxp",
  setxattr: "pp*ix",
  lsetxattr: "pp*ix",
  fsetxattr: "ip*ix",
  setxattrat: "dpxp",
  listxattr: "p*i",
  llistxattr: "p*i",
  flistxattr: "i*i",
  listxattrat: "dpx*i",
  removexattr: "pp",
  lremovexattr: "pp",
  fremovexattr: "ip",
  removexattrat: "dpxp",
  inotify_add_watch: "ipx",
  fanotify_mark: "ixxdp",
  ioctl: "irs",
  fcntl: "iix",
  truncate: "pi",
  ftruncate: "ii",
  fallocate: "ixii",
  read: "i*i",
  pread64: "i*ii",
  io_submit: "ii",
  lseek: "iii",
  fstat: "i",
  write: "i*i",
  pwrite64: "i*ii",
  writev: "i*i",
  pwritev: "i*ii",
  pwritev2: "i*ii*x",
  sendfile: "ii*i",
  copy_file_range: "i*i*ix",
  splice: "i*i*ix",
  madvise: "xix",
  fsync: "i",
  fdatasync: "i",
  readahead: "iii",
  sync_file_range: "iiix",
  prctl: "i",
  syslog: "i*i",
  kexec_load: "xi*x",
  kexec_file_load: "iii*x",
  reboot: "xxx",
  userfaultfd: "x",
  io_uring_setup: "i*",
};

/** One served call with the microseconds it took in luo. `answer` is undefined when the call killed its process. */
export function line(
  name: Call,
  call: Notification,
  answer: number | undefined,
  us: number,
  program: CallingProgram,
): string {
  const words = [...(ARGUMENTS[name] ?? "")].map((how, index) => word(how, call, index, program));
  const said = answer === undefined ? "?" : answer < 0 ? `-1 ${errnoName(answer)}` : String(answer);
  return `[pid ${call.tid}] ${name}(${words.join(", ")}) = ${said} <${Math.round(us)} us>`;
}

function word(how: string, { tid, args }: Notification, index: number, program: CallingProgram): string {
  const value = args[index] ?? 0n;
  switch (how) {
    case "p": {
      const path = program.path(tid, value);
      return typeof path === "string" ? JSON.stringify(path) : hexadecimal(value);
    }
    case "d":
      return BigInt.asIntN(32, value) === -100n ? "AT_FDCWD" : String(BigInt.asIntN(32, value));
    case "i":
      return String(BigInt.asIntN(64, value) < 0n ? BigInt.asIntN(32, value) : value);
    case "r":
      return REQUESTS[Number(value & 0xffff_ffffn)] ?? hexadecimal(value);
    case "s":
      return struct(Number(args[1] & 0xffff_ffffn), program.bytes(tid, value, luo.SESSION_STRUCT_SIZE)) ??
        hexadecimal(value);
    case "x":
      return hexadecimal(value);
    default:
      return "...";
  }
}

/** The fields of LUO's structs after the call. */
function struct(request: number, bytes: Uint8Array | number): string | undefined {
  if (typeof bytes === "number" || bytes.length < 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [size, fd] = [view.getUint32(0, true), view.getInt32(4, true)];
  switch (request) {
    case luo.LIVEUPDATE_IOCTL_CREATE_SESSION:
    case luo.LIVEUPDATE_IOCTL_RETRIEVE_SESSION:
    case luo.LIVEUPDATE_SESSION_GET_NAME: {
      const name = JSON.stringify(new TextDecoder().decode(luo.decodeName(bytes)));
      const what = request === luo.LIVEUPDATE_SESSION_GET_NAME ? "" : `fd=${fd}, `;
      return `{size=${size}, ${what}name=${name}}`;
    }
    case luo.LIVEUPDATE_SESSION_PRESERVE_FD:
    case luo.LIVEUPDATE_SESSION_RETRIEVE_FD:
      if (bytes.length < luo.FD_STRUCT_SIZE) return undefined;
      return `{size=${size}, fd=${fd}, token=${view.getBigUint64(8, true)}}`;
    case luo.LIVEUPDATE_SESSION_FINISH:
      return `{size=${size}}`;
  }
}

function hexadecimal(value: bigint): string {
  return `0x${value.toString(16)}`;
}
