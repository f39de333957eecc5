/*
 * See tripwires.h. The file system is FUSE's. Each of its files is bound to one name, and is called as the path of that name, with ':' in the place of '/':
 * so /proc/PID/mountinfo tells luo which file a mount shows. A process of its own serves the file system, because luo and the guard look at paths of the
 * program, which may lead to a tripwire.
 */
#include <linux/fuse.h>
#include "names.h"
#include "proc.h"
#include "signals.h"
#include "tripwires.h"

enum { AT_FDCWD_ = -100, AT_REMOVEDIR_ = 0x200, O_RDWR_ = 2, O_CLOEXEC_ = 02000000, S_IFREG_ = 0100000, S_IFDIR_ = 0040000, SIGKILL_ = 9, SIGCHLD_ = 17 };
enum { MS_RDONLY_ = 1, MS_NOSUID_ = 2, MS_NODEV_ = 4, MS_NOEXEC_ = 8, MS_REMOUNT_ = 32, MS_BIND_ = 4096, MS_REC_ = 16384, OPEN_TREE_CLONE_ = 1, AT_RECURSIVE_ = 0x8000, MOVE_MOUNT_F_EMPTY_PATH_ = 4,
       MNT_DETACH_ = 2 };
enum { EINTR_ = 4, ENOENT_ = 2, EACCES_ = 13, ENOSYS_ = 38, ENODEV_ = 19, EPERM_ = 1 };
enum { FOR_EVER = 1 << 30, PIECE = 1 << 16, CLONE_FILES_ = 0x400 };

static const char *plan;
static long fuse = -1, server = -1, heard[2] = { -1, -1 };

/* --- The server --- */

static void answer(uint64_t unique, int error, const void *data, uint32_t size)
{
	struct { struct fuse_out_header head; char data[sizeof(struct fuse_entry_out)]; } out = { { sizeof out.head + size, -error, unique }, { 0 } };
	for (uint32_t at = 0; at < size; at++) out.data[at] = ((const char *)data)[at];
	call(N_write, fuse, (long)&out, out.head.len, 0, 0);
}

void fail_open(uint64_t unique, int error)
{
	answer(unique, error, 0, 0);
}

void give_content(uint64_t unique, int fd)
{
	struct { struct fuse_out_header head; struct fuse_open_out open; } out = { { sizeof out, 0, unique }, { .fh = fd, .open_flags = FOPEN_DIRECT_IO } };
	/* The thread may be gone. */
	if (call(N_write, fuse, (long)&out, sizeof out, 0, 0) < 0) call(N_close, fd, 0, 0, 0, 0);
}

/* The kernel asks again for what is missing. */
static void read_content(const struct fuse_in_header *head)
{
	static struct { struct fuse_out_header head; char data[PIECE]; } out;
	const struct fuse_read_in *in = (const void *)(head + 1);
	long size = call(N_pread64, in->fh, (long)out.data, in->size < PIECE ? in->size : PIECE, in->offset, 0);
	out.head = (struct fuse_out_header){ sizeof out.head + (size < 0 ? 0 : size), size < 0 ? size : 0, head->unique };
	call(N_write, fuse, (long)&out, out.head.len, 0, 0);
}

static void end_content(const struct fuse_in_header *head)
{
	const struct fuse_release_in *in = (const void *)(head + 1);
	call(N_close, in->fh, 0, 0, 0, 0);
	answer(head->unique, 0, 0, 0);
}

static const char *after(const char *text)
{
	while (*text) text++;
	return text + 1;
}

static const char *next_step(const char *step)
{
	return *step == 'L' || *step == 'T' ? after(after(step)) : after(step);
}

/* The names are looked up in the order of the plan. */
static uint64_t size_of(uint64_t node)
{
	const char *step = plan;
	for (uint64_t found = FUSE_ROOT_ID; *step != 'T' || ++found < node;) step = next_step(step);
	return digits(after(step));
}

/* luo answers all calls that look at a name. So only processes that have a content open see these attributes. */
static struct fuse_attr attributes(uint64_t node)
{
	int is_root = node == FUSE_ROOT_ID;
	uint32_t mode = is_root ? S_IFDIR_ | 0555 : S_IFREG_ | 0444;
	return (struct fuse_attr){ .ino = node, .size = is_root ? 0 : size_of(node), .mode = mode, .nlink = 1, .blksize = 4096 };
}

