/** The symbols of glibc that luo calls, each with its C declaration. */

/**
 * A `ssize_t` is an `i32`: Linux moves at most 0x7ffff000 bytes in a call, and the answer is then a number. A bigint would be an
 * allocation between the call and the read of errno (see ffi/libc.ts).
 */
export const symbols = {
  // int *__errno_location(void)
  __errno_location: { parameters: [], result: "pointer" },

  // int open(const char *path, int flags, mode_t mode)
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int dup(int fd)
  dup: { parameters: ["i32"], result: "i32" },
  // int fcntl(int fd, int command, long argument)
  fcntl: { parameters: ["i32", "i32", "i64"], result: "i32" },
  // int ioctl(int fd, unsigned long request, void *argument); the kernel takes 32 bits of the request
  ioctl: { parameters: ["i32", "u32", "buffer"], result: "i32" },
  ioctl_address: { name: "ioctl", parameters: ["i32", "u32", "u64"], result: "i32" },
  // ssize_t read(int fd, void *into, size_t count)
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // ssize_t write(int fd, const void *from, size_t count)
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // ssize_t pread(int fd, void *into, size_t count, off_t offset)
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  // ssize_t pwrite(int fd, const void *from, size_t count, off_t offset)
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  pwrite_nonblocking: {
    name: "pwrite",
    parameters: ["i32", "buffer", "usize", "i64"],
    result: "i32",
    nonblocking: true,
  },
  // off_t lseek(int fd, off_t offset, int whence); lseek_failure repeats a failed call to read its errno
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  lseek_failure: { name: "lseek", parameters: ["i32", "i64", "i32"], result: "i32" },
  // int ftruncate(int fd, off_t length)
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  // int fallocate(int fd, int mode, off_t offset, off_t length)
  fallocate: { parameters: ["i32", "i32", "i64", "i64"], result: "i32" },
  // int chmod(const char *path, mode_t mode)
  chmod: { parameters: ["buffer", "u32"], result: "i32" },
  // int fchown(int fd, uid_t owner, gid_t group)
  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  // int fchmod(int fd, mode_t mode)
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  // int fsync(int fd)
  fsync: { parameters: ["i32"], result: "i32" },
  // int flock(int fd, int operation)
  flock: { parameters: ["i32", "i32"], result: "i32" },
  // int statx(int dirfd, const char *path, int flags, unsigned int mask, struct statx *into)
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  // int fstatfs(int fd, struct statfs *into)
  fstatfs: { parameters: ["i32", "buffer"], result: "i32" },
  // int rename(const char *from, const char *to)
  rename: { parameters: ["buffer", "buffer"], result: "i32" },
  // int access(const char *path, int mode)
  access: { parameters: ["buffer", "i32"], result: "i32" },
  // int unlink(const char *path)
  unlink: { parameters: ["buffer"], result: "i32" },
  // int rmdir(const char *path)
  rmdir: { parameters: ["buffer"], result: "i32" },
  // int mkdir(const char *path, mode_t mode)
  mkdir: { parameters: ["buffer", "u32"], result: "i32" },
  // int futimens(int fd, const struct timespec times[2])
  futimens: { parameters: ["i32", "buffer"], result: "i32" },
  // int symlink(const char *target, const char *path)
  symlink: { parameters: ["buffer", "buffer"], result: "i32" },
  // int mkfifo(const char *path, mode_t mode)
  mkfifo: { parameters: ["buffer", "u32"], result: "i32" },
  // ssize_t readlink(const char *path, char *into, size_t size)
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  // int linkat(int fromdir, const char *from, int todir, const char *to, int flags)
  linkat: { parameters: ["i32", "buffer", "i32", "buffer", "i32"], result: "i32" },
  // int memfd_create(const char *name, unsigned int flags)
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // ssize_t sendfile(int out, int in, off_t *offset, size_t count)
  sendfile: { parameters: ["i32", "i32", "buffer", "usize"], result: "i32" },
  // int pipe2(int fds[2], int flags)
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },

  // int socket(int domain, int type, int protocol)
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int socketpair(int domain, int type, int protocol, int fds[2])
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // int bind(int fd, const struct sockaddr *address, socklen_t length)
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int listen(int fd, int backlog)
  listen: { parameters: ["i32", "i32"], result: "i32" },
  // int connect(int fd, const struct sockaddr *address, socklen_t length)
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
  accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  // int shutdown(int fd, int how)
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  // ssize_t send(int fd, const void *data, size_t length, int flags)
  send: { parameters: ["i32", "buffer", "u64", "i32"], result: "i32" },
  // ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // ssize_t recvmsg(int fd, struct msghdr *message, int flags)
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // int getsockname(int fd, struct sockaddr *address, socklen_t *length)
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  // int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },

  // int inotify_init1(int flags)
  inotify_init1: { parameters: ["i32"], result: "i32" },
  // int inotify_add_watch(int fd, const char *path, uint32_t mask)
  inotify_add_watch: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int fanotify_mark(int fd, unsigned int flags, uint64_t mask, int dirfd, const char *path)
  fanotify_mark: { parameters: ["i32", "u32", "u64", "i32", "buffer"], result: "i32" },

  // int epoll_create1(int flags)
  epoll_create1: { parameters: ["i32"], result: "i32" },
  // int epoll_ctl(int epfd, int operation, int fd, struct epoll_event *event)
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // int epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms)
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  epoll_wait_nonblocking: {
    name: "epoll_wait",
    parameters: ["i32", "buffer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  // int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },

  // pid_t getpid(void)
  getpid: { parameters: [], result: "i32" },
  // pid_t getppid(void)
  getppid: { parameters: [], result: "i32" },
  // uid_t geteuid(void)
  geteuid: { parameters: [], result: "u32" },
  // int kill(pid_t pid, int signal)
  kill: { parameters: ["i32", "i32"], result: "i32" },
  // int execvpe(const char *file, char *const argv[], char *const envp[])
  execvpe: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  // int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
  //                 const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
  posix_spawn: { parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer"], result: "i32" },
  // int posix_spawnp(...): the same, but searches PATH for the program
  posix_spawnp: { parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer"], result: "i32" },
  // int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions)
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  // int posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions, int fd, const char *path, int flags, mode_t mode)
  posix_spawn_file_actions_addopen: { parameters: ["buffer", "i32", "buffer", "i32", "u32"], result: "i32" },
  // int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int fd, int as)
  posix_spawn_file_actions_adddup2: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  // int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
  posix_spawn_file_actions_destroy: { parameters: ["buffer"], result: "i32" },
  // int posix_spawnattr_init(posix_spawnattr_t *attributes)
  posix_spawnattr_init: { parameters: ["buffer"], result: "i32" },
  // int posix_spawnattr_setflags(posix_spawnattr_t *attributes, short flags)
  posix_spawnattr_setflags: { parameters: ["buffer", "i16"], result: "i32" },
  // int posix_spawnattr_setsigdefault(posix_spawnattr_t *attributes, const sigset_t *signals)
  posix_spawnattr_setsigdefault: { parameters: ["buffer", "buffer"], result: "i32" },
  // int posix_spawnattr_setsigmask(posix_spawnattr_t *attributes, const sigset_t *signals)
  posix_spawnattr_setsigmask: { parameters: ["buffer", "buffer"], result: "i32" },
  // int posix_spawnattr_destroy(posix_spawnattr_t *attributes)
  posix_spawnattr_destroy: { parameters: ["buffer"], result: "i32" },
  // int sigprocmask(int how, const sigset_t *set, sigset_t *old)
  sigprocmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  // sighandler_t signal(int signal, sighandler_t handler)
  signal: { parameters: ["i32", "u64"], result: "u64" },

  // ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long, const struct iovec *remote, unsigned long,
  //                          unsigned long flags)
  process_vm_readv: { parameters: ["i32", "buffer", "u64", "buffer", "u64", "u64"], result: "i32" },
  process_vm_readv_nonblocking: {
    name: "process_vm_readv",
    parameters: ["i32", "buffer", "u64", "buffer", "u64", "u64"],
    result: "i32",
    nonblocking: true,
  },
  process_vm_writev: { parameters: ["i32", "buffer", "u64", "buffer", "u64", "u64"], result: "i32" },
  process_vm_writev_nonblocking: {
    name: "process_vm_writev",
    parameters: ["i32", "buffer", "u64", "buffer", "u64", "u64"],
    result: "i32",
    nonblocking: true,
  },
  // int prctl(int option, unsigned long, unsigned long, unsigned long, unsigned long)
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  // int prlimit(pid_t pid, int resource, const struct rlimit *new, struct rlimit *old)
  prlimit: { parameters: ["i32", "i32", "buffer", "buffer"], result: "i32" },
  // pid_t waitpid(pid_t pid, int *status, int options)
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  waitpid_nonblocking: {
    name: "waitpid",
    parameters: ["i32", "buffer", "i32"],
    result: "i32",
    nonblocking: true,
  },
  // int waitid(idtype_t type, id_t id, siginfo_t *into, int options)
  waitid_nonblocking: {
    name: "waitid",
    parameters: ["i32", "u32", "buffer", "i32"],
    result: "i32",
    nonblocking: true,
  },

  // void *mmap(void *address, size_t length, int prot, int flags, int fd, off_t offset)
  mmap: { parameters: ["u64", "u64", "i32", "i32", "i32", "i64"], result: "u64" },
  // int munmap(void *address, size_t length)
  munmap: { parameters: ["u64", "u64"], result: "i32" },
  // int mprotect(void *address, size_t length, int prot)
  mprotect: { parameters: ["u64", "u64", "i32"], result: "i32" },
  // int madvise(void *address, size_t length, int advice)
  madvise: { parameters: ["u64", "u64", "i32"], result: "i32" },
  // int memcmp(const void *a, const void *b, size_t count)
  memcmp: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  // void *memcpy(void *to, const void *from, size_t count): to an address, and from an address
  memcpy_store: { name: "memcpy", parameters: ["u64", "buffer", "usize"], result: "void" },
  memcpy_load: { name: "memcpy", parameters: ["buffer", "u64", "usize"], result: "void" },

  // int clock_gettime(clockid_t clock, struct timespec *into)
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  // int uname(struct utsname *into)
  uname: { parameters: ["buffer"], result: "i32" },
  // int reboot(int command)
  reboot: { parameters: ["i32"], result: "i32" },
  // void sync(void)
  sync: { parameters: [], result: "void" },
  // long syscall(long number, ...): the calls without a wrapper in glibc
  syscall_pidfd_open: { name: "syscall", parameters: ["i64", "i32", "u32"], result: "i32" },
  syscall_pidfd_getfd: { name: "syscall", parameters: ["i64", "i32", "i32", "u32"], result: "i32" },
  syscall_getdents64: { name: "syscall", parameters: ["i64", "i32", "buffer", "u64"], result: "i32" },
  syscall_kexec_file_load: {
    name: "syscall",
    parameters: ["i64", "i32", "i32", "u64", "u64", "u64"],
    result: "i32",
  },
} as const;
