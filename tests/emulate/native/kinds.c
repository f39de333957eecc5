/* The table of operations: how often each is drawn, and its arguments. */
#define _GNU_SOURCE
#include <fcntl.h>

#include "random.h"

static int64_t any_session(void) { return chance(95) ? below(SESSIONS) : below(SLOTS); }
static int64_t any_file(void) { return chance(93) ? file_slot() : below(SLOTS); }
static int64_t any_device(void) { return chance(97) ? DEVICE : below(SLOTS); }

static void draw_open(struct op *op)
{
	static const int64_t flags[] = { O_RDWR, O_RDWR, O_RDONLY, O_WRONLY, O_RDWR | O_CLOEXEC, O_RDWR | O_NONBLOCK,
		O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL, O_RDONLY | O_DIRECTORY, O_PATH, O_RDWR | O_TRUNC,
		O_RDWR | O_NOFOLLOW, O_RDWR | O_APPEND, O_PATH | O_NOFOLLOW };

	SET(op, chance(85) ? DEVICE : any_file(), below(spelling_count), chance(60) ? O_RDWR : PICK(flags), 0);
}
static void draw_plain_open(struct op *op) { SET(op, DEVICE, below(4), O_RDWR, 0); }
static void draw_path(struct op *op) { SET(op, below(spelling_count), below(8), 0, 0); }
static void draw_name(struct op *op) { SET(op, any_device(), below(name_count), below(SESSIONS), 0); }
static void draw_preserve(struct op *op) { SET(op, any_session(), any_file(), PICK(tokens), 0); }
static void draw_retrieve_fd(struct op *op) { SET(op, any_session(), PICK(tokens), file_slot(), 0); }
static void draw_session(struct op *op) { SET(op, any_session(), 0, 0, 0); }

static void draw_malformed(struct op *op)
{
	static const int64_t requests[] = { 0xba00, 0xba01, 0xba40, 0xba41, 0xba42, 0xba43 };
	static const int64_t others[] = { 0xba02, 0xba3f, 0xba44, 0xbaff, 0x4008ba00, 0xc010ba40, 0x10000ba00 };
	static const int64_t strangers[] = { 0xbb00, 0x5451, 0x5421, 0, 0xba0000 };
	int64_t request = chance(75) ? PICK(requests) : chance(60) || is_left_out('i') ? PICK(others) : PICK(strangers);
	int64_t right = request == 0xba42 ? 8 : request == 0xba40 || request == 0xba41 ? 16 : 72;
	const int64_t said[] = { 0, 4, right - 1, right, right, right, right + 1, right + 8, PAGE, 0xffffffff };
	const int64_t mapped[] = { 0, 3, 4, 8, right - 1, right, right, right + 1, right + 8, right + 64 };

	SET(op, chance(40) ? DEVICE : any_session(), request, PICK(said), PICK(mapped));
	op->v[4] = below(name_count + 4);
	op->v[5] = chance(75) ? 0 : 1 + below(4);
}

static void draw_how(struct op *op) { SET(op, below(8), 0, 0, 0); }
static void draw_memfd(struct op *op) { SET(op, PICK(memfd_flags), file_slot(), 0, 0); }
static void draw_other(struct op *op) { SET(op, below(6), file_slot(), 0, 0); }

