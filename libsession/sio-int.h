/* libsession/sio-int.h - what sio.c and sio-out.c share */
#ifndef SESSION_SIO_INT_H
#define SESSION_SIO_INT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsession/sio.h"
#include "libsession/tls-int.h"
#include "libsession/trace.h"

enum { SIO_OUT = TLS_RECORD, SIO_RAW = 4096 };

struct sio {
	int rfd, wfd;
	bool socket;		/* non-blocking, rfd == wfd */
	bool eager;		/* read before asking whether there is input */
	bool secure;		/* the handshake is done */
	char *in;		/* in[in_off .. in_n) is not consumed */
	size_t in_off, in_n, in_cap, in_max;
	char *out;		/* SIO_OUT octets, the first out_n in use */
	size_t out_n;
	int in_err, out_err;	/* SIO_*; 0: works */
	const char *error;
	int write_timeout_ms;
	int64_t in_deadline;	/* of all input; -1: none */
	const volatile sig_atomic_t *stop;
	const sigset_t *mask;
	int64_t stop_deadline;	/* of writing, once *stop was seen */
	const struct tls_module *tls;
	struct tls_conn *conn;
	const struct sio_filter *filter;
	void *filter_arg;
	char *raw;		/* SIO_RAW octets; those of raw_left are not */
	struct slice raw_left;	/* decoded yet */
	bool unflushed;		/* the filter holds output back */
	bool more;		/* the filter may have more without input */
	uint64_t bytes_in, bytes_out;
	struct trace *trace;	/* the caller's; or NULL */
};

bool sio_stopped(const struct sio *io);
/* On the monotonic clock; -1: none. */
int64_t sio_deadline(int timeout_ms);
/* ppoll(2) with the session's signal mask. */
int sio_poll(struct sio *io, struct pollfd *fds, nfds_t n, int64_t deadline);
/* Waits for POLLIN or POLLOUT: 0, SIO_TIMEOUT, SIO_STOP (once), SIO_ERROR. */
int sio_wait_ready(struct sio *io, short events, int64_t deadline);

#endif