static void tell_attributes(const struct fuse_in_header *head)
{
	struct fuse_attr_out out = { .attr_valid = FOR_EVER, .attr = attributes(head->nodeid) };
	answer(head->unique, 0, &out, sizeof out);
}

/* Only the launcher looks names up: each once. */
static void find(uint64_t unique)
{
	static uint64_t node = FUSE_ROOT_ID;
	node++;
	struct fuse_entry_out out = { .nodeid = node, .entry_valid = FOR_EVER, .attr_valid = FOR_EVER, .attr = attributes(node) };
	answer(unique, 0, &out, sizeof out);
}

/* luo tells the tripwires from other files by the type. */
static void file_system(uint64_t unique)
{
	struct fuse_statfs_out out = { .st = { .bsize = 4096, .namelen = 255 } };
	answer(unique, 0, &out, sizeof out);
}

static void begin(uint64_t unique)
{
	struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096 };
	answer(unique, 0, &out, sizeof out);
}

static void told(const struct fuse_in_header *head)
{
	const struct fuse_open_in *open = (const void *)(head + 1);
	struct trip trip = { head->unique, head->nodeid, head->pid, open->flags };
	call(N_write, heard[1], (long)&trip, sizeof trip, 0, 0);
}

static void serve(void)
{
	static char request[1 << 16];
	const struct fuse_in_header *head = (const void *)request;
	for (;;) {
		long size = call(N_read, fuse, (long)request, sizeof request, 0, 0);
		if (size == -EINTR_ || size == -ENOENT_) continue;
		if (size < (long)sizeof *head) return;
		switch (head->opcode) {
		case FUSE_INIT: begin(head->unique); break;
		case FUSE_LOOKUP: find(head->unique); break;
		case FUSE_READ: read_content(head); break;
		case FUSE_RELEASE: end_content(head); break;
		case FUSE_GETATTR: tell_attributes(head); break;
		case FUSE_STATFS: file_system(head->unique); break;
		case FUSE_OPEN: told(head); break;
		case FUSE_SETATTR: answer(head->unique, EPERM_, 0, 0); break;
		case FUSE_FORGET: case FUSE_BATCH_FORGET: case FUSE_INTERRUPT: break;
		default: answer(head->unique, ENOSYS_, 0, 0);
		}
	}
}

static long start_server(void)
{
	/* The fds of contents come to the guard. */
	long child = call(N_clone, CLONE_FILES_ | SIGCHLD_, 0, 0, 0, 0);
	if (child != 0) return child;
	call(N_prctl, 1 /* PR_SET_PDEATHSIG */, SIGKILL_, 0, 0, 0);
	ignore_signals();
	serve();
	call(N_exit_group, 0, 0, 0, 0, 0);
	return 0;
}

/* --- The names --- */

/* In the machine's own /dev, as long as the launcher needs it. */
static const char place[] = "/dev/.luo";

static long mount_files(void)
{
	char options[128];
	char *end = append(append_number(append(options, "fd="), fuse), ",rootmode=40555,allow_other,user_id=");
	append_number(append(append_number(end, call(N_geteuid, 0, 0, 0, 0, 0)), ",group_id="), call(N_getegid, 0, 0, 0, 0, 0));
	call(N_mkdirat, AT_FDCWD_, (long)place, 0700, 0, 0);
	return call(N_mount, (long)"luo", (long)place, (long)"fuse", MS_NOSUID_ | MS_NODEV_ | MS_NOEXEC_, (long)options);
}

static void hide_files(void)
{
	call(N_umount2, (long)place, MNT_DETACH_, 0, 0, 0);
	call(N_unlinkat, AT_FDCWD_, (long)place, AT_REMOVEDIR_, 0, 0);
}

/* In a directory that is the machine's own the name may be new. */
static long tripwire(const char *path)
{
	char file[512];
	char *name = append(append(file, place), "/");
	append(name, path + 1);
	for (; *name; name++) if (*name == '/') *name = ':';
	call(N_mknodat, AT_FDCWD_, (long)path, S_IFREG_ | 0600, 0, 0);
	return call(N_mount, (long)file, (long)path, 0, MS_BIND_, 0);
}

/* The name of the mount tells luo where the directory was. */
static long own(const char *path, uint32_t mode, int copy)
{
	char source[512];
	append(append(source, "luo:"), path);
	if (copy) return own_copy(path, mode, source);
	return call(N_mount, (long)source, (long)path, (long)"tmpfs", MS_NOSUID_ | MS_NODEV_ | MS_NOEXEC_, (long)"mode=0755");
}

