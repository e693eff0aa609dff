/* t/unit/test-io.c - descriptors, files, log lines, and how a process ends */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/arena.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

#define N(t) (sizeof(t) / sizeof((t)[0]))

enum { LOTS = 1000003 };

static void
tick(int sig)
{
	(void)sig;
}

/* Interrupts system calls every millisecond, or no more. */
static void
interrupt(bool on)
{
	struct itimerval it = { { 0, on ? 1000 : 0 }, { 0, on ? 1000 : 0 } };
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = tick;		/* no SA_RESTART: EINTR is wanted */
	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &it, NULL), 0);
}

/* Writes n octets in odd pieces, slower than they are read. */
static void
writer(int fd, const unsigned char *p, size_t n)
{
	for (size_t i = 0, piece = 1; i < n; i += piece) {
		piece = piece * 7 % 65521 + 1;
		if (piece > n - i)
			piece = n - i;
		if (io_write_full(fd, p + i, piece) < 0)
			_exit(1);
		if (i % 16 == 0)
			usleep(500);
	}
	_exit(0);
}

static void
test_whole_transfers(void **state)
{
	unsigned char *out = xmalloc(LOTS), *in = xcalloc(1, LOTS);
	int sv[2], status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < LOTS; i++)
		out[i] = (unsigned char)(i * 31 + i / 256);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	if ((pid = fork()) == 0) {
		close(sv[0]);
		interrupt(true);
		writer(sv[1], out, LOTS);
	}
	assert_true(pid > 0);
	io_close(&sv[1]);
	interrupt(true);
	assert_int_equal(io_read_full(sv[0], in, LOTS), 0);
	/* Then the end, which is no error of the system's. */
	errno = EIO;
	assert_int_equal(io_read_full(sv[0], in, 1), -1);
	assert_int_equal(errno, 0);
	assert_int_equal(io_read(sv[0], in, 1), 0);
	interrupt(false);
	assert_memory_equal(in, out, LOTS);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	io_close(&sv[0]);
	xfree(in);
	xfree(out);
}

