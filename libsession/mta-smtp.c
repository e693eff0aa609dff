/*
 * libsession/mta-smtp.c - a client of SMTP (RFC 5321), for a relay that is near
 *
 * One message a connection, command by command: the relay is this host or next
 * to it, so that round trips cost nothing.  Without TLS and login.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libsession/mta-int.h"

enum {
	LINE_MAX_N = 2000,	/* octets of a reply's line */
	LINES_MAX = 100,	/* of a reply */
	PIECE = 65536
};

struct smtp {
	struct mta_mail *m;
	struct arena *a;
	int fd;
	int64_t deadline;
	char in[4096];
	size_t n_in;
	int code;		/* of the last reply, and that as one line */
	struct slice reply;
	bool esmtp, eight, utf8, size, dsn;
	uint64_t max_size;
};

/* ---- the connection ---------------------------------------------------- */

/* 0: fd is ready; -1: not in time. */
static int
ready(const struct smtp *s, short events)
{
	for (;;) {
		int64_t left = s->deadline - time_mono_ms();
		struct pollfd p = { .fd = s->fd, .events = events };
		int rc;

		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		rc = poll(&p, 1, left < 60000 ? (int)left : 60000);
		if (rc > 0)
			return 0;
		if (rc < 0 && errno != EINTR)
			return -1;
	}
}

static int
finish_connect(const struct smtp *s)
{
	socklen_t n = sizeof(int);
	int error = 0;

	if (ready(s, POLLOUT) < 0)
		return -1;
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		return -1;
	errno = error;
	return error == 0 ? 0 : -1;
}

static int
connect_to(struct smtp *s, const void *sa, socklen_t n, int family)
{
	int on = 1;

	s->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -1;
	/* The dot is not to wait for an acknowledgment of what is before. */
	if (family != AF_UNIX)
		setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(s->fd, sa, n) == 0)
		return 0;
	return errno == EINPROGRESS ? finish_connect(s) : -1;
}

/* As conf_check_relay() has it. */
static int
open_relay(struct smtp *s, const char *relay)
{
	const char *colon = strrchr(relay, ':');
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in a4 = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char host[64];
	uint64_t port;

	if (strncmp(relay, "unix:", 5) == 0) {
		if (strlen(relay + 5) >= sizeof(un.sun_path))
			return -1;
		memcpy(un.sun_path, relay + 5, strlen(relay + 5));
		return connect_to(s, &un, sizeof(un), AF_UNIX);
	}
	errno = EINVAL;
	if (colon == NULL || (size_t)(colon - relay) >= sizeof(host) ||
	    slice_uint(slice_str(colon + 1), 65535, &port) < 0)
		return -1;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - relay), relay);
	a4.sin_port = a6.sin6_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &a4.sin_addr) == 1)
		return connect_to(s, &a4, sizeof(a4), AF_INET);
	if (host[0] == '[' && strlen(host) > 2)
		host[strlen(host) - 1] = '\0';
	if (inet_pton(AF_INET6, host + 1, &a6.sin6_addr) != 1)
		return -1;
	return connect_to(s, &a6, sizeof(a6), AF_INET6);
}

