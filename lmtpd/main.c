/* lmtpd/main.c - LMTP (RFC 2033): one connection, line by line */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "lmtpd/lmtp.h"

enum { TEXT_MAX = 1500 };	/* of a reply line */

enum lmtp_next
lmtp_reply(struct lmtp *l, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (text[0] >= '4') {
		session_command(l->s, l->command != NULL ? l->command : "-",
		    text);
		l->refused = true;
	}
	sio_puts(l->s->io, text);
	sio_puts(l->s->io, "\r\n");
	return LMTP_CONT;
}

void
lmtp_reset(struct lmtp *l)
{
	l->mail = l->utf8 = l->chunked = false;
	l->chunk_rc = 0;
	l->octets = 0;
	store_spool_free(&l->spool);
	l->sender = l->once = slice_make(NULL, 0);
	l->rcpt = NULL;
	l->n_rcpt = l->cap_rcpt = 0;
	arena_reset(l->txn);
}

/* Nonsense may go on for a while: mail systems are tried by hand. */
static enum lmtp_next
bad_line(struct lmtp *l, const char *text)
{
	lmtp_reply(l, "%s", text);
	if (++l->bad < LMTP_BAD_MAX)
		return LMTP_CONT;
	lmtp_reply(l, "421 4.7.0 Too many errors");
	return LMTP_BYE;
}

static enum lmtp_next
run_line(struct lmtp *l, struct slice line)
{
	const struct lmtp_command *c;
	struct slice name = line, args = { "", 0 };
	enum lmtp_next next;
	const char *sp = line.n > 0 ? memchr(line.p, ' ', line.n) : NULL;

	l->command = NULL;
	l->refused = false;
	if (line.n > 0 && (memchr(line.p, '\0', line.n) != NULL ||
			      memchr(line.p, '\r', line.n) != NULL))
		return bad_line(l, "500 5.5.2 NUL or CR in the command");
	if (sp != NULL) {
		name.n = (size_t)(sp - line.p);
		args = slice_make(sp + 1, line.n - name.n - 1);
	}
	if ((c = lmtp_command(name)) == NULL)
		return bad_line(l, "500 5.5.1 Unknown command");
	l->bad = 0;
	l->command = c->name;
	next = c->fn(l, args);
	if (!l->refused)
		session_command(l->s, c->name, NULL);
	return next;
}

/*
 * The next line without CRLF, in place; *used_r octets are to be consumed.
 * 1: there is one; 0: there was one that was thrown away, *why_r says why;
 * SIO_*.
 */
static int
next_line(struct lmtp *l, struct slice *line_r, size_t *used_r,
    const char **why_r)
{
	struct sio *io = l->s->io;
	size_t max = l->s->conf->max_line, seen = 0;
	bool skipping = false;

	for (;;) {
		struct slice in = sio_input(io);
		const char *nl = in.n > seen ?
		    memchr(in.p + seen, '\n', in.n - seen) : NULL;
		size_t n = nl != NULL ? (size_t)(nl - in.p) + 1 : in.n;
		int rc;

		seen = n;
		if (skipping || n > max) {
			skipping = true;
			sio_consume(io, n);
			seen = 0;
			*why_r = "500 5.5.2 Line too long";
			if (nl != NULL)
				return 0;
		} else if (nl != NULL) {
			*why_r = "500 5.5.2 A line ends with CRLF";
			*used_r = n;
			*line_r = slice_make(in.p, n - 1);
			if (n < 2 || in.p[n - 2] != '\r') {
				sio_consume(io, n);
				return 0;
			}
			line_r->n--;
			return 1;
		}
		rc = sio_fill(io, (int)l->s->listener->idle_timeout_s * 1000);
		if (rc < 0)
			return rc;
	}
}

/* Until the connection or the client ends it; the reason. */
static int
dialogue(struct lmtp *l)
{
	enum lmtp_next next = LMTP_CONT;

	while (next == LMTP_CONT) {
		struct slice line;
		const char *why;
		size_t used;
		char *copy;
		int rc = next_line(l, &line, &used, &why);

		if (rc < 0)
			return rc;
		if (rc == 0) {
			next = bad_line(l, why);
			continue;
		}
		/* DATA and BDAT read on where the line ends. */
		copy = arena_strndup(l->arena, line.p, line.n);
		sio_consume(l->s->io, used);
		next = run_line(l, slice_make(copy, line.n));
		arena_reset(l->arena);
	}
	return l->end;
}

static int
serve(struct session *s)
{
	struct lmtp l = { .s = s };
	int rc;

	l.arena = arena_new(s->conf->max_command_memory);
	l.txn = arena_new(s->conf->max_command_memory);
	s->proto = &l;
	lmtp_reply(&l, "220 %s Culver LMTP ready", s->conf->hostname);
	rc = dialogue(&l);
	if (rc == SIO_TIMEOUT)
		lmtp_reply(&l, "421 4.4.2 Timeout");
	else if (s->stop)
		lmtp_reply(&l, "421 4.3.2 The server is going down");
	if (sio_flush(s->io) < 0 && rc == 0)
		rc = SIO_ERROR;
	store_spool_free(&l.spool);
	xfree(l.client_mem);
	arena_free(&l.arena);
	arena_free(&l.txn);
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct server srv = {
		.name = "lmtpd",
		.protocol = CONF_LMTP,
		.serve = serve,
		.busy_line = "421 4.3.2 Too busy, try later\r\n",
	};

	return server_main(argc, argv, &srv);
}
