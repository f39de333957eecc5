/*
 * One random system call. The kinds of the arguments are letters:
 * f an fd, a any address, b a buffer, p a path, s a size, n a number, o flags of open, d AT_FDCWD or an fd, m a mode, A flags of *at calls, c an fcntl
 * command, r a request of ioctl, w a whence, v an iovec, M a msghdr, k SOCK flags, 0 zero. Only what cannot hurt the host is here: paths that are
 * changed are the machine's own, and the fds of a client are its own.
 */
#include "wild.h"
#include <fcntl.h>
#include <linux/stat.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

__thread struct doing *doing;

void begins(long nr, const long args[6])
{
	if (!doing) return;
	for (int at = 0; at < 6; at++) doing->args[at] = args[at];
	doing->nr = nr;
}

void is_over(void)
{
	if (!doing) return;
	doing->nr = -1;
	doing->count++;
}

int may_wait(long nr)
{
	static const long waiting[] = {
		SYS_read, SYS_readv, SYS_preadv2, SYS_write, SYS_writev, SYS_pwritev2, SYS_sendfile, SYS_copy_file_range, SYS_splice, SYS_tee, SYS_vmsplice,
		SYS_connect, SYS_accept4, SYS_sendmsg, SYS_recvmsg, SYS_sendmmsg, SYS_recvmmsg, SYS_sendto, SYS_recvfrom, SYS_io_submit, SYS_syslog, SYS_execve, SYS_execveat, -1,
	};
	for (size_t at = 0; at < COUNT(waiting); at++)
		if (waiting[at] == nr) return 1;
	return 0;
}

struct call { long nr; const char *arguments; char gives; };

static const struct call calls[] = {
	{ SYS_open, "pom", 'f' }, { SYS_openat, "dpom", 'f' }, { SYS_openat, "dpom", 'f' }, { SYS_creat, "pm", 'f' }, { SYS_openat2, "dpas", 'f' },
	{ SYS_stat, "pa" }, { SYS_lstat, "pa" }, { SYS_newfstatat, "dpaA" }, { SYS_statx, "dpAna" }, { SYS_fstat, "fa" }, { SYS_fstat, "fa" },
	{ SYS_access, "pn" }, { SYS_faccessat, "dpn" }, { SYS_faccessat2, "dpnA" }, { SYS_readlink, "pas" }, { SYS_readlinkat, "dpas" },
	{ SYS_statfs, "pa" }, { SYS_fstatfs, "fa" }, { SYS_inotify_init1, "0", 'f' }, { SYS_inotify_add_watch, "fpn" },
	{ SYS_mkdir, "pm" }, { SYS_mkdirat, "dpm" }, { SYS_symlink, "pp" }, { SYS_symlinkat, "pdp" }, { SYS_link, "pp" }, { SYS_linkat, "dpdpA" },
	{ SYS_unlink, "p" }, { SYS_unlinkat, "dpA" }, { SYS_rename, "pp" }, { SYS_renameat2, "dpdpn" }, { SYS_rmdir, "p" },
	{ SYS_bind, "fan" }, { SYS_connect, "fan" }, { SYS_truncate, "ps" }, { SYS_ftruncate, "fs" }, { SYS_ftruncate, "fs" }, { SYS_fallocate, "fnee" },
	{ SYS_setxattr, "ppann" }, { SYS_getxattr, "ppas" }, { SYS_fsetxattr, "fpann" }, { SYS_fgetxattr, "fpas" }, { SYS_flistxattr, "fas" },
	{ SYS_listxattr, "pas" }, { SYS_removexattr, "pp" }, { SYS_fremovexattr, "fp" }, { SYS_utimensat, "dpaA" }, { SYS_utime, "pa" },
	{ SYS_futimesat, "dpa" }, { SYS_ioctl, "fra" }, { SYS_ioctl, "fra" }, { SYS_fcntl, "fcn" }, { SYS_fcntl, "fcn" }, { SYS_fcntl, "fca" },
	{ SYS_dup, "f", 'f' }, { SYS_dup, "f", 'f' }, { SYS_dup2, "fh", 'f' }, { SYS_dup3, "fho", 'f' }, { SYS_memfd_create, "an", 'f' },
	{ SYS_read, "fas" }, { SYS_read, "fas" }, { SYS_pread64, "fass" }, { SYS_readv, "fvn" }, { SYS_preadv2, "fvns0n" },
	{ SYS_write, "fas" }, { SYS_write, "fas" }, { SYS_pwrite64, "fass" }, { SYS_pwrite64, "fabe" }, { SYS_writev, "fvn" }, { SYS_pwritev, "fvns" }, { SYS_pwritev2, "fvns0n" },
	{ SYS_sendfile, "ffas" }, { SYS_copy_file_range, "fafasn" }, { SYS_splice, "fafasn" }, { SYS_lseek, "fsw" }, { SYS_mmap, "0enMfE", 'm' }, { SYS_mmap, "0en1fE", 'm' },
	{ SYS_fsync, "f" }, { SYS_fdatasync, "f" }, { SYS_sync_file_range, "fssn" }, { SYS_readahead, "fss" }, { SYS_fadvise64, "fssn" },
	{ SYS_sendmsg, "fXn" }, { SYS_recvmsg, "fXD" }, { SYS_sendmmsg, "fann" }, { SYS_recvmmsg, "fanD0" }, { SYS_sendto, "fasnan" }, { SYS_recvfrom, "fasDaa" },
	{ SYS_chdir, "p" }, { SYS_fchdir, "f" }, { SYS_name_to_handle_at, "dpaaA" }, { SYS_open_by_handle_at, "fao", 'f' }, { SYS_uname, "a" },
	{ SYS_execve, "pa0" }, { SYS_execveat, "fp00A" }, { SYS_seccomp, "nna" }, { SYS_kexec_load, "n0an" }, { SYS_kexec_file_load, "ffsaK" },
	{ SYS_io_uring_setup, "na", 'f' }, { SYS_io_setup, "na" }, { SYS_io_submit, "ana" }, { SYS_userfaultfd, "n", 'f' }, { SYS_getdents64, "fas" }, { SYS_flock, "fF" },
	{ SYS_epoll_create1, "0", 'f' }, { SYS_epoll_ctl, "fnfa" }, { SYS_pipe2, "ak" }, { SYS_eventfd2, "nk", 'f' }, { SYS_close, "f" }, { 451 /* cachestat */, "faan" },
	{ SYS_tee, "ffsn" }, { SYS_vmsplice, "fvnn" }, { SYS_getsockopt, "fnnaa" }, { SYS_setsockopt, "fnnan" }, { SYS_getsockname, "faa" }, { SYS_shutdown, "fn" },
	{ SYS_socket, "UT0", 'f' }, { SYS_accept4, "faak", 'f' }, { SYS_listen, "fn" }, { SYS_process_madvise, "fvnnn" }, { SYS_syslog, "Sas" },
	{ SYS_kcmp, "PPnff" }, { SYS_pidfd_open, "P0", 'f' }, { SYS_pidfd_getfd, "ff0", 'f' }, { SYS_close_range, "hhn" }, { SYS_madvise, "bs9" }, { SYS_open_tree, "dpA", 'f' },
};

