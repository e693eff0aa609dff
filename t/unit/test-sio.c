/* t/unit/test-sio.c - buffered I/O over socket pairs and pipes, without TLS */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/sio.h"

static struct sio *
pair(int *peer_r)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	*peer_r = fd[1];
	return sio_new(fd[0], fd[0]);
}

static void
peer_puts(int fd, const char *s)
{
	assert_int_equal(io_write_full(fd, s, strlen(s)), 0);
}

static void
peer_expect(int fd, const char *want)
{
	char got[1024] = "";

	assert_true(strlen(want) < sizeof(got));
	assert_int_equal(io_read_full(fd, got, strlen(want)), 0);
	assert_string_equal(got, want);
}

static bool
input_is(const struct sio *io, const char *want)
{
	return slice_eq(sio_input(io), slice_str(want));
}

static void
test_input(void **state)
{
	struct sio *io;
	int peer;

	(void)state;
	io = pair(&peer);
	assert_true(input_is(io, ""));
	peer_puts(peer, "abc\r\nde");
	assert_int_equal(sio_fill(io, 1000), 7);
	assert_true(input_is(io, "abc\r\nde"));
	sio_consume(io, 5);
	assert_true(input_is(io, "de"));
	peer_puts(peer, "f");
	assert_int_equal(sio_fill(io, 1000), 1);
	assert_true(input_is(io, "def"));
	assert_int_equal(sio_fill(io, 0), SIO_TIMEOUT);
	assert_int_equal(sio_fill(io, 10), SIO_TIMEOUT);
	peer_puts(peer, "g");
	close(peer);
	assert_int_equal(sio_fill(io, -1), 1);
	assert_true(input_is(io, "defg"));
	assert_int_equal(sio_fill(io, -1), SIO_EOF);
	assert_int_equal(sio_fill(io, -1), SIO_EOF);
	assert_int_equal(sio_wait(io, -1, -1), SIO_EOF);
	assert_true(input_is(io, "defg"));
	assert_int_equal(sio_bytes_in(io), 9);
	assert_false(sio_failed(io));
	sio_free(&io);
	assert_null(io);
	sio_free(&io);
}

static void
test_input_limit(void **state)
{
	static char big[200000];
	size_t total = 0;
	struct sio *io;
	int peer, n;

	(void)state;
	io = pair(&peer);
	memset(big, 'x', sizeof(big));
	sio_max_input(io, 10000);
	io_nonblock(peer, 1);
	while ((n = (int)io_write(peer, big, sizeof(big))) > 0)
		total += (size_t)n;
	assert_true(total > 10000);
	while ((n = sio_fill(io, 1000)) > 0)
		;
	assert_int_equal(n, 0);
	assert_int_equal(sio_input(io).n, 10000);
	assert_int_equal(sio_fill(io, 1000), 0);
	sio_consume(io, 9999);
	assert_true(sio_fill(io, 1000) > 0);
	assert_true(sio_input(io).n <= 10000);
	/* The rest comes whole. */
	while (sio_bytes_in(io) < total) {
		sio_consume(io, sio_input(io).n);
		assert_true(sio_fill(io, 1000) > 0);
	}
	assert_int_equal(sio_bytes_in(io), total);
	close(peer);
	sio_free(&io);
}

static void
test_output(void **state)
{
	char text[200];
	struct sio *io;
	int peer;

	(void)state;
	io = pair(&peer);
	sio_puts(io, "a ");
	sio_put_u64(io, 0);
	sio_put(io, " ", 1);
	sio_put_u64(io, UINT64_MAX);
	sio_put_slice(io, SLICE_LIT(" b"));
	sio_printf(io, " %d%%", 50);
	/* Nothing goes out by itself. */
	assert_int_equal(recv(peer, text, sizeof(text), MSG_DONTWAIT), -1);
	assert_int_equal(sio_fill(io, 0), SIO_TIMEOUT);
	peer_expect(peer, "a 0 18446744073709551615 b 50%");
	assert_int_equal(sio_bytes_out(io), 30);
	sio_puts(io, "bye");
	sio_free(&io);
	peer_expect(peer, "bye");
	assert_int_equal(io_read(peer, text, 1), 0);
	close(peer);
}

