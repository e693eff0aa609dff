/* libsession/sio-out.c - buffered I/O of one connection: output */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/sio-int.h"

enum {
	SMALL_FILE = 8192,	/* copied into the buffer, not by sendfile */
	PRINTF_MAX = 65536
};

static int
output_failed(struct sio *io, int code, const char *why)
{
	io->out_err = code;
	io->out_n = 0;
	if (io->error == NULL)
		io->error = why;
	return code;
}

/* Waits until the peer takes more. */
static int
wait_writable(struct sio *io, short events)
{
	int rc;

	/* SIO_STOP comes once: then the time that is left is short. */
	do
		rc = sio_wait_ready(io, events,
		    sio_deadline(io->write_timeout_ms));
	while (rc == SIO_STOP);
	if (rc < 0)
		return output_failed(io, rc,
		    rc == SIO_TIMEOUT ? "the peer takes no output" :
					strerror(errno));
	return 0;
}

/* One attempt.  Octets taken, or -1 with errno. */
static ssize_t
write_some(struct sio *io, struct iovec *iov, int cnt, int flags)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = (size_t)cnt };
	struct pollfd pfd = { .fd = io->wfd, .events = POLLOUT };
	size_t n = iov[0].iov_len;

	if (io->socket)
		return sendmsg(io->wfd, &msg, MSG_NOSIGNAL | flags);
	/* A pipe or a terminal stays blocking, others may share it: a piece
	 * of PIPE_BUF fits where there is any room. */
	if (poll(&pfd, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return io_write(io->wfd, iov[0].iov_base, n < PIPE_BUF ? n : PIPE_BUF);
}

/* Sends both pieces whole, without TLS. */
static int
write_plain(struct sio *io, const char *a, size_t an, const char *b, size_t bn,
    int flags)
{
	int rc;

	while (an + bn > 0) {
		struct iovec iov[2];
		int cnt = 0;
		ssize_t n;

		if (an > 0)
			iov[cnt++] = (struct iovec){ (void *)(uintptr_t)a, an };
		if (bn > 0)
			iov[cnt++] = (struct iovec){ (void *)(uintptr_t)b, bn };
		n = write_some(io, iov, cnt, flags);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				return output_failed(io, SIO_ERROR,
				    strerror(errno));
			if ((rc = wait_writable(io, POLLOUT)) < 0)
				return rc;
			continue;
		}
		io->bytes_out += (uint64_t)n;
		if ((size_t)n <= an) {
			a += n;
			an -= (size_t)n;
		} else {
			b += (size_t)n - an;
			bn -= (size_t)n - an;
			an = 0;
		}
	}
	return 0;
}

static int
write_tls(struct sio *io, const char *p, size_t n)
{
	int rc;

	while (n > 0) {
		ssize_t k = io->tls->send(io->conn, p,
		    n < TLS_RECORD ? n : TLS_RECORD);

		if (k == TLS_WANT_READ || k == TLS_WANT_WRITE) {
			rc = wait_writable(io,
			    k == TLS_WANT_READ ? POLLIN : POLLOUT);
			if (rc < 0)
				return rc;
			continue;
		}
		if (k < 0)
			return output_failed(io, SIO_ERROR,
			    io->tls->error(io->conn));
		p += k;
		n -= (size_t)k;
		io->bytes_out += (uint64_t)k;
	}
	return 0;
}

static int
write_raw(struct sio *io, const char *p, size_t n, int flags)
{
	return io->secure ? write_tls(io, p, n) :
			    write_plain(io, p, n, NULL, 0, flags);
}

/* last: the peer is to get all of it. */
static int
write_filtered(struct sio *io, const char *p, size_t n, bool last)
{
	struct slice in = slice_make(p, n);
	char out[SIO_OUT];
	ssize_t k;
	int rc;

	do {
		k = io->filter->encode(io->filter_arg, &in, last, out,
		    sizeof(out));
		if (k < 0)
			return output_failed(io, SIO_ERROR,
			    "the output can't be compressed");
		if (k > 0 && (rc = write_raw(io, out, (size_t)k, 0)) < 0)
			return rc;
	} while (in.n > 0 || k == SIO_OUT);
	io->unflushed = !last;
	return 0;
}

static inline void
traced(const struct sio *io, const char *p, size_t n)
{
	if (io->trace != NULL && n > 0)
		trace_put(io->trace, "S", slice_make(p, n));
}

