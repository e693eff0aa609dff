/* pop3d/main.c - POP3 (RFC 1939): one connection, line by line */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libbase/buf.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "pop3d/pop3.h"

enum {
	ANSWER_MAX = 1024,	/* of one status line */
	BAD_MAX = 10		/* nonsense before login, then goodbye */
};

__attribute__((format(printf, 4, 0))) static void
answer(struct pop3 *p, const char *status, const char *code, const char *fmt,
    va_list ap)
{
	char text[ANSWER_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	sio_puts(p->s->io, status);
	if (code != NULL)
		sio_printf(p->s->io, "[%s] ", code);
	sio_puts(p->s->io, text);
	sio_puts(p->s->io, "\r\n");
}

enum pop3_next
pop3_ok(struct pop3 *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	answer(p, "+OK ", NULL, fmt, ap);
	va_end(ap);
	return POP3_CONT;
}

enum pop3_next
pop3_err(struct pop3 *p, const char *code, const char *fmt, ...)
{
	va_list ap;

	session_command(p->s, p->command != NULL ? p->command : "-",
	    code != NULL ? code : fmt);
	p->refused = true;
	va_start(ap, fmt);
	answer(p, "-ERR ", code, fmt, ap);
	va_end(ap);
	return POP3_CONT;
}

enum pop3_next
pop3_store_err(struct pop3 *p, int rc, const char *what)
{
	const struct store_error *e = store_error(rc);

	log_err("%s: %s", what,
	    p->s->store != NULL ? store_errmsg(p->s->store) : e->text);
	return pop3_err(p, e->pop3, "%s", e->text);
}

/* Runs one command line.  The line has no line end. */
static enum pop3_next
run_line(struct pop3 *p, struct slice line)
{
	const struct pop3_command *c;
	struct slice name, args = { NULL, 0 };
	const char *sp;

	p->command = NULL;
	p->refused = false;
	if (p->sasl != NULL)
		return auth_line(p, line);
	if (memchr(line.p, '\0', line.n) != NULL)
		return pop3_err(p, NULL, "NUL in the command");
	name = line;
	if ((sp = memchr(line.p, ' ', line.n)) != NULL) {
		name.n = (size_t)(sp - line.p);
		args = slice_make(sp + 1, line.n - name.n - 1);
	}
	if ((c = pop3_command(name)) == NULL) {
		if (p->state == POP3_AUTHORIZATION && ++p->bad >= BAD_MAX) {
			pop3_err(p, NULL, "Too many unknown commands");
			return POP3_BYE;
		}
		return pop3_err(p, NULL, "Unknown command");
	}
	p->command = c->name;
	if (!(c->states & (int)p->state))
		return pop3_err(p, NULL, "%s is not for the %s state", c->name,
		    p->state == POP3_AUTHORIZATION ? "AUTHORIZATION" :
						     "TRANSACTION");
	if (c->wants_args && args.n == 0)
		return pop3_err(p, NULL, "%s needs an argument", c->name);
	if (!c->takes_args && slice_trim(args).n != 0)
		return pop3_err(p, NULL, "%s takes no argument", c->name);
	return c->fn(p, args);
}

static int
timeout_ms(const struct pop3 *p)
{
	const struct conf_listener *l = p->s->listener;

	return (int)(p->state == POP3_AUTHORIZATION ? l->login_timeout_s :
						      l->idle_timeout_s) *
	    1000;
}

/*
 * The next line without its end, in place; it is consumed by the caller with
 * *used_r octets.  A line over the limit is thrown away and answered.  0, or
 * SIO_*.
 */
static int
next_line(struct pop3 *p, struct slice *line_r, size_t *used_r)
{
	struct sio *io = p->s->io;
	size_t max = p->s->conf->max_line, seen = 0;
	bool skipping = false;

	for (;;) {
		struct slice in = sio_input(io);
		const char *nl = in.n > seen ?
		    memchr(in.p + seen, '\n', in.n - seen) :
		    NULL;
		int rc;

		if (nl != NULL && skipping) {
			sio_consume(io, (size_t)(nl - in.p) + 1);
			pop3_err(p, NULL, "Line too long");
			skipping = false;
			seen = 0;
			continue;
		}
		if (nl != NULL && (size_t)(nl - in.p) <= max) {
			*used_r = (size_t)(nl - in.p) + 1;
			line_r->p = in.p;
			line_r->n = *used_r - 1;
			if (line_r->n > 0 && line_r->p[line_r->n - 1] == '\r')
				line_r->n--;
			return 0;
		}
		seen = in.n;
		if (in.n > max) {
			skipping = true;
			sio_consume(io, nl != NULL ? 0 : in.n);
			seen = 0;
			if (nl != NULL)
				continue;
		}
		if ((rc = sio_fill(io, timeout_ms(p))) < 0)
			return rc;
	}
}

static int
serve(struct session *s)
{
	struct pop3 p = { .s = s, .state = POP3_AUTHORIZATION };
	enum pop3_next next = POP3_CONT;
	int rc = 0;

	p.arena = arena_new(s->conf->max_command_memory);
	s->proto = &p;
	if (s->preauth != NULL) {
		if (login_preauth(s) != LOGIN_OK || drop_open(&p) < 0) {
			pop3_err(&p, "SYS/TEMP", "The maildrop is not available");
			goto out;
		}
		p.state = POP3_TRANSACTION;
	}
	pop3_ok(&p, "Culver POP3 at %s is ready", s->conf->hostname);
	while (next == POP3_CONT && !s->stop) {
		struct slice line;
		size_t used;
		char *copy;

		if ((rc = next_line(&p, &line, &used)) < 0)
			break;
		/* Consumed first: STLS throws the input away. */
		copy = arena_strndup(p.arena, line.p, line.n);
		sio_consume(s->io, used);
		next = run_line(&p, slice_make(copy, line.n));
		if (!p.refused)
			session_command(s, "", NULL);
		secret_wipe(copy, line.n);
		arena_reset(p.arena);
	}
	if (rc == SIO_TIMEOUT)
		pop3_err(&p, NULL, "Timeout; nothing was deleted");
	else if (s->stop && next == POP3_CONT)
		pop3_err(&p, "SYS/TEMP", "The server is going down");
out:
	if (sio_flush(s->io) < 0 && rc == 0)
		rc = SIO_ERROR;
	sasl_free(&p.sasl);
	xfree(p.user);
	drop_release(&p.drop);
	arena_free(&p.arena);
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct server srv = {
		.name = "pop3d",
		.protocol = CONF_POP3,
		.serve = serve,
		.busy_line = "-ERR [SYS/TEMP] Too many connections\r\n",
	};

	return server_main(argc, argv, &srv);
}
