/**
 * The decision for every system call of Linux 7.3.4, x86-64 and aarch64: luo serves it, or the host's kernel makes it and why.
 * `tests/emulate/system_call_table_test.ts` compares this table with the kernel's own list.
 */

/** A trapped call reaches luo. luo answers it, or lets the host's kernel make it after all. */
interface Trap {
  /** The numbers of x86-64 (`syscall_64.tbl`) and aarch64 (`asm-generic/unistd.h`); aarch64 lacks the calls with one number. */
  readonly nr: readonly [number, number?];
  /** Trapped only when this argument, after the mask, has this value. */
  readonly when?: { readonly argument: number; readonly mask?: number; readonly is: number };
  /** Not trapped when this argument has this value. */
  readonly unless?: { readonly argument: number; readonly is: number };
  /**
   * Trapped with --strict only; "any argument": with --strict whatever `when` says. Each trap costs a round trip. "watched": only by
   * number, see `watched`. "traced": with --strict only where the guard may trace.
   */
  readonly strict?: true | "any argument" | "watched" | "traced";
  /**
   * With --strict, where the guard may trace: the call is stopped when one of these arguments is a number of an fd that concerns the machine;
   * empty: always, in a process that has such a number. A call with `strict: true` is then not trapped besides.
   */
  readonly watched?: readonly number[];
  /** The argument with the flags: with AT_EMPTY_PATH, the call is about the fd, which is watched. */
  readonly emptyPath?: number;
  /** The argument with the flags of an open. Where tripwires lie (tripwires.ts), an open that only reads is not trapped. */
  readonly opens?: number;
  /** It gives an fd another number. It is watched without --strict too. */
  readonly copies?: true;
}

/** The guard makes the call in the program with this in an argument that the kernel does not look at (watch.c: GUARDS_MARK). */
const GUARDS = { argument: 3, is: 0x6c756f21 };
/**
 * _IOC_TYPE of LUO's requests, 0xba; of those that reserve a file's pages, 0x58; and 0xaa, by which an open /dev/userfaultfd makes a userfaultfd. Of
 * other types few have these bits, and terminals, sockets and KVM do not.
 */
const LIVEUPDATE_TYPE = { argument: 1, mask: 0x0d00, is: 0x0800 };
const F_ADD_SEALS = { argument: 1, is: 1033 };
const MADV_REMOVE = { argument: 2, is: 9 };
/** PR_GET_SECCOMP, PR_SET_SECCOMP, and 20 and 23, which luo leaves to the host. */
const PR_SECCOMP = { argument: 0, mask: 0xffff_fffc, is: 20 };
const CLONE_NEWNS = { argument: 0, mask: 0x20000, is: 0x20000 };

