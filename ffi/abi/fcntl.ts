/** Flags of open, fcntl, memfd_create, fallocate, mmap and poll (`asm-generic/fcntl.h`, `linux/memfd.h` and others). Pure data. */

/** open(2): for reading only. */
export const O_RDONLY = 0o0;
/** open(2): for writing only. */
export const O_WRONLY = 0o1;
/** open(2): for reading and writing. */
export const O_RDWR = 0o2;
/** The bits of the access mode in the flags of open(2). */
export const O_ACCMODE = 0o3;
/** open(2): makes the file when there is none. */
export const O_CREAT = 0o100;
/** open(2), with O_CREAT: fails with EEXIST when there is a file. */
export const O_EXCL = 0o200;
/** open(2): empties the file. */
export const O_TRUNC = 0o1000;
/** open(2): every write goes to the end of the file. */
export const O_APPEND = 0o2000;
/** open(2): calls give EAGAIN where they would wait. */
export const O_NONBLOCK = 0o4000;
/** open(2): execve(2) closes the file descriptor. */
export const O_CLOEXEC = 0o2000000;
/** open(2): a file descriptor that names a file, and neither reads nor writes it. */
export const O_PATH = 0o10000000;
// aarch64 has other values (`arch/arm64/include/uapi/asm/fcntl.h`): `translateOpenFlags` in abi/arch.ts.
/** open(2): fails with ENOTDIR for anything but a directory. The value of x86-64; libc of other architectures gets theirs. */
export const O_DIRECTORY = 0o200000;
/** open(2): fails with ELOOP for a symbolic link. The value of x86-64. */
export const O_NOFOLLOW = 0o400000;
/** open(2): files over 2 GiB; always set on 64 bits. The value of x86-64. */
export const O_LARGEFILE = 0o100000;
/** open(2) of a directory: a file without a name. The value of x86-64. */
export const O_TMPFILE: number = 0o20000000 | O_DIRECTORY;

/** lseek(2): from the start of the file. */
export const SEEK_SET = 0;
/** lseek(2): from the position. */
export const SEEK_CUR = 1;
/** lseek(2): from the end of the file. */
export const SEEK_END = 2;
/** lseek(2): to the next data. */
export const SEEK_DATA = 3;
/** lseek(2): to the next hole. */
export const SEEK_HOLE = 4;

/** fcntl(2): a copy of the file descriptor, with at least this number. */
export const F_DUPFD = 0;
/** fcntl(2): the flags of the file descriptor, FD_CLOEXEC. */
export const F_GETFD = 1;
/** fcntl(2): sets FD_CLOEXEC or clears it. */
export const F_SETFD = 2;
/** fcntl(2): the flags of open(2). */
export const F_GETFL = 3;
/** fcntl(2): sets O_APPEND and O_NONBLOCK. */
export const F_SETFL = 4;
/** fcntl(2): which signal tells of a broken lease. */
export const F_SETSIG = 10;
/** fcntl(2): takes a lease of the file. */
export const F_SETLEASE = 1024;
/** The kind of lease that an open for writing breaks. */
export const F_RDLCK = 0;
/** No lease: F_SETLEASE gives it back. */
export const F_UNLCK = 2;
/** fcntl(2): a copy of the file descriptor, which execve(2) closes. */
export const F_DUPFD_CLOEXEC = 1030;
/** fcntl(2): the number of bytes that a pipe can hold. */
export const F_SETPIPE_SZ = 1031;
/** fcntl(2): adds seals to a memfd or tmpfs file. */
export const F_ADD_SEALS = 1033;
/** fcntl(2): the seals of a memfd or tmpfs file. */
export const F_GET_SEALS = 1034;
/** The flag of F_GETFD and F_SETFD: execve(2) closes the file descriptor. */
export const FD_CLOEXEC = 1;

/** No more seals can be added. */
export const F_SEAL_SEAL = 0x01;
/** The file cannot become smaller. */
export const F_SEAL_SHRINK = 0x02;
/** The file cannot become larger. */
export const F_SEAL_GROW = 0x04;
/** The contents cannot change. */
export const F_SEAL_WRITE = 0x08;
/** The contents can change through mappings that exist already, and in no other way. */
export const F_SEAL_FUTURE_WRITE = 0x10;
/** The mode bits for execution cannot change. A file with this seal comes out of a live update sealed against writing. */
export const F_SEAL_EXEC = 0x20;

/** memfd_create(2): execve(2) closes the file descriptor. */
export const MFD_CLOEXEC = 0x01;
/** memfd_create(2): seals can be added. */
export const MFD_ALLOW_SEALING = 0x02;
/** memfd_create(2): of huge pages. LUO does not preserve such a file. */
export const MFD_HUGETLB = 0x04;
/** memfd_create(2): not executable, sealed with F_SEAL_EXEC, which harms a live update: see F_SEAL_EXEC. */
export const MFD_NOEXEC_SEAL = 0x08;
/** memfd_create(2): may be executed, and has no F_SEAL_EXEC. Right for files that are to be preserved. */
export const MFD_EXEC = 0x10;

/** fallocate(2): the size stays. */
export const FALLOC_FL_KEEP_SIZE = 0x01;
/** fallocate(2), with FALLOC_FL_KEEP_SIZE: frees the pages of the range. */
export const FALLOC_FL_PUNCH_HOLE = 0x02;
/** fallocate(2): takes the range out of the file. */
export const FALLOC_FL_COLLAPSE_RANGE = 0x08;
/** fallocate(2): the range reads as zeros. */
export const FALLOC_FL_ZERO_RANGE = 0x10;

/** mmap(2): no access. */
export const PROT_NONE = 0;
/** mmap(2): the pages can be read. */
export const PROT_READ = 1;
/** mmap(2): the pages can be written. */
export const PROT_WRITE = 2;
/** mmap(2): writes go to the file. */
export const MAP_SHARED = 1;
/** mmap(2): writes go to copies of the pages. */
export const MAP_PRIVATE = 2;
/** mmap(2): memory without a file. */
export const MAP_ANONYMOUS = 0x20;
/** madvise(2): takes the pages out of this process. */
export const MADV_DONTNEED = 4;
/** madvise(2): frees the pages of the file. */
export const MADV_REMOVE = 9;

/** poll(2): there is something to read. */
export const POLLIN = 0x01;
/** poll(2): a write would not wait. */
export const POLLOUT = 0x04;

/** The bits of the file's kind in `Stat.mode`. */
export const S_IFMT = 0o170000;
/** A socket, in `Stat.mode`. */
export const S_IFSOCK = 0o140000;
/** A symbolic link, in `Stat.mode`. */
export const S_IFLNK = 0o120000;
/** A regular file, in `Stat.mode`; memfds too. */
export const S_IFREG = 0o100000;
/** A directory, in `Stat.mode`. */
export const S_IFDIR = 0o040000;
/** A character device, in `Stat.mode`. */
export const S_IFCHR = 0o020000;
/** A pipe, in `Stat.mode`. */
export const S_IFIFO = 0o010000;
