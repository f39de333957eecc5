/** The steps to take after a failed system call, by operation and errno. */

/** CONFIG_KEXEC_SIG_FORCE, or UEFI Secure Boot with IMA's rules for the architecture. */
const SIGNED_ONLY = "this kernel takes signed images only";

/**
 * Hints for failed system calls, keyed by operation and errno: EBUSY from `open` means something else than EBUSY from
 * `preserve`. The operations are those of `LuoError`. A key without an errno serves every errno without a key of its own.
 */
const HINTS: Readonly<Record<string, readonly string[]>> = {
  "open ENOENT": [
    "this kernel has no live update: it needs CONFIG_LIVEUPDATE and liveupdate=on kho=on on its command line",
    "to try luo without it, on a software model of the kernel: --backend model",
  ],
  "open EACCES": ["only root may open the device"],
  "open EPERM": ["only root may open the device"],
  "open EBUSY": [
    "one program at a time holds the device: stop the other one (luo doctor names it), or try again",
  ],
  "open EIO": [
    "the kernel cannot read the handover of the previous kernel; that lasts until the next kexec",
    "go into the next kernel with: luo kexec load KERNEL, then luo kexec exec",
  ],
  "open EROFS": ["the directory of the agent's socket must be writable: use another with --socket"],
  "record ENOSPC": ["make room in the directory of the agent's socket, or use another: --socket"],
  "record EROFS": ["the directory of the agent's socket must be writable: use another with --socket"],
  "create EEXIST": ["list the sessions with: luo session list"],
  "create EINVAL": ["a session name has 1 to 63 bytes and no NUL"],
  "create EMFILE": ["the agent may hold no more file descriptors: raise its limit (LimitNOFILE=, ulimit -n)"],
  "create ENOSPC": ["the kernel takes no more sessions"],
  "retrieve ENOENT": ["list the sessions with: luo session list"],
  "retrieve EINVAL": ["the program that retrieved the session must restore its files and finish it"],
  "preserve EEXIST": ["list the tokens in use with: luo file list SESSION"],
  "preserve EBADF": ["the file descriptor must be open for reading or writing (not O_PATH)"],
  "preserve ENOENT": [
    "only memfds and unlinked tmpfs files can be preserved: copy the file with --from FILE",
  ],
  "preserve EBUSY": ["this file is preserved already, in this session or in another one"],
  "preserve EFBIG": ["a preserved file has at most 2^32-1 pages"],
  "preserve ENOMEM": ["all pages of a preserved file stay in memory: free some, or preserve less"],
  "preserve ENOSPC": ["the kernel takes no more files in this session: use another session"],
  "preserve EINVAL": ["files go into outgoing sessions only: create one with: luo session create NAME"],
  "restore ENOENT": ["list the tokens with: luo file list SESSION"],
  "restore ENOMEM": [
    "the kernel keeps this failure for the file: run the agent outside of small memory cgroups",
  ],
  "restore EMFILE": [
    "the agent may hold no more file descriptors: raise its limit (LimitNOFILE=, ulimit -n)",
  ],
  "finish EBUSY": ["the kernel still uses a file of this session: try again"],
  "kexec load ENOEXEC": [
    "this machine cannot boot this file: a bzImage (x86-64) or Image (arm64) is needed",
  ],
  "kexec load EPERM": [
    "loading needs CAP_SYS_BOOT; of /proc/sys/kernel, kexec_load_disabled must be 0 and kexec_load_limit_reboot not 0",
    "and where the kernel is locked down (/sys/kernel/security/lockdown), the image must be signed",
    "or LoadPin takes images only from the file system of its first module: the kernel's log says so (dmesg)",
  ],
  "kexec load EOPNOTSUPP": [
    "a kernel with TDX does no kexec on a CPU with the erratum tdx_pw_mce (/proc/cpuinfo, bugs): run one without TDX",
  ],
  "kexec load EBUSY": [
    "another program is loading an image: try again",
    "or this kernel cannot switch its CPUs off (arm64; dmesg: CPUs are stuck in the kernel): no kexec is possible",
  ],
  "kexec load ETXTBSY": [
    "a program writes to the file, half of which may be old: try again when it has ended",
  ],
  "kexec load EACCES": [
    "this kernel's policy (IMA, SELinux or IPE) refuses the image: the kernel's log says why (dmesg)",
  ],
  "kexec load EFBIG": ["kernel and initramfs may each have 2,147,483,647 bytes"],
  "kexec load ENOMEM": [
    "kernel and initramfs are read into memory: free some, or make the initramfs smaller",
  ],
  "kexec load EINVAL": [
    "the files must be regular and not empty, and on x86-64 the command line shorter than 2,017 bytes",
    "or (arm64) the file is no Image, or one with a page size or a byte order that this CPU does not have",
  ],
  "kexec load EIO": [
    "the file cannot be read as a whole: the kernel's log may name the disk's error (dmesg)",
  ],
  "kexec load ENOSYS": ["this kernel has no kexec_file_load(2): it needs CONFIG_KEXEC_FILE"],
  "kexec load EADDRNOTAVAIL": [
    "the image does not fit the scratch area: raise kho_scratch= on the running kernel's command line",
  ],
  // kimage_validate_signature() of kernel/kexec_file.c returns what crypto/asymmetric_keys says.
  "kexec load ENODATA": [
    `${SIGNED_ONLY}, and the image has no signature: sign it, or load the distribution's own`,
  ],
  "kexec load ENOKEY": [
    `${SIGNED_ONLY}, and does not know the key of this one: enroll it with: mokutil --import CERTIFICATE`,
  ],
  "kexec load EKEYREJECTED": [
    `${SIGNED_ONLY}: the signature is not of these bytes, its key is revoked, or it cannot be checked here`,
  ],
  "kexec load EBADMSG": [`${SIGNED_ONLY}, and the signature of this one is damaged`],
  "kexec load ENOPKG": [`${SIGNED_ONLY}, and has not the algorithm of this one's signature`],
  "kexec load ELIBBAD": [
    `${SIGNED_ONLY}, and the image is no whole EFI program (CONFIG_EFI_STUB), so that it carries none`,
  ],
  "kexec exec EINVAL": [
    "load an image first with: luo kexec load KERNEL",
    "where one is loaded: reboot(2) knows no kexec in a PID namespace of its own, as containers have",
  ],
  "kexec exec EPERM": ["a kexec needs CAP_SYS_BOOT in the first PID namespace"],
  "kexec exec EBUSY": [
    "an image is being loaded: try again",
    "or a file could not be frozen: the kernel's log says which (dmesg; on the model the machine's log)",
  ],
  "pidfd_open ESRCH": ["there is no such process"],
  "pidfd_open EINVAL": ["there is no such process"],
  "pidfd_getfd EBADF": ["that process has no such file descriptor: see /proc/PID/fd"],
  "pidfd_getfd EPERM": [
    "taking another process's file descriptor needs ptrace rights over it: be root or its owner",
  ],
  "pidfd_getfd ESRCH": ["the process has ended"],
  "seal EPERM": ["the file does not allow seals: it must be made with MFD_ALLOW_SEALING"],
  "seal EBUSY": ["a process has the file mapped writable, or it is preserved already"],
  "seal EINVAL": ["only memfds and tmpfs files can be sealed: copy the file with --from FILE"],
  "listen ENOENT": ["make the directory first: mkdir -p -m 700 DIRECTORY", "or choose another with --socket"],
  "start EBUSY": [
    "start it as systemd's service, which gives it the sessions: systemctl start luo-agent",
    "to lose them: systemctl clean --what=fdstore luo-agent, and then the same",
  ],
  "listen EEXIST": ["a file that is no socket is there: choose another place with --socket"],
  "read EBADF": ["the file descriptor is closed, or not open for reading"],
  "write EBADF": ["the file descriptor is closed, or not open for writing"],
  "write ENOSPC": [
    "the file system is full: --to has removed its file, --stdout keeps the bytes already written",
  ],
  "write EDQUOT": [
    "the disk quota is used up: --to has removed its file, --stdout keeps the bytes already written",
  ],
  "write EFBIG": ["the file system or ulimit -f takes no file of this size"],
  "execute ENOENT": ["there is no such command in PATH"],
  "execute EACCES": ["the file is not executable"],
};

/** The hints for a failed operation: one or none for most. */
export function hintsFor(operation: string, errno: string): readonly string[] {
  return HINTS[`${operation} ${errno}`] ?? HINTS[operation] ?? [];
}

/** All keys, for the test that compares them with the known operations and errnos. */
export const HINT_KEYS: readonly string[] = Object.keys(HINTS);