export const TRAPS = {
  // The device and session fds, and what may be preserved.
  ioctl: { nr: [16, 29], when: LIVEUPDATE_TYPE, strict: "any argument", watched: [0] },
  fcntl: { nr: [72, 25], when: F_ADD_SEALS, strict: "any argument", watched: [0] },
  madvise: { nr: [28, 233], when: MADV_REMOVE },
  process_madvise: { nr: [440, 440], when: { argument: 3, is: 9 } },
  open_by_handle_at: { nr: [304, 265] },
  truncate: { nr: [76, 45] },
  ftruncate: { nr: [77, 46] },
  fallocate: { nr: [285, 47] },
  // Opening a file by its path, and looking at it.
  open: { nr: [2], opens: 1 },
  creat: { nr: [85] },
  openat: { nr: [257, 56], opens: 2 },
  openat2: { nr: [437, 437] },
  stat: { nr: [4] },
  lstat: { nr: [6] },
  newfstatat: { nr: [262, 79], watched: [0], emptyPath: 3 },
  statx: { nr: [332, 291], watched: [0], emptyPath: 2 },
  access: { nr: [21] },
  faccessat: { nr: [269, 48] },
  faccessat2: { nr: [439, 439] },
  readlink: { nr: [89] },
  readlinkat: { nr: [267, 78] },
  statfs: { nr: [137, 43] },
  inotify_add_watch: { nr: [254, 27] },
  fanotify_mark: { nr: [301, 263] },
  // Making, moving and removing names: never those of the device in the host's /dev.
  mkdir: { nr: [83] },
  mkdirat: { nr: [258, 34] },
  mknod: { nr: [133] },
  mknodat: { nr: [259, 33] },
  symlink: { nr: [88] },
  symlinkat: { nr: [266, 36] },
  link: { nr: [86] },
  linkat: { nr: [265, 37] },
  unlink: { nr: [87] },
  unlinkat: { nr: [263, 35] },
  rename: { nr: [82] },
  renameat: { nr: [264, 38] },
  renameat2: { nr: [316, 276] },
  bind: { nr: [49, 200] },
  connect: { nr: [42, 203] },
  // Attributes.
  chmod: { nr: [90] },
  fchmodat: { nr: [268, 53] },
  fchmodat2: { nr: [452, 452] },
  chown: { nr: [92] },
  lchown: { nr: [94] },
  fchownat: { nr: [260, 54] },
  utime: { nr: [132] },
  utimes: { nr: [235] },
  futimesat: { nr: [261] },
  utimensat: { nr: [280, 88] },
  setxattr: { nr: [188, 5] },
  lsetxattr: { nr: [189, 6] },
  fsetxattr: { nr: [190, 7] },
  getxattr: { nr: [191, 8] },
  lgetxattr: { nr: [192, 9] },
  fgetxattr: { nr: [193, 10] },
  listxattr: { nr: [194, 11] },
  llistxattr: { nr: [195, 12] },
  flistxattr: { nr: [196, 13] },
  removexattr: { nr: [197, 14] },
  lremovexattr: { nr: [198, 15] },
  fremovexattr: { nr: [199, 16] },
  setxattrat: { nr: [463, 463] },
  getxattrat: { nr: [464, 464] },
  listxattrat: { nr: [465, 465] },
  removexattrat: { nr: [466, 466] },
  fchmod: { nr: [91, 52], strict: true, watched: [0] },
  fchown: { nr: [93, 55], strict: true, watched: [0] },
  fstatfs: { nr: [138, 44], strict: true, watched: [0] },
  fstat: { nr: [5, 80], strict: true, watched: [0] },
  // Going to a file by its path: not to the device.
  chdir: { nr: [80, 49] },
  execve: { nr: [59, 221] },
  execveat: { nr: [322, 281] },
  rmdir: { nr: [84] },
  name_to_handle_at: { nr: [303, 264] },
  // After these calls a path may name another file.
  chroot: { nr: [161, 51] },
  fchroot: { nr: [472, 472] },
  mount: { nr: [165, 40] },
  umount2: { nr: [166, 39] },
  move_mount: { nr: [429, 429] },
  pivot_root: { nr: [155, 41] },
  setns: { nr: [308, 268] },
  unshare: { nr: [272, 97], when: CLONE_NEWNS },
  // The machine itself.
  uname: { nr: [63, 160] },
  sethostname: { nr: [170, 161] },
  setdomainname: { nr: [171, 162] },
  prctl: { nr: [157, 167], when: PR_SECCOMP },
  syslog: { nr: [103, 116] },
  kexec_load: { nr: [246, 104] },
  kexec_file_load: { nr: [320, 294] },
  reboot: { nr: [169, 142] },
  // From now on memory of the program may be filled by the program.
  userfaultfd: { nr: [323, 282] },
  // Its requests would pass by every trap.
  io_uring_setup: { nr: [425, 425] },
  // Data: a preserved file does not grow, and a session or the device is not read, written or mapped.
  read: { nr: [0, 63], strict: true, watched: [0] },
  pread64: { nr: [17, 67], strict: true, watched: [0] },
  readv: { nr: [19, 65], strict: true, watched: [0] },
  preadv: { nr: [295, 69], strict: true, watched: [0] },
  preadv2: { nr: [327, 286], strict: true, watched: [0] },
  write: { nr: [1, 64], strict: true, watched: [0] },
  pwrite64: { nr: [18, 68], strict: true, watched: [0] },
  writev: { nr: [20, 66], strict: true, watched: [0] },
  pwritev: { nr: [296, 70], strict: true, watched: [0] },
  pwritev2: { nr: [328, 287], strict: true, watched: [0] },
  sendfile: { nr: [40, 71], strict: true, watched: [0, 1] },
  copy_file_range: { nr: [326, 285], strict: true, watched: [0, 2] },
  splice: { nr: [275, 76], strict: true, watched: [0, 2] },
  lseek: { nr: [8, 62], strict: true, watched: [0] },
  mmap: { nr: [9, 222], strict: true, watched: [4] },
  io_submit: { nr: [209, 2], strict: true, watched: [] },
  fsync: { nr: [74, 82], strict: true, watched: [0] },
  fdatasync: { nr: [75, 83], strict: true, watched: [0] },
  sync_file_range: { nr: [277, 84], strict: true, watched: [0] },
  // Copies of an fd: their numbers are watched like the first.
  dup: { nr: [32, 23], strict: "watched", watched: [0], copies: true },
  dup2: { nr: [33], strict: "watched", watched: [0], copies: true },
  dup3: { nr: [292, 24], strict: "watched", watched: [0], copies: true },
  sendmsg: { nr: [46, 211], strict: "watched", watched: [] },
  sendmmsg: { nr: [307, 269], strict: "watched", watched: [] },
  recvmsg: { nr: [47, 212], strict: "traced" },
  recvmmsg: { nr: [299, 243], strict: "traced" },
  pidfd_getfd: { nr: [438, 438], strict: "traced" },
  fanotify_init: { nr: [300, 262], strict: "traced" },
  // Before a filter of the program forbids the guard to install another.
  seccomp: { nr: [317, 277], strict: "traced", unless: GUARDS },
  readahead: { nr: [187, 213], strict: true, watched: [0] },
  // An fd of O_PATH can do none of these; for every other fd the memfd underneath gives the errno of Linux.
  flock: { nr: [73, 32], strict: "watched", watched: [0] },
  syncfs: { nr: [306, 267], strict: "watched", watched: [0] },
  fadvise64: { nr: [221, 223], strict: "watched", watched: [0] },
  getdents: { nr: [78], strict: "watched", watched: [0] },
  getdents64: { nr: [217, 61], strict: "watched", watched: [0] },
  tee: { nr: [276, 77], strict: "watched", watched: [0, 1] },
  vmsplice: { nr: [278, 75], strict: "watched", watched: [0] },
  epoll_ctl: { nr: [233, 21], strict: "watched", watched: [0, 2] },
  epoll_wait: { nr: [232], strict: "watched", watched: [0] },
  epoll_pwait: { nr: [281, 22], strict: "watched", watched: [0] },
  epoll_pwait2: { nr: [441, 441], strict: "watched", watched: [0] },
  sendto: { nr: [44, 206], strict: "watched", watched: [0] },
  recvfrom: { nr: [45, 207], strict: "watched", watched: [0] },
  shutdown: { nr: [48, 210], strict: "watched", watched: [0] },
  listen: { nr: [50, 201], strict: "watched", watched: [0] },
  accept: { nr: [43, 202], strict: "watched", watched: [0] },
  accept4: { nr: [288, 242], strict: "watched", watched: [0] },
  getsockname: { nr: [51, 204], strict: "watched", watched: [0] },
  getpeername: { nr: [52, 205], strict: "watched", watched: [0] },
  setsockopt: { nr: [54, 208], strict: "watched", watched: [0] },
  getsockopt: { nr: [55, 209], strict: "watched", watched: [0] },
  timerfd_settime: { nr: [286, 86], strict: "watched", watched: [0] },
  timerfd_gettime: { nr: [287, 87], strict: "watched", watched: [0] },
  signalfd: { nr: [282], strict: "watched", watched: [0] },
  signalfd4: { nr: [289, 74], strict: "watched", watched: [0] },
  inotify_rm_watch: { nr: [255, 28], strict: "watched", watched: [0] },
  fsconfig: { nr: [431, 431], strict: "watched", watched: [0] },
  fsmount: { nr: [432, 432], strict: "watched", watched: [0] },
} as const satisfies Readonly<Record<string, Trap>>;

