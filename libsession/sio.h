/*
 * libsession/sio.h - buffered I/O of one connection: plain, or TLS
 *
 * Output is gathered and goes out on sio_flush(), when the buffer is full, or
 * before the session waits for input.  Input is looked at in place.
 */
#ifndef SESSION_SIO_H
#define SESSION_SIO_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libbase/slice.h"

struct sio;
struct tls_ctx;
struct tls_want;

enum {	/* failures of input and output: the connection is over */
	SIO_EOF = -1,
	SIO_TIMEOUT = -2,
	SIO_ERROR = -3,
	SIO_STOP = -4	/* of sio_fill, sio_wait: the process is to end; say
			 * goodbye, output still works for a moment */
};

/* Takes over both descriptors (the same one for a socket).  Sets TCP_NODELAY. */
struct sio *sio_new(int rfd, int wfd);
/* Flushes, says goodbye to the TLS peer, closes. */
void sio_free(struct sio **io);

/* What has been read and not yet consumed; valid until the next sio_fill. */
struct slice sio_input(const struct sio *io);
void sio_consume(struct sio *io, size_t n);
/*
 * Flushes the output, then waits for at least one more octet, at most
 * timeout_ms (-1: for ever).  Returns how many came (> 0), or SIO_*.  The input
 * buffer grows up to max_input (see sio_max_input); a full one returns 0: the
 * caller must consume.
 */
int sio_fill(struct sio *io, int timeout_ms);
/* Overwrites the consumed input: there was a password in it. */
void sio_forget(struct sio *io);
/* From then on input times out, however it trickles; -1: never (the default). */
void sio_input_deadline(struct sio *io, int timeout_ms);
/* From now on what is consumed and what is put goes there, too; NULL: no longer.
 * It stays the caller's. */
struct trace;
void sio_trace(struct sio *io, struct trace *t);
/* Bound of unconsumed input, octets (default 64 KiB). */
void sio_max_input(struct sio *io, size_t max);
/*
 * Flushes, then waits until sio_fill() would return at once (1), extra_fd is
 * readable (2), both (3), or the time is over (0); SIO_EOF, SIO_ERROR,
 * SIO_STOP.  Knows about octets that TLS holds; unconsumed input does not
 * count.  extra_fd -1: none.
 */
int sio_wait(struct sio *io, int extra_fd, int timeout_ms);

/* Append output.  A failure of the connection is remembered and returned by
 * sio_flush and sio_fill; until then output is thrown away. */
void sio_put(struct sio *io, const void *p, size_t n);
void sio_puts(struct sio *io, const char *s);
void sio_put_slice(struct sio *io, struct slice s);
void sio_printf(struct sio *io, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void sio_put_u64(struct sio *io, uint64_t v);
/* Sends len octets of fd at off: sendfile where there is no TLS. 0 or SIO_*. */
int sio_send_file(struct sio *io, int fd, uint64_t off, uint64_t len);
int sio_flush(struct sio *io);
bool sio_failed(const struct sio *io);
/* A write that the peer doesn't take for this long ends the connection (default
 * a minute). */
void sio_write_timeout(struct sio *io, int timeout_ms);

/*
 * While *stop is set, sio_fill and sio_wait return SIO_STOP.  mask: the signals
 * that are blocked while they wait, so that the one which sets *stop ends the
 * wait (ppoll(2)); it stays blocked elsewhere.  Borrowed until sio_free.
 */
void sio_set_stop(struct sio *io, const volatile sig_atomic_t *stop,
    const sigset_t *mask);

/*
 * Throws away unconsumed input (what came in before TLS is not believed),
 * flushes, and does the handshake, at most timeout_ms.  0 or SIO_*.
 */
int sio_starttls(struct sio *io, struct tls_ctx *ctx,
    const struct tls_want *want, int timeout_ms);
bool sio_secure(const struct sio *io);

/*
 * A layer between the session and TLS: compression.  From the call on all
 * input and output goes through it; what was read before but not consumed is
 * thrown away, what was put is sent first.  0 or SIO_*.  The filter is freed
 * with io.
 */
struct sio_filter {
	/* From *in, which it moves on, to at most room octets at p.  Returns
	 * how many, or -1: the peer sent nonsense. */
	ssize_t (*decode)(void *arg, struct slice *in, char *p, size_t room);
	/* The same outwards; called until less than room came.  flush: so that
	 * the peer can decode all of it. */
	ssize_t (*encode)(void *arg, struct slice *in, bool flush, char *p,
	    size_t room);
	void (*free)(void *arg);
};
int sio_add_filter(struct sio *io, const struct sio_filter *f, void *arg);
/* "TLS1.3 ECDHE-... " for the log; NULL without TLS. */
const char *sio_tls_info(const struct sio *io);
/* Did the client show a certificate of our authorities?  0, or -1; why is in
 * *why_r, NULL: it showed none. */
int sio_tls_peer(const struct sio *io, const char **why_r);
/* Its i-th e-mail address, or common name: 0, or -1 if there is none. */
int sio_tls_peer_name(const struct sio *io, bool common, unsigned i, char *out,
    size_t room);
/* The data of a channel binding by its registered name (RFC 5929, RFC 9266); how
 * many octets, or -1: this connection has no such. */
ssize_t sio_tls_binding(const struct sio *io, struct slice name,
    unsigned char *out, size_t room);
/* What was wrong with the connection, for the log; NULL: nothing. */
const char *sio_error(const struct sio *io);
uint64_t sio_bytes_in(const struct sio *io);
uint64_t sio_bytes_out(const struct sio *io);

#endif