static struct iovec vectors[4];

static long argument(char kind)
{
	static const int opens[] = { O_RDONLY, O_RDWR, O_WRONLY, O_PATH, O_RDWR | O_CREAT, O_RDWR | O_TRUNC, O_CREAT | O_EXCL | O_RDWR, O_TMPFILE | O_RDWR, O_DIRECTORY, O_NOFOLLOW, O_NOFOLLOW | O_PATH, O_RDWR | O_APPEND, O_CLOEXEC | O_RDWR, 3 };
	static const int ats[] = { 0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, -1 };
	static const int commands[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_ADD_SEALS, F_ADD_SEALS, F_GET_SEALS, F_GETLK, F_SETLK, F_OFD_SETLK, F_GETOWN, F_SETSIG, 1031, 1032, 99 };
	static const long requests[] = { 0xba00, 0xba01, 0xba40, 0xba41, 0xba42, 0xba43, 0x5401, 0x541b, 0x5421, 0x5450, 0x5451, 0x80086601, 0x40086602, 0xc020660b, 0xdeadbeef, 0 };
	switch (kind) {
	case 'f': return some_fd();
	case 'd': return chance(60) ? -100 : some_fd();
	case 'h': return 3 + below(60);
	case 'a': return (long)anywhere();
	case 'b': return (long)buffer();
	case 'p': return (long)path();
	case 's': return size();
	case 'e': return below(1 << 16);
	case 'E': return 4096 * below(4);
	case 'n': return number();
	case 'o': return PICK(opens) | (chance(10) ? number() : 0);
	case 'm': return below(01000);
	case 'A': return PICK(ats);
	case 'c': return PICK(commands);
	case 'r': return PICK(requests);
	case 'w': return below(6);
	case 'v':
	case 'X':
		for (size_t at = 0; at < COUNT(vectors); at++) vectors[at] = (struct iovec){ anywhere(), size() };
		return chance(80) ? (long)vectors : (long)anywhere();
	case 'M': return PICK(((const int[]){ MAP_SHARED, MAP_PRIVATE, MAP_SHARED | MAP_POPULATE, MAP_SHARED_VALIDATE, 0 }));
	case '1': return MAP_SHARED;
	case '9': return MADV_REMOVE;
	case 'D': return MSG_DONTWAIT | (chance(20) ? number() : 0);
	case 'F': return 4 /* LOCK_NB */ | PICK(((const int[]){ 1, 2, 8 }));
	case 'k': return PICK(((const int[]){ 0, O_CLOEXEC, O_NONBLOCK }));
	case 'K': return PICK(((const int[]){ 0, 1, 2, 4, 8, 12, -1 }));
	case 'S': return PICK(((const int[]){ 2, 3, 9, 10, 11, -1 }));
	case 'U': return AF_UNIX;
	case 'T': return 1 + below(5);
	case 'P': return getpid();
	default: return 0;
	}
}

/* A call that could wait for ever is made only when it cannot. */
static int would_wait(const struct call *call, const long *args)
{
	struct pollfd file = { (int)args[0], POLLIN | POLLOUT, 0 };
	if (call->nr == SYS_accept4 || call->nr == SYS_read || call->nr == SYS_readv || call->nr == SYS_tee || call->nr == SYS_splice)
		return poll(&file, 1, 0) <= 0;
	return 0;
}

void random_call(void)
{
	if (chance(25)) return luo_call();
	const struct call *call = &PICK(calls);
	long args[6] = { 0 };
	for (int at = 0; at < 6 && call->arguments[at]; at++) args[at] = argument(call->arguments[at]);
	/* unlinkat and the like take flags of their own; the standard streams stay. */
	if ((call->nr == SYS_close || call->nr == SYS_dup2) && args[0] < 3 && args[0] >= 0) return;
	if (would_wait(call, args)) return;
	begins(call->nr, args);
	long answer = syscall(call->nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	is_over();
	if (answer < 0) return;
	if (call->gives == 'f') keep_fd(answer);
	if (call->gives == 'm') munmap((void *)answer, args[1]);
}