export type Call = keyof typeof TRAPS;

/** The calls that the host's kernel makes, by the reason why luo need not see them. */
export const PASSED: Readonly<Record<string, string>> = {
  "It takes neither a path nor an fd nor the size of a file": `
    rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend rt_tgsigqueueinfo
    sigaltstack pause nanosleep clock_nanosleep getitimer setitimer alarm getpid getppid gettid getpgid getpgrp getsid setpgid
    setsid fork vfork clone clone3 exit exit_group wait4 waitid kill tkill tgkill futex futex_waitv futex_wake futex_wait
    futex_requeue set_robust_list get_robust_list restart_syscall set_tid_address rseq rseq_slice_yield membarrier sched_yield
    sched_setparam sched_getparam sched_setscheduler sched_getscheduler sched_get_priority_max sched_get_priority_min
    sched_rr_get_interval sched_setaffinity sched_getaffinity sched_setattr sched_getattr getpriority setpriority ioprio_set
    ioprio_get getcpu time times gettimeofday settimeofday clock_settime clock_gettime clock_getres clock_adjtime adjtimex
    timer_create timer_settime timer_gettime timer_getoverrun timer_delete getrlimit setrlimit prlimit64 getrusage sysinfo
    umask getuid geteuid getgid getegid setuid setgid setreuid setregid setresuid getresuid setresgid getresgid setfsuid setfsgid
    getgroups setgroups capget capset personality ptrace arch_prctl getrandom
    vhangup iopl ioperm modify_ldt set_thread_area get_thread_area kcmp getcwd add_key request_key keyctl bpf perf_event_open
    lsm_get_self_attr lsm_set_self_attr lsm_list_modules init_module delete_module uretprobe uprobe listns`,
  "It works on memory: contents of a preserved file may change, its size does not": `
    mprotect munmap brk mremap msync mincore mlock munlock mlock2 mlockall munlockall remap_file_pages mbind set_mempolicy
    get_mempolicy set_mempolicy_home_node migrate_pages move_pages pkey_mprotect pkey_alloc pkey_free map_shadow_stack mseal
    process_vm_readv process_vm_writev process_mrelease shmget shmat shmctl shmdt`,
  "It makes an fd that is neither the device nor a session": `
    pipe pipe2 socket socketpair eventfd eventfd2 timerfd_create epoll_create epoll_create1 inotify_init inotify_init1
    memfd_create memfd_secret pidfd_open landlock_create_ruleset landlock_add_rule landlock_restrict_self
    mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr msgget msgsnd msgrcv msgctl semget semop semctl
    semtimedop`,
  "It closes an fd: the host does that with the memfd underneath": `
    close close_range`,
  "It waits for an fd: the memfd underneath is always ready, as on Linux": `
    poll ppoll select pselect6`,
  "On a session or the device the memfd underneath gives the errno of Linux": `
    fchdir pidfd_send_signal quotactl_fd`,
  "On a session or the device the memfd underneath answers (divergence 4)": `cachestat`,
  "It fails for the device as on Linux, with ENOENT where Linux says ENOTDIR, EACCES or EINVAL (divergence 5)":
    `
    swapon swapoff acct uselib quotactl fspick file_getattr file_setattr`,
  "It would succeed on Linux and fails with ENOENT (divergence 5)": `open_tree open_tree_attr mount_setattr`,
  "It is about whole file systems, not files": `
    sync ustat sysfs fsopen statmount listmount`,
  "It waits for what io_submit began": `io_setup io_destroy io_getevents io_pgetevents io_cancel`,
  "It needs an fd that luo does not give (io_uring_setup is refused)": `io_uring_enter io_uring_register`,
  "It loads code into the host's kernel, which luo does not emulate": `finit_module`,
  "Linux 7.3.4 has no such call any more (ENOSYS)": `
    _sysctl create_module get_kernel_syms query_module nfsservctl getpmsg putpmsg afs_syscall tuxcall security
    epoll_ctl_old epoll_wait_old vserver lookup_dcookie`,
};