/* A child that reads all slowly and tells by its exit whether it is n octets
 * of the pattern. */
static unsigned char
pattern(size_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

static pid_t
reader(struct sio *io, int peer, size_t n)
{
	pid_t pid = fork();
	unsigned char p[5000];
	size_t got = 0;
	ssize_t k;

	assert_true(pid >= 0);
	if (pid > 0) {
		close(peer);
		return pid;
	}
	(void)io;
	/* The child's copy of our end would keep the stream open. */
	for (int fd = 3; fd < 64; fd++)
		if (fd != peer)
			close(fd);
	while ((k = io_read(peer, p, sizeof(p))) > 0)
		for (ssize_t i = 0; i < k; i++)
			if (p[i] != pattern(got++))
				_exit(1);
	_exit(got == n ? 0 : 2);
}

static void
reader_ok(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_output_large(void **state)
{
	enum { N = 3000000 };
	unsigned char *p = xmalloc(N);
	size_t i = 0, k = 1;
	struct sio *io;
	pid_t pid;
	int peer;

	(void)state;
	io = pair(&peer);
	for (size_t j = 0; j < N; j++)
		p[j] = pattern(j);
	pid = reader(io, peer, N);
	/* Pieces of every size, around the buffer's too. */
	while (i < N) {
		size_t n = k < N - i ? k : N - i;

		sio_put(io, p + i, n);
		i += n;
		k = k > 70000 ? 1 : k * 2 - (k > 3 ? 1 : 0);
	}
	assert_int_equal(sio_flush(io), 0);
	assert_int_equal(sio_bytes_out(io), N);
	sio_free(&io);
	reader_ok(pid);
	xfree(p);
}

static int
pattern_file(size_t n)
{
	char name[] = "/tmp/culver-sio-XXXXXX";
	unsigned char *p = xmalloc(n);
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	for (size_t i = 0; i < n; i++)
		p[i] = pattern(i);
	assert_int_equal(io_write_full(fd, p, n), 0);
	xfree(p);
	return fd;
}

static void
test_send_file(void **state)
{
	enum { N = 2000000 };
	struct sio *io;
	pid_t pid;
	int peer, fd = pattern_file(N);
	unsigned char head[10];

	(void)state;
	io = pair(&peer);
	pid = reader(io, peer, N);
	for (size_t i = 0; i < sizeof(head); i++)
		head[i] = pattern(i);
	sio_put(io, head, 10);
	assert_int_equal(sio_send_file(io, fd, 10, 990), 0);
	assert_int_equal(sio_send_file(io, fd, 1000, 0), 0);
	assert_int_equal(sio_send_file(io, fd, 1000, N - 1000), 0);
	assert_int_equal(sio_bytes_out(io), N);
	sio_free(&io);
	reader_ok(pid);

	/* A file that is shorter than promised ends the connection. */
	io = pair(&peer);
	assert_int_equal(sio_send_file(io, fd, N - 100, 101), SIO_ERROR);
	assert_true(sio_failed(io));
	assert_non_null(sio_error(io));
	assert_int_equal(sio_fill(io, 1000), SIO_ERROR);
	close(peer);
	sio_free(&io);
	io = pair(&peer);
	pid = reader(io, peer, 100000);
	assert_int_equal(sio_send_file(io, fd, 0, 100000), 0);
	assert_int_equal(sio_send_file(io, fd, N, 100000), SIO_ERROR);
	sio_free(&io);
	reader_ok(pid);
	close(fd);
}

/* Descriptors that are no sockets: ssh's pipes. */
static void
test_pipes(void **state)
{
	enum { N = 300000 };
	int in[2], out[2], fd = pattern_file(N);
	struct sio *io;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	io = sio_new(in[0], out[1]);
	peer_puts(in[1], "hello");
	assert_int_equal(sio_fill(io, 1000), 5);
	assert_int_equal(sio_fill(io, 10), SIO_TIMEOUT);
	assert_int_equal(fcntl(in[0], F_GETFL) & O_NONBLOCK, 0);
	pid = reader(io, out[0], N + N);
	assert_int_equal(sio_send_file(io, fd, 0, N), 0);
	{
		unsigned char *p = xmalloc(N);

		for (size_t i = 0; i < N; i++)
			p[i] = pattern(N + i);
		sio_put(io, p, N);
		xfree(p);
	}
	close(in[1]);
	assert_int_equal(sio_fill(io, 1000), SIO_EOF);
	sio_free(&io);
	reader_ok(pid);
	close(fd);
}

static void
test_peer_gone(void **state)
{
	static char big[1 << 20];
	int64_t start;
	struct sio *io;
	int peer;

	(void)state;
	signal(SIGPIPE, SIG_DFL);	/* must not come */
	io = pair(&peer);
	close(peer);
	sio_puts(io, "x");
	assert_int_equal(sio_flush(io), SIO_ERROR);
	sio_puts(io, "y");
	assert_int_equal(sio_fill(io, -1), SIO_ERROR);
	assert_true(sio_failed(io));
	sio_free(&io);

	io = pair(&peer);	/* one that doesn't read */
	sio_write_timeout(io, 50);
	start = time_mono_ms();
	sio_put(io, big, sizeof(big));
	assert_true(time_mono_ms() - start >= 50);
	assert_true(time_mono_ms() - start < 5000);
	assert_int_equal(sio_flush(io), SIO_TIMEOUT);
	assert_int_equal(sio_fill(io, -1), SIO_TIMEOUT);
	close(peer);
	sio_free(&io);
}

static void
test_wait(void **state)
{
	struct sio *io;
	int peer, extra[2];

	(void)state;
	io = pair(&peer);
	assert_int_equal(pipe(extra), 0);
	sio_puts(io, "idling");
	assert_int_equal(sio_wait(io, extra[0], 0), 0);
	peer_expect(peer, "idling");
	peer_puts(extra[1], "x");
	assert_int_equal(sio_wait(io, extra[0], 1000), 2);
	peer_puts(peer, "DONE");
	assert_int_equal(sio_wait(io, extra[0], 1000), 3);
	assert_int_equal(sio_wait(io, -1, 1000), 1);
	assert_int_equal(sio_fill(io, 1000), 4);
	/* What lies in the buffer is the caller's business. */
	assert_int_equal(sio_wait(io, -1, 10), 0);
	close(peer);
	assert_int_equal(sio_wait(io, -1, 1000), 1);
	assert_int_equal(sio_fill(io, 1000), SIO_EOF);
	close(extra[0]);
	close(extra[1]);
	sio_free(&io);
}

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void
test_stop(void **state)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct itimerval soon = { .it_value = { 0, 30000 } };
	sigset_t block, old;
	struct sio *io;
	int peer;

	(void)state;
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, &old);
	sigaction(SIGALRM, &sa, NULL);
	io = pair(&peer);
	sio_set_stop(io, &stop, &old);
	peer_puts(peer, "a");
	assert_int_equal(sio_fill(io, 1000), 1);
	/* Pending, blocked: it is seen by the next wait and not before. */
	raise(SIGALRM);
	assert_int_equal(stop, 0);
	assert_int_equal(sio_fill(io, -1), SIO_STOP);
	assert_int_equal(stop, 1);
	assert_int_equal(sio_wait(io, -1, -1), SIO_STOP);
	sio_puts(io, "goodbye");
	assert_int_equal(sio_flush(io), 0);
	peer_expect(peer, "goodbye");
	stop = 0;
	setitimer(ITIMER_REAL, &soon, NULL);
	assert_int_equal(sio_wait(io, -1, -1), SIO_STOP);
	stop = 0;
	setitimer(ITIMER_REAL, &soon, NULL);
	assert_int_equal(sio_fill(io, -1), SIO_STOP);
	assert_true(input_is(io, "a"));
	stop = 0;
	close(peer);
	sio_free(&io);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_input_limit),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_output_large),
		cmocka_unit_test(test_send_file),
		cmocka_unit_test(test_pipes),
		cmocka_unit_test(test_peer_gone),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_stop),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