static int
put(struct smtp *s, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = send(s->fd, p, n, MSG_NOSIGNAL);

		if (k > 0) {
			p += k;
			n -= (size_t)k;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (ready(s, POLLOUT) < 0)
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

/* A line without its end, to be used before the next; -1. */
static int
get_line(struct smtp *s, char line[LINE_MAX_N + 1], size_t *n_r)
{
	size_t n = 0;

	for (;;) {
		char *nl = s->n_in > 0 ? memchr(s->in, '\n', s->n_in) : NULL;
		size_t k = nl != NULL ? (size_t)(nl - s->in) + 1 : s->n_in;
		ssize_t got;

		errno = EPROTO;
		if (n + k > LINE_MAX_N)
			return -1;
		memcpy(line + n, s->in, k);
		n += k;
		s->n_in -= k;
		memmove(s->in, s->in + k, s->n_in);
		if (nl != NULL) {
			while (n > 0 && (line[n - 1] == '\n' ||
			    line[n - 1] == '\r'))
				n--;
			line[n] = '\0';
			*n_r = n;
			return 0;
		}
		if (ready(s, POLLIN) < 0)
			return -1;
		if ((got = io_read(s->fd, s->in, sizeof(s->in))) == 0)
			errno = ECONNRESET;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			continue;
		if (got <= 0)
			return -1;
		s->n_in = (size_t)got;
	}
}

/* ---- replies ----------------------------------------------------------- */

/* Length of "550 5.7.1 " at the front: the code, and an enhanced one. */
static size_t
status_len(const char *p)
{
	int n = 0;
	unsigned a, b, c;

	if (sscanf(p + 4, "%1u.%3u.%3u %n", &a, &b, &c, &n) == 3 && n > 0)
		return 4 + (size_t)n;
	return 4;
}

static void
note_extension(struct smtp *s, struct slice line)
{
	struct slice word = line;
	const char *sp = memchr(line.p, ' ', line.n);
	uint64_t max = 0;

	if (sp != NULL)
		word.n = (size_t)(sp - line.p);
	if (slice_ieq(word, SLICE_LIT("8BITMIME")))
		s->eight = true;
	else if (slice_ieq(word, SLICE_LIT("SMTPUTF8")))
		s->utf8 = true;
	else if (slice_ieq(word, SLICE_LIT("DSN")))
		s->dsn = true;
	else if (slice_ieq(word, SLICE_LIT("SIZE"))) {
		s->size = true;
		if (sp != NULL && slice_uint(slice_make(sp + 1, line.n -
		    word.n - 1), UINT64_MAX, &max) == 0)
			s->max_size = max;
	}
}

/*
 * Reads a reply: its code, or -1 where the connection is over.  Of several
 * lines RFC 8621 7 (smtpReply) makes one.
 */
static int
get_reply(struct smtp *s, bool hello)
{
	char line[LINE_MAX_N + 1], first[LINE_MAX_N + 1];
	struct buf b;
	size_t n, head;
	int rc = -1;

	buf_init(&b, MTA_REPLY_MAX * 2);
	for (int i = 0; i < LINES_MAX; i++) {
		if (get_line(s, line, &n) < 0)
			break;
		errno = EPROTO;
		if (n < 3 || line[0] < '2' || line[0] > '5' ||
		    line[1] < '0' || line[1] > '9' || line[2] < '0' ||
		    line[2] > '9' || (n > 3 && line[3] != ' ' &&
		    line[3] != '-') || (i > 0 &&
		    memcmp(line, first, 3) != 0))
			break;
		if (hello && i > 0 && n > 4)
			note_extension(s, slice_make(line + 4, n - 4));
		head = n > 4 ? status_len(line) : n;
		if (i == 0)
			memcpy(first, line, n + 1);
		if (i == 0) {
			buf_add(&b, line, 3);
			buf_addc(&b, ' ');
			if (n > 4)
				buf_add(&b, line + 4, n - 4);
		} else if (!b.overflow && n > head) {
			/* What the first line begins with, too. */
			if (strlen(first) < head ||
			    memcmp(line + 4, first + 4, head - 4) != 0)
				head = 4;
			buf_addc(&b, ' ');
			buf_add(&b, line + head, n - head);
		}
		if (n == 3 || line[3] == ' ') {
			rc = (line[0] - '0') * 100 + (line[1] - '0') * 10 +
			    line[2] - '0';
			break;
		}
	}
	if (rc > 0) {
		s->code = rc;
		s->reply = mta_line(s->a, buf_slice(&b));
	}
	buf_release(&b);
	return rc;
}

/* Sends a line; the code of its answer. */
static int __attribute__((format(printf, 2, 3)))
command(struct smtp *s, const char *fmt, ...)
{
	char line[1200];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 2, fmt, ap);
	va_end(ap);
	errno = EMSGSIZE;
	if (n < 0 || (size_t)n >= sizeof(line) - 2)
		return -1;
	memcpy(line + n, "\r\n", 2);
	return put(s, line, (size_t)n + 2) < 0 ? -1 : get_reply(s, false);
}

/* ---- the dialogue ------------------------------------------------------ */

/* It ended where it should not. */
static int
broken(struct smtp *s, enum mta_stage stage)
{
	int e = errno;

	log_warn("smtp-relay: %s", strerror(e));
	return mta_all(s->m, MTA_E_TEMP, stage, 451, mta_line(s->a, slice_str(
	    arena_printf(s->a, "451 4.4.2 The mail system: %s",
	    strerror(e)))));
}

/* The relay said no, to all recipients. */
static int
refused(struct smtp *s, enum mta_stage stage)
{
	int rc = s->code >= 500 ? MTA_E_PERM : MTA_E_TEMP;

	log_warn("smtp-relay: %.*s", (int)s->reply.n, s->reply.p);
	return mta_all(s->m, rc, stage, s->code, s->reply);
}

static int
refuse_ourselves(struct smtp *s, const char *reply)
{
	s->code = 552;
	s->reply = slice_str(reply);
	return refused(s, MTA_AT_MAIL);
}

static int
hello(struct smtp *s, const char *hostname)
{
	int code;

	if ((code = get_reply(s, false)) != 220)
		return code < 0 ? broken(s, MTA_AT_CONNECT) :
		    refused(s, MTA_AT_CONNECT);
	if (put(s, "EHLO ", 5) < 0 || put(s, hostname, strlen(hostname)) < 0 ||
	    put(s, "\r\n", 2) < 0 || (code = get_reply(s, true)) < 0)
		return broken(s, MTA_AT_CONNECT);
	s->esmtp = code == 250;
	if (!s->esmtp && (code = command(s, "HELO %s", hostname)) != 250)
		return code < 0 ? broken(s, MTA_AT_CONNECT) :
		    refused(s, MTA_AT_CONNECT);
	return 0;
}

/* Do addresses or the header need SMTPUTF8 (RFC 6531)? */
static bool
needs_utf8(const struct mta_mail *m)
{
	const char *end = NULL;
	size_t n = m->octets.n;

	if (n >= 4)
		end = memmem(m->octets.p, n, "\r\n\r\n", 4);
	if (end != NULL)
		n = (size_t)(end - m->octets.p);
	if (!slice_is_ascii(m->from) || !slice_is_ascii(slice_make(m->octets.p, n)))
		return true;
	for (size_t i = 0; i < m->n_rcpt; i++)
		if (!slice_is_ascii(m->rcpt[i].address))
			return true;
	return false;
}

static int
mail_from(struct smtp *s)
{
	struct mta_mail *m = s->m;
	bool addresses = !slice_is_ascii(m->from), utf8 = needs_utf8(m);
	char size[40] = "", envid[120] = "";
	int code;

	for (size_t i = 0; i < m->n_rcpt; i++)
		addresses |= !slice_is_ascii(m->rcpt[i].address);
	if (addresses && !s->utf8)
		return refuse_ourselves(s, "553 5.6.7 The mail system takes "
		    "no address with such letters");
	if (s->max_size != 0 && m->octets.n > s->max_size)
		return refuse_ourselves(s,
		    "552 5.3.4 Too large for the mail system");
	if (s->size)
		snprintf(size, sizeof(size), " SIZE=%zu", m->octets.n);
	if (s->dsn && m->envid.n > 0)
		snprintf(envid, sizeof(envid), " RET=HDRS ENVID=%.*s",
		    (int)m->envid.n, m->envid.p);
	code = command(s, "MAIL FROM:<%.*s>%s%s%s%s", (int)m->from.n,
	    m->from.n > 0 ? m->from.p : "", size,
	    s->eight && !slice_is_ascii(m->octets) ? " BODY=8BITMIME" : "",
	    s->utf8 && utf8 ? " SMTPUTF8" : "", envid);
	if (code < 0)
		return broken(s, MTA_AT_MAIL);
	return code / 100 == 2 ? 0 : refused(s, MTA_AT_MAIL);
}

static int
rcpt_to(struct smtp *s)
{
	struct mta_mail *m = s->m;
	bool any = false, later = false;

	for (size_t i = 0; i < m->n_rcpt; i++) {
		struct mta_rcpt *r = &m->rcpt[i];
		int code = command(s, "RCPT TO:<%.*s>", (int)r->address.n,
		    r->address.p);

		if (code < 0)
			return broken(s, MTA_AT_RCPT);
		r->code = code;
		r->reply = s->reply;
		any |= code / 100 == 2;
		later |= code / 100 == 4;
	}
	m->stage = MTA_AT_RCPT;
	m->reply = s->reply;
	return any ? 0 : later ? MTA_E_TEMP : MTA_E_PERM;
}

/* All but the dot. */
static int
put_message(struct smtp *s)
{
	struct slice o = s->m->octets;
	struct buf b;
	bool bol = true;
	int rc = 0;

	buf_init(&b, PIECE + 4);
	for (size_t i = 0; rc == 0 && i < o.n; i++) {
		if (bol && o.p[i] == '.')
			buf_addc(&b, '.');
		buf_addc(&b, o.p[i]);
		bol = o.p[i] == '\n';
		if (b.n >= PIECE) {
			rc = put(s, b.p, b.n);
			buf_reset(&b);
		}
	}
	if (!bol)
		buf_add_str(&b, "\r\n");
	if (rc == 0 && b.n > 0)
		rc = put(s, b.p, b.n);
	buf_release(&b);
	return rc;
}

static int
data(struct smtp *s)
{
	struct mta_mail *m = s->m;
	int code = command(s, "DATA");

	if (code < 0)
		return broken(s, MTA_AT_DATA);
	if (code != 354)
		return refused(s, MTA_AT_DATA);
	if (put_message(s) < 0)
		return broken(s, MTA_AT_DATA);
	/* Without the dot it has got nothing. */
	if (m->commit != NULL && m->commit(m->arg) < 0)
		return MTA_E_STOPPED;
	if ((code = command(s, ".")) < 0) {
		m->unknown = true;
		return broken(s, MTA_AT_DATA);
	}
	if (code / 100 != 2)
		return refused(s, MTA_AT_DATA);
	m->stage = MTA_AT_DATA;
	m->reply = s->reply;
	return MTA_OK;
}

int
mta_smtp(const char *relay, const char *hostname, struct mta_mail *m,
    int64_t deadline, struct arena *a)
{
	struct smtp *s = arena_alloc(a, sizeof(*s));
	int rc;

	s->m = m;
	s->a = a;
	s->fd = -1;
	s->deadline = deadline;
	if (open_relay(s, relay) < 0)
		rc = broken(s, MTA_AT_CONNECT);
	else if ((rc = hello(s, hostname)) == 0 &&
	    (rc = mail_from(s)) == 0 && (rc = rcpt_to(s)) == 0)
		rc = data(s);
	/* Nobody waits for the answer. */
	if (rc != MTA_E_STOPPED && s->fd >= 0)
		(void)put(s, "QUIT\r\n", 6);
	io_close(&s->fd);
	return rc;
}
