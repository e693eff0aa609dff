/* libsession/sio.c - buffered I/O of one connection: input, waiting, TLS */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/sio-int.h"

enum {
	IN_FIRST = 4096,	/* the input buffer as it begins */
	IN_KEEP = 65536,	/* an empty one is not kept larger */
	IN_MAX = 65536,
	WRITE_TIMEOUT_MS = 60000,
	STOP_MS = 3000,		/* for the last words after SIGTERM */
	DRAIN_MAX = 65536,
	/* A peer that is gone without a word is noticed in ten minutes. */
	KEEP_IDLE_S = 300, KEEP_INTERVAL_S = 30
};

struct sio *
sio_new(int rfd, int wfd)
{
	struct sio *io = xcalloc(1, sizeof(*io));
	struct stat st;
	int on = 1, idle = KEEP_IDLE_S, interval = KEEP_INTERVAL_S;

	io->rfd = rfd;
	io->wfd = wfd;
	io->in_max = IN_MAX;
	io->in_deadline = -1;
	io->write_timeout_ms = WRITE_TIMEOUT_MS;
	io->out = xmalloc(SIO_OUT);
	io->socket = rfd == wfd && fstat(rfd, &st) == 0 &&
	    S_ISSOCK(st.st_mode);
	if (io->socket) {
		io_nonblock(rfd, 1);
		/* Fail harmlessly where it isn't TCP. */
		setsockopt(rfd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(rfd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		setsockopt(rfd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
		setsockopt(rfd, IPPROTO_TCP, TCP_KEEPINTVL, &interval,
		    sizeof(interval));
	}
	return io;
}

/*
 * Input that lies unread when a socket is closed makes the kernel send a reset,
 * which can overtake our last words.
 */
static void
drain(struct sio *io)
{
	char p[4096];
	size_t total = 0;
	ssize_t n;

	if (!io->socket || io->in_err == SIO_EOF || io->out_err != 0)
		return;
	shutdown(io->wfd, SHUT_WR);
	while (total < DRAIN_MAX &&
	    (n = recv(io->rfd, p, sizeof(p), MSG_DONTWAIT)) > 0)
		total += (size_t)n;
}

void
sio_free(struct sio **iop)
{
	struct sio *io = *iop;

	if (io == NULL)
		return;
	sio_flush(io);
	if (io->tls != NULL) {
		if (io->out_err == 0)
			io->tls->bye(io->conn);
		io->tls->conn_free(&io->conn);
	}
	if (io->filter != NULL)
		io->filter->free(io->filter_arg);
	drain(io);
	xfree(io->raw);
	if (io->wfd != io->rfd)
		io_close(&io->wfd);
	io_close(&io->rfd);
	xfree_secret(io->in, io->in_cap);
	xfree(io->out);
	xfree(io);
	*iop = NULL;
}

struct slice
sio_input(const struct sio *io)
{
	if (io->in == NULL)
		return slice_make(NULL, 0);
	return slice_make(io->in + io->in_off, io->in_n - io->in_off);
}

void
sio_consume(struct sio *io, size_t n)
{
	assert(n <= io->in_n - io->in_off);
	if (io->trace != NULL && n > 0)
		trace_put(io->trace, "C",
		    slice_make(io->in + io->in_off, n));
	io->in_off += n;
}

void
sio_trace(struct sio *io, struct trace *t)
{
	if (io->trace == t)
		return;
	sio_flush(io);	/* what was put before isn't its business */
	io->trace = t;
}

void
sio_forget(struct sio *io)
{
	if (io->in_off > 0)
		secret_wipe(io->in, io->in_off);
}

void
sio_max_input(struct sio *io, size_t max)
{
	io->in_max = max < IN_FIRST ? IN_FIRST : max;
}

void
sio_input_deadline(struct sio *io, int timeout_ms)
{
	io->in_deadline = sio_deadline(timeout_ms);
}

void
sio_write_timeout(struct sio *io, int timeout_ms)
{
	io->write_timeout_ms = timeout_ms;
}

void
sio_set_stop(struct sio *io, const volatile sig_atomic_t *stop,
    const sigset_t *mask)
{
	io->stop = stop;
	io->mask = mask;
}

bool
sio_stopped(const struct sio *io)
{
	return io->stop != NULL && *io->stop;
}

int64_t
sio_deadline(int timeout_ms)
{
	return timeout_ms < 0 ? -1 : time_mono_ms() + timeout_ms;
}

int
sio_poll(struct sio *io, struct pollfd *fds, nfds_t n, int64_t deadline)
{
	struct timespec ts, *wait = NULL;

	if (deadline >= 0) {
		int64_t left = deadline - time_mono_ms();

		left = left < 0 ? 0 : left;
		ts.tv_sec = (time_t)(left / 1000);
		ts.tv_nsec = (long)(left % 1000) * 1000000;
		wait = &ts;
	}
	return ppoll(fds, n, wait, io->mask);
}

int
sio_wait_ready(struct sio *io, short events, int64_t deadline)
{
	bool stopping = sio_stopped(io);
	struct pollfd pfd = { .events = events };

	pfd.fd = events == POLLIN ? io->rfd : io->wfd;
	if (stopping) {
		int64_t soon = sio_deadline(STOP_MS);

		if (io->stop_deadline == 0)
			io->stop_deadline = soon;
		if (deadline < 0 || io->stop_deadline < deadline)
			deadline = io->stop_deadline;
	}
	for (;;) {
		int n = sio_poll(io, &pfd, 1, deadline);

		if (n > 0)
			return 0;
		if (n == 0)
			return SIO_TIMEOUT;
		if (errno != EINTR)
			return SIO_ERROR;
		if (!stopping && sio_stopped(io))
			return SIO_STOP;
	}
}

static int
input_failed(struct sio *io, int code, const char *why)
{
	io->in_err = code;
	if (code == SIO_ERROR && io->out_err == 0)
		io->out_err = SIO_ERROR;
	if (io->error == NULL)
		io->error = why;
	return code;
}

/* Room for more input; false: the buffer is full. */
static bool
make_room(struct sio *io)
{
	size_t left = io->in_n - io->in_off;

	if (left == 0 && io->in_cap > IN_KEEP) {
		xfree(io->in);
		io->in = NULL;
		io->in_cap = 0;
	} else if (io->in_off > 0 && left > 0)
		memmove(io->in, io->in + io->in_off, left);
	io->in_off = 0;
	io->in_n = left;
	if (left >= io->in_max)
		return false;
	/* Full, or too small for what comes in at once. */
	if (left == io->in_cap || (io->eager && io->in_cap < IN_KEEP)) {
		size_t cap = io->in_cap == 0 ? IN_FIRST : io->in_cap * 2;
		char *p = xmalloc(cap);

		/* Not realloc: what is left behind may hold a password. */
		if (left > 0)
			memcpy(p, io->in, left);
		xfree_secret(io->in, io->in_cap);
		io->in = p;
		io->in_cap = cap;
	}
	return true;
}

/* More than 0 octets, 0: wait for *events_r, or SIO_*. */
static ssize_t
read_raw(struct sio *io, char *p, size_t room, short *events_r)
{
	ssize_t n;

	*events_r = POLLIN;
	if (io->tls == NULL) {
		n = io_read(io->rfd, p, room);
		if (n > 0)
			io->eager = io->socket && (size_t)n == room;
		else if (n == 0)
			return input_failed(io, SIO_EOF, NULL);
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			n = 0;
		else
			return input_failed(io, SIO_ERROR, strerror(errno));
	} else {
		n = io->tls->receive(io->conn, p, room);
		if (n > 0)
			io->eager = io->tls->pending(io->conn) > 0;
		else if (n == 0)
			return input_failed(io, SIO_EOF, NULL);
		else if (n == TLS_TRUNCATED)
			return input_failed(io, SIO_EOF,
			    "closed without TLS close_notify");
		else if (n == TLS_FAILED)
			return input_failed(io, SIO_ERROR,
			    io->tls->error(io->conn));
		else {
			*events_r = n == TLS_WANT_WRITE ? POLLOUT : POLLIN;
			n = 0;
		}
	}
	io->bytes_in += (uint64_t)n;
	return n;
}

/* Input that the socket doesn't show. */
static bool
hidden_input(const struct sio *io)
{
	return io->more || io->raw_left.n > 0 ||
	    (io->tls != NULL && io->tls->pending(io->conn) > 0);
}

static ssize_t
read_filtered(struct sio *io, char *p, size_t room, short *events_r)
{
	ssize_t n;

	for (;;) {
		if (io->raw_left.n > 0 || io->more) {
			n = io->filter->decode(io->filter_arg, &io->raw_left,
			    p, room);
			if (n < 0)
				return input_failed(io, SIO_ERROR,
				    "compressed data is damaged");
			io->more = (size_t)n == room;
			if (n > 0) {
				io->eager = hidden_input(io) || io->eager;
				return n;
			}
		}
		if ((n = read_raw(io, io->raw, SIO_RAW, events_r)) <= 0)
			return n;
		io->raw_left = slice_make(io->raw, (size_t)n);
	}
}

static ssize_t
read_some(struct sio *io, short *events_r)
{
	char *p = io->in + io->in_n;
	size_t room = io->in_cap - io->in_n;
	ssize_t n;

	if (room > io->in_max - io->in_n)
		room = io->in_max - io->in_n;
	n = io->filter != NULL ? read_filtered(io, p, room, events_r) :
	    read_raw(io, p, room, events_r);
	if (n > 0)
		io->in_n += (size_t)n;
	return n;
}

int
sio_add_filter(struct sio *io, const struct sio_filter *f, void *arg)
{
	int rc = sio_flush(io);

	sio_consume(io, io->in_n - io->in_off);
	io->eager = false;
	io->filter = f;
	io->filter_arg = arg;
	io->raw = xmalloc(SIO_RAW);
	return rc;
}

int
sio_fill(struct sio *io, int timeout_ms)
{
	int64_t deadline;
	short events = POLLIN;
	ssize_t n;
	int rc;

	if ((rc = sio_flush(io)) < 0)
		return rc;
	if (io->in_err != 0)
		return io->in_err;
	if (sio_stopped(io))
		return SIO_STOP;
	if (!make_room(io))
		return 0;
	deadline = sio_deadline(timeout_ms);
	if (io->in_deadline >= 0 &&
	    (deadline < 0 || io->in_deadline < deadline)) {
		deadline = io->in_deadline;
		if (deadline <= time_mono_ms())
			return SIO_TIMEOUT;
	}
	for (;;) {
		/* Where the last read took all there was, ask first. */
		if (!io->eager &&
		    (rc = sio_wait_ready(io, events, deadline)) < 0)
			return rc == SIO_ERROR ?
			    input_failed(io, rc, strerror(errno)) : rc;
		io->eager = false;
		if ((n = read_some(io, &events)) != 0)
			return (int)n;
	}
}

int
sio_wait(struct sio *io, int extra_fd, int timeout_ms)
{
	struct pollfd fds[2] = { { .fd = io->rfd, .events = POLLIN },
		{ .fd = extra_fd, .events = POLLIN } };
	int64_t deadline;
	int n, rc;

	if ((rc = sio_flush(io)) < 0)
		return rc;
	if (io->in_err != 0)
		return io->in_err;
	deadline = sio_deadline(timeout_ms);
	if (hidden_input(io))
		deadline = 0;
	do {
		if (sio_stopped(io))
			return SIO_STOP;
		n = sio_poll(io, fds, extra_fd >= 0 ? 2 : 1, deadline);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return input_failed(io, SIO_ERROR, strerror(errno));
	rc = fds[0].revents != 0 ? 1 : 0;
	if (hidden_input(io))
		rc = 1;
	if (extra_fd >= 0 && fds[1].revents != 0)
		rc |= 2;
	return rc;
}

/* ---- TLS --------------------------------------------------------------- */

static int
tls_failed(struct sio *io, const char *why)
{
	io->out_err = io->in_err = SIO_ERROR;
	io->error = why;
	return SIO_ERROR;
}

int
sio_starttls(struct sio *io, struct tls_ctx *ctx, const struct tls_want *want,
    int timeout_ms)
{
	struct tls_module_ctx *mc;
	int64_t deadline;
	char *err = NULL;
	int rc;

	/* RFC 9051 6.2.1 and its kin: nothing that came before is believed. */
	sio_consume(io, io->in_n - io->in_off);
	io->eager = false;
	if ((rc = sio_flush(io)) < 0)
		return rc;
	if (!io->socket || io->tls != NULL)
		return tls_failed(io, "TLS is not possible here");
	if ((io->tls = tls_ctx_module(ctx, &mc, &err)) == NULL) {
		log_err("%s", err);
		xfree(err);
		return tls_failed(io, "TLS can't be had");
	}
	deadline = sio_deadline(timeout_ms);
	if (io->tls->conn_new(mc, io->rfd, want, &io->conn) < 0) {
		io->tls = NULL;
		return tls_failed(io, "TLS can't begin");
	}
	while ((rc = io->tls->handshake(io->conn)) != 0) {
		if (rc == TLS_TRUNCATED) {
			tls_failed(io, io->tls->error(io->conn));
			return io->in_err = SIO_EOF;
		}
		if (rc != TLS_WANT_READ && rc != TLS_WANT_WRITE)
			return tls_failed(io, io->tls->error(io->conn));
		rc = sio_wait_ready(io, rc == TLS_WANT_READ ? POLLIN : POLLOUT,
		    deadline);
		if (rc < 0) {
			tls_failed(io, rc == SIO_TIMEOUT ?
			    "TLS handshake: timeout" : "TLS handshake: ended");
			return rc;
		}
	}
	io->secure = true;
	return 0;
}

bool
sio_secure(const struct sio *io)
{
	return io->secure;
}

const char *
sio_tls_info(const struct sio *io)
{
	return io->secure ? io->tls->info(io->conn) : NULL;
}

int
sio_tls_peer(const struct sio *io, const char **why_r)
{
	*why_r = NULL;
	return io->secure ? io->tls->peer(io->conn, why_r) : -1;
}

int
sio_tls_peer_name(const struct sio *io, bool common, unsigned i, char *out,
    size_t room)
{
	return io->secure ?
	    io->tls->peer_name(io->conn, common, i, out, room) : -1;
}

ssize_t
sio_tls_binding(const struct sio *io, struct slice name, unsigned char *out,
    size_t room)
{
	if (!io->secure)
		return -1;
	if (slice_eq(name, SLICE_LIT("tls-exporter")))
		return io->tls->binding(io->conn, TLS_EXPORTER, out, room);
	if (slice_eq(name, SLICE_LIT("tls-server-end-point")))
		return io->tls->binding(io->conn, TLS_SERVER_END_POINT, out,
		    room);
	return -1;
}

const char *
sio_error(const struct sio *io)
{
	return io->error;
}

uint64_t
sio_bytes_in(const struct sio *io)
{
	return io->bytes_in;
}

uint64_t
sio_bytes_out(const struct sio *io)
{
	return io->bytes_out;
}