static void
test_full_pipe(void **state)
{
	static char zeros[1 << 20];
	int p[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(p), 0);
	assert_int_equal(io_cloexec(p[0]), 0);
	assert_int_equal(fcntl(p[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(io_nonblock(p[1], 1), 0);
	assert_int_not_equal(fcntl(p[1], F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(io_write_full(p[1], zeros, sizeof(zeros)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(io_nonblock(p[1], 0), 0);
	assert_int_equal(fcntl(p[1], F_GETFL) & O_NONBLOCK, 0);
	io_close(&p[0]);
	assert_int_equal(io_write(p[1], zeros, 1), -1);
	assert_int_equal(errno, EPIPE);
	io_close(&p[1]);
	assert_int_equal(io_nonblock(-1, 1), -1);
	assert_int_equal(io_read(-1, zeros, 1), -1);
	/* errno outlives a close. */
	errno = ENOSPC;
	p[0] = 1000000;
	io_close(&p[0]);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(p[0], -1);
}

static void
test_many_vectors(void **state)
{
	enum { COUNT = IOV_MAX + 100 };
	char name[] = "/tmp/culver-test-XXXXXX", octets[COUNT], back[COUNT];
	struct iovec v[COUNT];
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	unlink(name);
	for (int i = 0; i < COUNT; i++) {
		octets[i] = (char)('a' + i % 26);
		v[i] = (struct iovec){ octets + i, i % 3 == 0 ? 0 : 1 };
	}
	assert_int_equal(io_pwritev_full(fd, v, COUNT, 5), 0);
	for (int i = 0, at = 5; i < COUNT; i++) {
		if (i % 3 == 0)
			continue;
		assert_int_equal(io_pread_full(fd, back, 1, at++), 0);
		assert_int_equal(back[0], octets[i]);
	}
	assert_int_equal(io_pwrite_full(fd, "xyz", 3, 0), 0);
	assert_int_equal(io_pread_full(fd, back, 3, 0), 0);
	assert_memory_equal(back, "xyz", 3);
	io_close(&fd);
	assert_int_equal(io_pwritev_full(-1, v, COUNT, 0), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(io_pwrite_full(-1, "x", 1, 0), -1);
	assert_int_equal(io_pread_full(-1, back, 1, 0), -1);
}

static void
test_replace(void **state)
{
	char dir[] = "/tmp/culver-test-XXXXXX";
	struct arena *a = arena_new(0);
	char *path, *tmp, *fifo;
	struct slice s;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = arena_printf(a, "%s/f", dir);
	tmp = arena_printf(a, "%s/f.tmp", dir);
	fifo = arena_printf(a, "%s/fifo", dir);
	assert_int_equal(io_replace(path, SLICE_LIT("old"), 0600), 0);
	/* What a killed process left behind isn't in the way. */
	assert_int_equal(symlink(path, tmp), 0);
	assert_int_equal(io_replace(path, SLICE_LIT("new"), 0600), 0);
	assert_int_equal(io_slurp(path, 100, a, &s), 0);
	assert_true(slice_eq(s, SLICE_LIT("new")));
	assert_int_equal(s.p[s.n], '\0');
	assert_int_equal(access(tmp, F_OK), -1);
	/* Failures leave the old one and no rest. */
	assert_int_equal(mkdir(tmp, 0700), 0);
	assert_int_equal(io_replace(path, SLICE_LIT("x"), 0600), -1);
	assert_int_equal(rmdir(tmp), 0);
	assert_int_equal(io_replace(dir, SLICE_LIT("x"), 0600), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(access(arena_printf(a, "%s.tmp", dir), F_OK), -1);
	assert_int_equal(io_slurp(path, 100, a, &s), 0);
	assert_true(slice_eq(s, SLICE_LIT("new")));
	assert_int_equal(io_replace(arena_printf(a, "%s/no/f", dir),
			     SLICE_LIT("x"), 0600), -1);
	assert_int_equal(errno, ENOENT);
	/* No waiting for somebody to write into it. */
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(io_slurp(fifo, 100, a, &s), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(io_slurp(tmp, 100, a, &s), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(unlink(fifo), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	arena_free(&a);
}

static void
test_random(void **state)
{
	unsigned char a[1000], b[1000];
	size_t same = 0, seen = 0;
	bool any[256] = { false };

	(void)state;
	memset(a, 0, sizeof(a));
	memset(b, 0, sizeof(b));
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	for (size_t i = 0; i < sizeof(a); i++) {
		same += a[i] == b[i];
		seen += !any[a[i]];
		any[a[i]] = true;
	}
	/* 4 and 251 are what one expects. */
	assert_true(same < 40);
	assert_true(seen > 200);
	random_bytes(NULL, 0);
}

static void
end_fatal(void)
{
	fatal("the end of %d", 1);
}

static void
end_perm(void)
{
	fatal_perm("the end of %d", 2);
}

static void
end_array(void)
{
	xreallocarray(NULL, SIZE_MAX / 2, 3);
}

static void
end_strndup(void)
{
	xstrndup("", SIZE_MAX);
}

static void
end_arena_size(void)
{
	struct arena *a = arena_new(0);

	arena_alloc(a, SIZE_MAX - 8);
}

static void
end_arena_strndup(void)
{
	struct arena *a = arena_new(0);

	arena_strndup(a, "", SIZE_MAX);
}

static void
end_arena_product(void)
{
	struct arena *a = arena_new(0);

	arena_calloc(a, SIZE_MAX / 4, 5);
}

static void
end_arena_grow(void)
{
	struct arena *a = arena_new(0);
	size_t cap = 0;

	arena_grow(a, NULL, &cap, SIZE_MAX / 2 + 2, 1);
}

static void
end_arena_max(void)
{
	struct arena *a = arena_new(1000);

	for (int i = 0; i < 20; i++)
		arena_alloc(a, 96);
	_exit(arena_full(a) ? 0 : 1);
}

static void
end_arena_twice(void)
{
	struct arena *a = arena_new(1000);

	for (int i = 0; i < 21; i++)
		arena_alloc(a, 96);
	_exit(0);
}

static void
test_ends(void **state)
{
	static const struct {
		void (*fn)(void);
		int status;
		const char *says;
	} t[] = {
		{ end_fatal, EXIT_TEMP, "]: the end of 1\n" },
		{ end_perm, EXIT_PERM, "]: the end of 2\n" },
		{ end_array, EXIT_TEMP, "octets\n" },
		{ end_strndup, EXIT_TEMP, "octets\n" },
		{ end_arena_size, EXIT_TEMP, "arena: " },
		{ end_arena_strndup, EXIT_TEMP, "arena: " },
		{ end_arena_product, EXIT_TEMP, "arena: " },
		{ end_arena_grow, EXIT_TEMP, "arena: " },
		{ end_arena_max, 0, "" },
		{ end_arena_twice, EXIT_TEMP, "]: arena: over twice" },
	};

	(void)state;
	for (size_t i = 0; i < N(t); i++) {
		char name[] = "/tmp/culver-test-XXXXXX", said[1000];
		int fd = mkstemp(name), status;
		pid_t pid;
		ssize_t n;

		assert_true(fd >= 0);
		if ((pid = fork()) == 0) {
			/* atexit handlers of the parent are not the child's. */
			if (log_open("test", name, LOG_L_INFO) < 0)
				_exit(2);
			t[i].fn();
			_exit(3);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), t[i].status);
		n = pread(fd, said, sizeof(said) - 1, 0);
		assert_true(n >= 0);
		said[n] = '\0';
		assert_non_null(strstr(said, t[i].says));
		io_close(&fd);
		unlink(name);
	}
}

/* Whatever is logged, a call is one line of printable text. */
static void
test_log_octets(void **state)
{
	char name[] = "/tmp/culver-test-XXXXXX", ident[5000], all[256];
	char text[8000], line[20000];
	int fd = mkstemp(name);
	const char *p;
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	memset(ident, 'i', sizeof(ident) - 1);
	ident[sizeof(ident) - 1] = '\0';
	memset(text, 1, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	assert_int_equal(log_open(ident, name, LOG_L_WARN), 0);
	assert_int_equal(log_max(), LOG_L_WARN);
	log_session(text);
	log_err("%s", all);
	log_err("%s", text);
	log_info("%s", "less than what is logged");
	log_session(NULL);
	assert_int_equal(log_open("test", "stderr", LOG_L_INFO), 0);

	n = pread(fd, line, sizeof(line) - 1, 0);
	assert_true(n > 0 && (size_t)n < sizeof(line) - 1);
	line[n] = '\0';
	p = strchr(line, '\n');
	assert_non_null(p);
	assert_int_equal(strchr(p + 1, '\n') - line, n - 1);
	for (ssize_t i = 0; i < n; i++)
		assert_true(line[i] == '\n' ||
		    (line[i] >= 0x20 && line[i] < 0x7f));
	assert_non_null(strstr(line, "\\x09\\x0a\\x0b"));
	assert_non_null(strstr(line, " !\"#$%&'()*+,-./0123456789:;<=>?@"));
	assert_non_null(strstr(line, "}~\\x7f\\x80\\x81"));
	assert_null(strstr(line, "less than"));
	io_close(&fd);
	unlink(name);
}

static void
test_heap(void **state)
{
	char *s = xasprintf("%s-%d", "a", 7), *d = xstrdup("dup");
	int *v = xcalloc(10, sizeof(*v));

	(void)state;
	assert_string_equal(s, "a-7");
	assert_string_equal(d, "dup");
	for (int i = 0; i < 10; i++)
		assert_int_equal(v[i], 0);
	v[9] = 99;
	v = xreallocarray(v, 1000, sizeof(*v));
	assert_int_equal(v[9], 99);
	xfree(v);
	xfree(s);
	s = xstrndup("abcdef", 3);
	assert_string_equal(s, "abc");
	xfree_secret(s, 3);
	xfree_secret(NULL, 0);
	xfree(NULL);
	/* Nothing is something. */
	s = xmalloc(0);
	assert_non_null(s);
	s = xrealloc(s, 0);
	assert_non_null(s);
	xfree(s);
	xfree(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_transfers),
		cmocka_unit_test(test_full_pipe),
		cmocka_unit_test(test_many_vectors),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_log_octets),
		cmocka_unit_test(test_heap),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
