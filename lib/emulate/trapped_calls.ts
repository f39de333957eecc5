/** The system calls that are served, by number; everything else runs untouched. */

export type Call =
  | "open"
  | "openat"
  | "openat2"
  | "stat"
  | "lstat"
  | "newfstatat"
  | "statx"
  | "access"
  | "faccessat"
  | "faccessat2"
  | "ioctl"
  | "fcntl"
  | "ftruncate"
  | "fallocate"
  | "kexec_file_load"
  | "reboot"
  | "write"
  | "pwrite64"
  | "writev"
  | "pwritev"
  | "pwritev2"
  | "madvise"
  | "symlink"
  | "symlinkat"
  | "rename"
  | "renameat"
  | "renameat2"
  | "chroot"
  | "uname"
  | "sendfile"
  | "readlink"
  | "readlinkat"
  | "read"
  | "pread64"
  | "lseek"
  | "mmap"
  | "fstat";

/** A call is trapped always, or when one of its arguments (masked) is this. */
export interface Trap {
  readonly nr: number;
  readonly when?: { readonly argument: number; readonly mask?: number; readonly is: number };
  /** Only with --strict, or then with any argument: each of them costs a round trip. */
  readonly strict?: true | "any argument";
}

/** _IOC_TYPE of LUO's requests, where it is in the number. */
const LIVEUPDATE_TYPE = { argument: 1, mask: 0xff00, is: 0xba00 };
const MADV_REMOVE = { argument: 2, is: 9 };
const F_ADD_SEALS = { argument: 1, is: 1033 };

/** arch/x86/entry/syscalls/syscall_64.tbl */
const x86_64: Readonly<Record<Call, Trap>> = {
  open: { nr: 2 },
  openat: { nr: 257 },
  openat2: { nr: 437 },
  stat: { nr: 4 },
  lstat: { nr: 6 },
  newfstatat: { nr: 262 },
  statx: { nr: 332 },
  access: { nr: 21 },
  faccessat: { nr: 269 },
  faccessat2: { nr: 439 },
  ioctl: { nr: 16, when: LIVEUPDATE_TYPE, strict: "any argument" },
  fcntl: { nr: 72, when: F_ADD_SEALS, strict: "any argument" },
  ftruncate: { nr: 77 },
  fallocate: { nr: 285 },
  kexec_file_load: { nr: 320 },
  reboot: { nr: 169 },
  write: { nr: 1, strict: true },
  pwrite64: { nr: 18, strict: true },
  writev: { nr: 20, strict: true },
  pwritev: { nr: 296, strict: true },
  pwritev2: { nr: 328, strict: true },
  madvise: { nr: 28, when: MADV_REMOVE },
  symlink: { nr: 88 },
  symlinkat: { nr: 266 },
  rename: { nr: 82 },
  renameat: { nr: 264 },
  renameat2: { nr: 316 },
  chroot: { nr: 161 },
  uname: { nr: 63 },
  sendfile: { nr: 40, strict: true },
  readlink: { nr: 89 },
  readlinkat: { nr: 267 },
  read: { nr: 0, strict: true },
  pread64: { nr: 17, strict: true },
  lseek: { nr: 8, strict: true },
  mmap: { nr: 9, strict: true },
  fstat: { nr: 5, strict: true },
};

/** include/uapi/asm-generic/unistd.h: what is missing, this architecture never had. Not run anywhere yet. */
const aarch64: Readonly<Partial<Record<Call, Trap>>> = {
  openat: { nr: 56 },
  openat2: { nr: 437 },
  newfstatat: { nr: 79 },
  statx: { nr: 291 },
  faccessat: { nr: 48 },
  faccessat2: { nr: 439 },
  ioctl: { ...x86_64.ioctl, nr: 29 },
  fcntl: { ...x86_64.fcntl, nr: 25 },
  ftruncate: { nr: 46 },
  fallocate: { nr: 47 },
  kexec_file_load: { nr: 294 },
  reboot: { nr: 142 },
  write: { nr: 64, strict: true },
  pwrite64: { nr: 68, strict: true },
  writev: { nr: 66, strict: true },
  pwritev: { nr: 70, strict: true },
  pwritev2: { nr: 287, strict: true },
  madvise: { ...x86_64.madvise, nr: 233 },
  symlinkat: { nr: 36 },
  renameat: { nr: 38 },
  renameat2: { nr: 276 },
  chroot: { nr: 51 },
  uname: { nr: 160 },
  sendfile: { nr: 71, strict: true },
  readlinkat: { nr: 78 },
  read: { nr: 63, strict: true },
  pread64: { nr: 67, strict: true },
  lseek: { nr: 62, strict: true },
  mmap: { nr: 222, strict: true },
  fstat: { nr: 80, strict: true },
};

/** AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 */
export const ARCHITECTURES: Readonly<
  Record<typeof Deno.build.arch, { audit: number; calls: Readonly<Partial<Record<Call, Trap>>> }>
> = {
  x86_64: { audit: 0xc000_003e, calls: x86_64 },
  aarch64: { audit: 0xc000_00b7, calls: aarch64 },
};

/** The one this process runs on. */
export const ARCHITECTURE = ARCHITECTURES[Deno.build.arch];

export function traps(strict: boolean, { calls } = ARCHITECTURE): readonly [Call, Trap][] {
  const all = Object.entries(calls) as [Call, Trap][];
  if (!strict) return all.filter(([, trap]) => trap.strict !== true);
  return all.map(([name, trap]) => [name, trap.strict === "any argument" ? { nr: trap.nr } : trap]);
}
