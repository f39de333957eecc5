/*
 * The names in /dev, /tmp and /run that are the machine's own: memory is mounted there. The names that are there now stay those of the host, with one
 * exception: the devices of /dev are made once more where the launcher may do that, so that a program can remove them and change their modes.
 */
#include <linux/stat.h>
#include "calls.h"
#include "names.h"
#include "proc.h"

enum { O_DIRECTORY_ = DIRECTORY_FLAG, AT_FDCWD_ = -100, AT_EMPTY_PATH_ = 0x1000, AT_SYMLINK_NOFOLLOW_ = 0x100 };
enum { DT_CHR_ = 2, DT_DIR_ = 4, DT_BLK_ = 6, DT_LNK_ = 10, S_IFREG_ = 0100000, CLONE_NEWNS_ = 0x20000 };
enum { MS_OF_MOUNT = 2 | 4 | 8 /* nosuid, nodev, noexec */, MS_BIND_ = 4096, MS_REC_ = 16384, MS_SLAVE_ = 1 << 19 };
enum { PATH_SIZE = 4096 };

struct entry { uint64_t ino, offset; uint16_t size; uint8_t type; char name[]; };

/* A name of the directory `from` is to appear in the machine's directory `path`. */
typedef void keeper(long from, const char *path, struct entry *entry);

static void path_of(char *target, const char *path, const char *name)
{
	append(append(append(target, path), "/"), name);
}

/* The host's own file, by a bind mount. */
static void keep(long from, const char *path, struct entry *entry)
{
	static char source[512], target[PATH_SIZE], link[PATH_SIZE];
	const char *name = entry->name;
	append(append(append_number(append(source, "/proc/self/fd/"), from), "/"), name);
	path_of(target, path, name);
	if (entry->type == DT_LNK_) {
		long length = call(N_readlinkat, from, (long)name, (long)link, sizeof link - 1, 0);
		if (length < 0) return;
		link[length] = 0;
		call(N_symlinkat, (long)link, AT_FDCWD_, (long)target, 0, 0);
		return;
	}
	if (entry->type == DT_DIR_) call(N_mkdirat, AT_FDCWD_, (long)target, 0755, 0, 0);
	else call(N_mknodat, AT_FDCWD_, (long)target, S_IFREG_ | 0600, 0, 0);
	call(N_mount, (long)source, (long)target, 0, MS_BIND_ | MS_REC_, 0);
}

static void each_entry(long from, const char *path, keeper *how)
{
	char entries[4096];
	for (long got; (got = call(N_getdents64, from, (long)entries, sizeof entries, 0, 0)) > 0;) {
		for (long at = 0; at < got;) {
			struct entry *entry = (struct entry *)(entries + at);
			const char *name = entry->name;
			at += entry->size;
			if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0))) continue;
			how(from, path, entry);
		}
	}
}

/* A terminal that CMD inherits keeps its inode: ttyname(3) looks for the inode in /dev. */
static int is_inherited(const struct statx *file)
{
	struct statx open;
	char settings[64]; /* struct termios of the kernel */
	for (long fd = 0; fd < 3; fd++) {
		if (call(N_ioctl, fd, 0x5401 /* TCGETS */, (long)settings, 0, 0) < 0) continue;
		if (call(N_statx, fd, (long)"", AT_EMPTY_PATH_, STATX_BASIC_STATS, (long)&open) < 0) continue;
		if (open.stx_ino == file->stx_ino && open.stx_dev_minor == file->stx_dev_minor &&
		    open.stx_dev_major == file->stx_dev_major) return 1;
	}
	return 0;
}

static long make_device(const char *target, const struct statx *file)
{
	uint64_t minor = file->stx_rdev_minor;
	uint64_t number = (minor & 0xff) | (uint64_t)file->stx_rdev_major << 8 | (minor & ~0xffull) << 12;
	return call(N_mknodat, AT_FDCWD_, (long)target, file->stx_mode, number, 0);
}

/* Devices are made once more, and directories that are no mounts too. */
static void copy(long from, const char *path, struct entry *entry)
{
	char target[PATH_SIZE];
	struct statx file;
	int is_device = entry->type == DT_CHR_ || entry->type == DT_BLK_, is_directory = entry->type == DT_DIR_;
	long answer = call(N_statx, from, (long)entry->name, AT_SYMLINK_NOFOLLOW_, STATX_BASIC_STATS, (long)&file);
	if (answer < 0) return;
	path_of(target, path, entry->name);
	if (is_device && !is_inherited(&file)) answer = make_device(target, &file);
	else if (is_directory && !(file.stx_attributes & STATX_ATTR_MOUNT_ROOT)) answer = call(N_mkdirat, AT_FDCWD_, (long)target, 0755, 0, 0);
	else answer = -1;
	if (answer < 0) {
		keep(from, path, entry);
		return;
	}
	call(N_fchownat, AT_FDCWD_, (long)target, file.stx_uid, file.stx_gid, 0);
	call(N_fchmodat, AT_FDCWD_, (long)target, file.stx_mode & 07777, 0, 0);
	if (!is_directory) return;
	long below = call(N_openat, from, (long)entry->name, O_DIRECTORY_, 0, 0);
	if (below < 0) return;
	each_entry(below, target, copy);
	call(N_close, below, 0, 0, 0, 0);
}

/* The memory is mounted with the same flags. The machine's new names vanish with it. */
static long own_directory(const char *path, const char *mode, keeper *how, const char *source)
{
	long from = call(N_openat, AT_FDCWD_, (long)path, O_DIRECTORY_, 0, 0);
	if (from < 0) return 0;
	uint64_t found[15]; /* struct statfs: flags are the eleventh word, and those of MS_OF_MOUNT have the values of mount(2) */
	call(N_fstatfs, from, (long)found, 0, 0, 0);
	long answer = call(N_mount, (long)source, (long)path, (long)"tmpfs", found[10] & MS_OF_MOUNT, (long)mode);
	if (answer == 0) each_entry(from, path, how);
	call(N_close, from, 0, 0, 0, 0);
	return answer;
}

long own_copy(const char *path, uint32_t mode, const char *source)
{
	struct statx file;
	char options[] = "mode=0000";
	long answer = call(N_statx, AT_FDCWD_, (long)path, 0, STATX_BASIC_STATS, (long)&file);
	if (answer < 0) return answer;
	if (mode == 0) mode = file.stx_mode;
	for (int digit = 0; digit < 4; digit++) options[8 - digit] = '0' + (mode >> (3 * digit) & 7);
	return own_directory(path, options, keep, source);
}

long own_names(void)
{
	long answer = call(N_unshare, CLONE_NEWNS_, 0, 0, 0, 0);
	if (answer == 0) answer = call(N_mount, 0, (long)"/", 0, MS_REC_ | MS_SLAVE_, 0);
	if (answer == 0) answer = own_directory("/dev", "mode=0755", copy, "tmpfs");
	if (answer == 0) answer = own_directory("/dev/shm", "mode=1777", keep, "tmpfs");
	if (answer == 0) answer = own_directory("/tmp", "mode=1777", keep, "tmpfs");
	if (answer == 0) answer = own_directory("/run", "mode=0755", keep, "tmpfs");
	return answer;
}