static long remove_name(const char *path)
{
	call(N_umount2, (long)path, MNT_DETACH_, 0, 0, 0);
	if (call(N_unlinkat, AT_FDCWD_, (long)path, 0, 0, 0) == 0) return 0;
	return call(N_unlinkat, AT_FDCWD_, (long)path, AT_REMOVEDIR_, 0, 0);
}

/*
 * In a user namespace that a program makes, the kernel mounts procfs and sysfs anew only if the program has one that nothing covers
 * (fs/namespace.c: mnt_already_visible()). So there is one of each, below the mount of /dev/shm, where no path leads.
 */
static void bind(const char *from, const char *to)
{
	/* In a user namespace what the host has mounted there comes with it, or nothing. */
	if (call(N_mount, (long)from, (long)to, 0, MS_BIND_, 0) < 0) call(N_mount, (long)from, (long)to, 0, MS_BIND_ | MS_REC_, 0);
}

static void keep_uncovered(void)
{
	static const char shm[] = "/dev/shm";
	long top = call(N_open_tree, AT_FDCWD_, (long)shm, OPEN_TREE_CLONE_ | O_CLOEXEC_ | AT_RECURSIVE_, 0, 0);
	if (top < 0) return;
	if (call(N_mount, (long)"tmpfs", (long)shm, (long)"tmpfs", MS_NOSUID_ | MS_NODEV_ | MS_NOEXEC_, (long)"mode=0") == 0) {
		call(N_mkdirat, AT_FDCWD_, (long)"/dev/shm/proc", 0, 0, 0);
		call(N_mkdirat, AT_FDCWD_, (long)"/dev/shm/sys", 0, 0, 0);
		bind("/proc", "/dev/shm/proc");
		bind("/sys", "/dev/shm/sys");
		/* Nobody is to see them. */
		long answer = call(N_move_mount, top, (long)"", AT_FDCWD_, (long)shm, MOVE_MOUNT_F_EMPTY_PATH_);
		if (answer < 0) call(N_umount2, (long)shm, MNT_DETACH_, 0, 0, 0);
	}
	call(N_close, top, 0, 0, 0, 0);
}

/* One step of the plan (tripwires.ts): a letter, a path, for a link its text, for a tripwire its size. */
static long make(const char *step, const char *text)
{
	const char *path = step + 1;
	switch (*step) {
	case 'M': return own(path, 0, 1);
	case 'P': return own(path, 0700, 1);
	case 'E': return own(path, 0, 0);
	case 'D': return call(N_mkdirat, AT_FDCWD_, (long)path, 0755, 0, 0);
	case 'L': return call(N_symlinkat, (long)text, AT_FDCWD_, (long)path, 0, 0);
	case 'X': return remove_name(path);
	case 'T': return tripwire(path);
	/* The host's file systems of these names let nobody make a name. */
	case 'R': return call(N_mount, 0, (long)path, 0, MS_REMOUNT_ | MS_BIND_ | MS_RDONLY_ | MS_NOSUID_ | MS_NODEV_ | MS_NOEXEC_, 0);
	}
	return -ENODEV_;
}

static long follow(const char *end)
{
	for (const char *step = plan; step < end; step = next_step(step)) {
		long answer = make(step, after(step));
		if (answer < 0) return answer;
	}
	return 0;
}

long lay_tripwires(const char *steps, uint32_t size)
{
	plan = steps;
	if (size == 0) return -ENODEV_;
	fuse = call(N_openat, AT_FDCWD_, (long)"/dev/fuse", O_RDWR_ | O_CLOEXEC_, 0, 0);
	if (fuse < 0) return fuse;
	int32_t ends[2];
	long answer = call(N_pipe2, (long)ends, O_CLOEXEC_, 0, 0, 0);
	if (answer < 0) return answer;
	heard[0] = ends[0];
	heard[1] = ends[1];
	keep_uncovered();
	answer = mount_files();
	/* Before the mount there is nothing to read. */
	if (answer >= 0) answer = server = start_server();
	if (answer >= 0) answer = follow(plan + size);
	hide_files();
	return answer < 0 ? answer : 0;
}

long trips(void)
{
	return heard[0];
}

int serves_tripwires(uint32_t pid)
{
	return pid == server;
}

void end_tripwires(void)
{
	if (fuse >= 0) call(N_close, fuse, 0, 0, 0, 0);
	fuse = -1;
}