/* flags: MSG_MORE where more comes at once. */
static int
flush(struct sio *io, int flags)
{
	size_t n = io->out_n;

	if (io->out_err != 0)
		return io->out_err;
	io->out_n = 0;
	traced(io, io->out, n);
	if (io->filter != NULL)
		return n > 0 || (io->unflushed && flags == 0) ?
		    write_filtered(io, io->out, n, flags == 0) : 0;
	return n > 0 ? write_raw(io, io->out, n, flags) : 0;
}

int
sio_flush(struct sio *io)
{
	return flush(io, 0);
}

bool
sio_failed(const struct sio *io)
{
	return io->out_err != 0;
}

void
sio_put(struct sio *io, const void *data, size_t n)
{
	const char *p = data;

	if (io->out_err != 0)
		return;
	if (!io->secure && io->filter == NULL && n >= SIO_OUT) {
		size_t have = io->out_n;

		io->out_n = 0;
		traced(io, io->out, have);
		traced(io, p, n);
		write_plain(io, io->out, have, p, n, 0);
		return;
	}
	while (n > 0) {
		size_t room = SIO_OUT - io->out_n;

		if (room > n)
			room = n;
		memcpy(io->out + io->out_n, p, room);
		io->out_n += room;
		p += room;
		n -= room;
		if (io->out_n == SIO_OUT &&
		    flush(io, io->filter != NULL ? MSG_MORE : 0) < 0)
			return;
		/* Whole records go from where they are. */
		if (io->filter == NULL && n >= SIO_OUT) {
			size_t whole = n - n % SIO_OUT;

			traced(io, p, whole);
			if (write_tls(io, p, whole) < 0)
				return;
			p += whole;
			n -= whole;
		}
	}
}

void
sio_puts(struct sio *io, const char *s)
{
	sio_put(io, s, strlen(s));
}

void
sio_put_slice(struct sio *io, struct slice s)
{
	sio_put(io, s.p, s.n);
}

void
sio_printf(struct sio *io, const char *fmt, ...)
{
	size_t room = SIO_OUT - io->out_n;
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(io->out + io->out_n, room, fmt, ap);
	va_end(ap);
	if (n < 0 || io->out_err != 0)
		return;
	if ((size_t)n < room) {
		io->out_n += (size_t)n;
		return;
	}
	p = xmalloc((size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	sio_put(io, p, (size_t)n);
	xfree(p);
}

void
sio_put_u64(struct sio *io, uint64_t v)
{
	char digits[20], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	sio_put(io, p, (size_t)(digits + sizeof(digits) - p));
}

/* By way of the buffer. */
static int
copy_file(struct sio *io, int fd, uint64_t off, uint64_t len)
{
	while (len > 0 && io->out_err == 0) {
		size_t room = SIO_OUT - io->out_n;

		if (room > len)
			room = (size_t)len;
		if (io_pread_full(fd, io->out + io->out_n, room,
			(off_t)off) < 0)
			return output_failed(io, SIO_ERROR,
			    "the file ended early");
		io->out_n += room;
		off += room;
		len -= room;
		if (io->out_n == SIO_OUT)
			flush(io, io->filter != NULL ? MSG_MORE : 0);
	}
	return io->out_err;
}

int
sio_send_file(struct sio *io, int fd, uint64_t off, uint64_t len)
{
	off_t at = (off_t)off;
	int rc;

	if (io->out_err != 0)
		return io->out_err;
	if (io->secure || io->filter != NULL || !io->socket ||
	    len < SMALL_FILE)
		return copy_file(io, fd, off, len);
	if ((rc = flush(io, MSG_MORE)) < 0)
		return rc;
	if (io->trace != NULL)
		trace_skip(io->trace, "S", len);
	while (len > 0) {
		ssize_t n = sendfile(io->wfd, fd, &at,
		    len < INT_MAX ? (size_t)len : INT_MAX);

		if (n > 0) {
			len -= (uint64_t)n;
			io->bytes_out += (uint64_t)n;
		} else if (n == 0)
			return output_failed(io, SIO_ERROR,
			    "the file ended early");
		else if (errno == EAGAIN) {
			if ((rc = wait_writable(io, POLLOUT)) < 0)
				return rc;
		} else if (errno == EINVAL || errno == ENOSYS)
			return copy_file(io, fd, (uint64_t)at, len);
		else if (errno != EINTR)
			return output_failed(io, SIO_ERROR, strerror(errno));
	}
	return 0;
}