static void draw_dup(struct op *op)
{
	int64_t from = chance(30) ? any_session() : any_file();

	SET(op, below(3), from, from < SESSIONS ? below(SESSIONS) : file_slot(), 0);
}
static void draw_reopen(struct op *op)
{
	static const int64_t flags[] = { O_RDONLY, O_RDWR, O_RDWR | O_TRUNC };

	SET(op, any_file(), PICK(flags), file_slot(), 0);
}
static void draw_slot(struct op *op) { SET(op, chance(35) ? any_session() : chance(6) ? DEVICE : any_file(), below(2), 0, 0); }
static void draw_fill(struct op *op) { SET(op, any_file(), length(), below(256), 0); }
static void draw_write(struct op *op)
{
	SET(op, any_file(), below(5), length(), length());
	op->v[4] = below(256);
}
static void draw_read(struct op *op) { SET(op, any_file(), below(2), length(), length()); }
static void draw_seek(struct op *op) { SET(op, any_file(), chance(10) ? -length() : length(), below(5), 0); }
static void draw_resize(struct op *op) { SET(op, any_file(), length(), 0, 0); }
static void draw_allocate(struct op *op)
{
	static const int64_t modes[] = { 0, 0, 1, 3, 2, 8, 16 };

	SET(op, any_file(), PICK(modes), length(), length());
}
static void draw_map(struct op *op) { SET(op, any_file(), below(4), below(256), chance(30)); }
static void draw_seal(struct op *op)
{
	static const int64_t seals[] = { 1, 2, 4, 6, 8, 0x10, 0x20 };

	SET(op, any_file(), PICK(seals), 0, 0);
}
static void draw_flags(struct op *op)
{
	static const int64_t flags[] = { 0, O_APPEND, O_NONBLOCK };

	SET(op, chance(20) ? any_session() : any_file(), PICK(flags), 0, 0);
}
static void draw_look(struct op *op) { SET(op, any_file(), 0, 0, 0); }
static void draw_foreign(struct op *op) { SET(op, chance(30) ? DEVICE : below(SESSIONS), below(9), 0, 0); }
static void draw_process(struct op *op) { SET(op, below(PROCESSES), 0, 0, 0); }
static void draw_exec(struct op *op) { SET(op, chance(75), 0, 0, 0); }

const struct kind kinds[] = {
	{ "open_device", "to spelling flags", 5, 'l', draw_plain_open, open_device },
	{ "open_oddly", "to spelling flags", 4, 'o', draw_open, open_device },
	{ "look_path", "spelling how", 3, 'o', draw_path, look_path },
	{ "create", "device name to", 14, 'l', draw_name, create },
	{ "retrieve", "device name to", 7, 'l', draw_name, retrieve },
	{ "preserve", "session file token", 17, 'l', draw_preserve, preserve },
	{ "retrieve_fd", "session token to", 10, 'l', draw_retrieve_fd, retrieve_fd },
	{ "finish", "session", 3, 'l', draw_session, finish },
	{ "get_name", "session", 3, 'l', draw_session, get_name },
	{ "malformed", "slot request size mapped contents memory", 12, 'l', draw_malformed, malformed },
	{ "bad_kexec", "how", 2, 'l', draw_how, bad_kexec },
	{ "bad_reboot", "how", 1, 'l', draw_how, bad_reboot },
	{ "memfd", "flags to", 22, 'f', draw_memfd, make_memfd },
	{ "other", "what to", 3, 'f', draw_other, make_other },
	{ "dup", "how from to", 5, 'f', draw_dup, dup_slot },
	{ "reopen", "from flags to", 2, 'f', draw_reopen, reopen },
	{ "close", "slot", 7, 'f', draw_slot, close_slot },
	{ "cloexec", "slot on", 4, 'f', draw_slot, cloexec },
	{ "fill", "slot length byte", 9, 'f', draw_fill, fill },
	{ "write", "slot how offset length byte", 13, 'w', draw_write, write_slot },
	{ "read", "slot how offset length", 4, 'f', draw_read, read_slot },
	{ "seek", "slot offset whence", 5, 'f', draw_seek, seek },
	{ "resize", "slot length", 7, 'f', draw_resize, resize },
	{ "allocate", "slot mode offset length", 5, 'f', draw_allocate, allocate },
	{ "map", "slot page byte remove", 4, 'f', draw_map, map },
	{ "seal", "slot seals", 2, 'f', draw_seal, seal },
	{ "set_flags", "slot flags", 2, 'f', draw_flags, set_flags },
	{ "look", "slot", 9, 'f', draw_look, look },
	{ "foreign", "slot how", 4, 'i', draw_foreign, foreign },
	{ "send", "slot", 3, 'p', draw_slot, send_slot },
	{ "receive", "slot", 4, 'p', draw_slot, receive_slot },
	{ "fork", "child", 3, 'p', draw_process, fork_process },
	{ "exec", "keep_all", 2, 'p', draw_exec, exec_self },
	{ "die", "how", 1, 'p', draw_how, NULL },
	{ "spawn", "child", 1, 'p', draw_process, NULL },
	{ NULL, NULL, 0, 0, NULL, NULL },
};
