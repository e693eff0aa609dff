/* imapd/frame.c - the life of a connection: greeting, commands, goodbye */
#include "config.h"

#include <unistd.h>

#include "imapd/imap.h"
#include "imapd/language.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

enum {
	BAD_MAX = 10,			/* bad commands before login */
	LITERAL_NOAUTH = 4096,		/* of a literal before login */
	LITERAL_MAX = 64 * 1024,	/* that is kept in memory, after it */
	ARGS_MAX = 32 * 1024,
	QUIET_MS = 1000			/* of silence before upkeep */
};

unsigned
imap_state(const struct imap_session *s)
{
	if (s->x->store == NULL)
		return IMAP_NOAUTH;
	return s->view.mailbox != 0 ? IMAP_SELECTED : IMAP_AUTH;
}

void
imap_bye(struct imap_session *s, const char *code, const char *text)
{
	struct enc *e = &s->out;

	if (s->bye)
		return;
	s->bye = true;
	enc_raw(e, "* BYE ");
	if (code != NULL) {
		enc_raw(e, "[");
		enc_raw(e, code);
		enc_raw(e, "] ");
	}
	enc_say(e, text);
	enc_eol(e);
}

/* ---- waiting ----------------------------------------------------------- */

static int
patience_ms(const struct imap_session *s)
{
	int64_t left = s->deadline - time_mono_ms();

	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Once logged in, each command begins the wait anew. */
static void
new_deadline(struct imap_session *s)
{
	if (imap_state(s) != IMAP_NOAUTH)
		s->deadline = time_mono_ms() +
		    (int64_t)s->x->listener->idle_timeout_s * 1000;
}

static bool
lost(struct imap_session *s, int rc)
{
	if (s->x->stop || rc == SIO_STOP)
		imap_bye(s, "UNAVAILABLE", "The server is going down");
	else if (rc == SIO_TIMEOUT || rc == 0)
		imap_bye(s, NULL, "Autologout: silent for too long");
	s->bye = true;
	return false;
}

/* Waits at most ms for input or for wake_fd.  1: input, 2: wake_fd, 3: both;
 * SIO_*. */
static int
wait_some(struct imap_session *s, int wake_fd, int ms)
{
	int rc, woken = 0;

	if (wake_fd >= 0) {
		if ((rc = sio_wait(s->x->io, wake_fd, ms)) <= 0)
			return rc < 0 ? rc : SIO_TIMEOUT;
		woken = rc & 2;
		if (!(rc & 1))
			return woken;
	}
	if ((rc = sio_fill(s->x->io, ms)) > 0)
		return 1 | woken;
	return rc == SIO_TIMEOUT && woken ? woken : rc;
}

/* Says a word when the client has heard none for long.  How long to wait. */
static int
still_here(struct imap_session *s, int64_t *silent, int ms)
{
	int64_t left = *silent + s->cmd.silence_ms - time_mono_ms();

	if (left <= 0) {
		enc_raw(&s->out, "* OK ");
		enc_say(&s->out, "Still here");
		enc_eol(&s->out);
		enc_spill(&s->out);
		*silent = time_mono_ms();
		left = s->cmd.silence_ms;
	}
	return left < ms ? (int)left : ms;
}

/* Waits for input or for the command's wake_fd.  false: the end.  *woken_r
 * (may be NULL): wake_fd is readable. */
static bool
wait_input(struct imap_session *s, int wake_fd, bool *woken_r)
{
	bool quiet = s->x->store == NULL;
	int64_t silent = time_mono_ms();
	int rc, ms;

	enc_spill(&s->out);
	for (;;) {
		if (s->x->stop || (ms = patience_ms(s)) == 0)
			return lost(s, SIO_TIMEOUT);
		if (!quiet && ms > QUIET_MS)
			ms = QUIET_MS;
		if (s->cmd.silence_ms > 0)
			ms = still_here(s, &silent, ms);
		rc = wait_some(s, wake_fd, ms);
		if (rc > 0)
			break;
		if (rc != SIO_TIMEOUT)
			return lost(s, rc);
		/* Nothing to do: a time for upkeep. */
		if (!quiet)
			quiet = store_idle(s->x->store, false) <= 0;
	}
	if (woken_r != NULL)
		*woken_r = (rc & 2) != 0;
	return true;
}

/* ---- reading a command ------------------------------------------------- */

static int
on_command(void *arg, struct imap_parser *p)
{
	struct imap_session *s = arg;
	struct imap_cmd *cmd = &s->cmd;

	cmd->tag = p->tag;
	cmd->row = imap_command_find(p->name);
	if (cmd->row == NULL) {
		p->err = "unknown command";
		return -1;
	}
	if (!(cmd->row->states & imap_state(s))) {
		p->err = imap_state(s) == IMAP_NOAUTH ? "log in first" :
		    imap_state(s) == IMAP_AUTH && cmd->row->states ==
		    IMAP_SELECTED ? "select a mailbox first" :
		    "you are logged in already";
		return -1;
	}
	cmd->uid = (cmd->row->flags & IMAP_UID) != 0;
	p->sections = (cmd->row->flags & IMAP_SECTIONS) != 0;
	p->sections_in_return = (cmd->row->flags & IMAP_RETURN) != 0;
	p->lim.literal = imap_state(s) == IMAP_NOAUTH ? LITERAL_NOAUTH :
	    LITERAL_MAX;
	return 0;
}

static enum imap_literal_rc
on_literal(void *arg, struct imap_parser *p, uint64_t size, bool binary)
{
	struct imap_session *s = arg;
	struct imap_cmd *cmd = &s->cmd;
	const struct imap_stream *st = cmd->row->stream;

	if (st != NULL && p->depth <= 2 && p->n_top > 0) {
		cmd->args = (struct imap_args){ p->args, cmd->a, NULL,
			s->out.utf8 };
		return st->begin(cmd, size, binary);
	}
	if (binary && !(cmd->row->flags & IMAP_LITERAL8)) {
		p->err = "a literal8 can't be taken here";
		return IMAP_LIT_REFUSE;
	}
	return IMAP_LIT_KEEP;
}

static const struct imap_parse_hooks hooks = { on_command, on_literal };

static void
put_go(struct imap_session *s)
{
	enc_raw(&s->out, "+ OK");
	enc_eol(&s->out);
}

static bool
read_stream(struct imap_session *s)
{
	const struct imap_stream *st = s->cmd.row->stream;
	uint64_t left = s->parser.stream_size;

	if (s->parser.stream_sync)
		put_go(s);
	while (left > 0) {
		struct slice in = sio_input(s->x->io);

		if (in.n == 0) {
			new_deadline(s);
			if (!wait_input(s, -1, NULL))
				return false;
			continue;
		}
		if (in.n > left)
			in.n = (size_t)left;
		st->octets(&s->cmd, in);
		sio_consume(s->x->io, in.n);
		left -= in.n;
	}
	st->end(&s->cmd);
	imap_parse_streamed(&s->parser);
	return true;
}

/* One whole command.  false: the connection is over.  As long as nothing of it
 * has come, the client is told what NOTIFY asked for. */
static bool
read_command(struct imap_session *s, enum imap_parse_rc *rc_r)
{
	bool begun = false, woken;
	size_t used;

	for (;;) {
		*rc_r = imap_parse(&s->parser, sio_input(s->x->io), &used);
		sio_consume(s->x->io, used);
		begun = begun || used > 0 || *rc_r != IMAP_PARSE_MORE ||
		    sio_input(s->x->io).n > 0;
		switch (*rc_r) {
		case IMAP_PARSE_BAD:
		case IMAP_PARSE_DONE:
			return true;
		case IMAP_PARSE_STREAM:
			if (!read_stream(s))
				return false;
			continue;
		case IMAP_PARSE_GO:
			put_go(s);
			break;
		case IMAP_PARSE_MORE:
			break;
		}
		if (!wait_input(s, begun ? -1 : imap_notify_fd(s), &woken) ||
		    (woken && !imap_notify_wake(s, false)))
			return false;
	}
}

/* ---- running it -------------------------------------------------------- */

static void
answer_bad(struct imap_session *s)
{
	struct imap_parser *p = &s->parser;
	struct imap_cmd *cmd = &s->cmd;

	cmd->tag = p->tag;
	if (p->code != NULL && p->tag.n > 0)
		imap_no(cmd, p->code, p->err);
	else
		imap_bad(cmd, p->err);
	imap_answer(cmd);
	if (p->fatal)
		imap_bye(s, "TOOBIG", "A literal that is too big follows");
	else if (imap_state(s) == IMAP_NOAUTH && ++s->bad >= BAD_MAX)
		imap_bye(s, NULL, "Too many bad commands");
}

/* The client's next line, for a command that goes on with it. */
static enum imap_next
next_line(struct imap_session *s)
{
	struct imap_cmd *cmd = &s->cmd;
	struct slice in = sio_input(s->x->io), line;
	const char *lf = in.n > 0 ? memchr(in.p, '\n', in.n) : NULL;
	enum imap_next next;
	size_t n;

	if (lf == NULL && in.n <= s->parser.lim.line)
		return IMAP_MORE;
	n = lf ? (size_t)(lf - in.p) : in.n;
	if (n > s->parser.lim.line) {
		imap_bye(s, NULL, "Line too long");
		return IMAP_BYE;
	}
	line = slice_make(in.p, n);
	if (n > 0 && line.p[n - 1] == '\r')
		line.n--;
	line = arena_slice(cmd->a, line);
	sio_consume(s->x->io, n + 1);
	cmd->status = IMAP_S_NONE;
	next = cmd->line(cmd, line);
	return next;
}

static enum imap_next
go_on(struct imap_session *s)
{
	struct imap_cmd *cmd = &s->cmd;
	enum imap_next next = IMAP_MORE;
	size_t had = 0;

	while (next == IMAP_MORE) {
		bool woken = false;

		if (sio_input(s->x->io).n > had || had == 0)
			next = next_line(s);
		if (next != IMAP_MORE)
			break;
		if ((had = sio_input(s->x->io).n) > 0 &&
		    memchr(sio_input(s->x->io).p, '\n', had) != NULL)
			continue;
		if (!wait_input(s, cmd->wake_fd, &woken)) {
			if (cmd->cancel != NULL)
				cmd->cancel(cmd);
			return IMAP_BYE;
		}
		if (woken && cmd->wake != NULL)
			next = cmd->wake(cmd);
	}
	return next;
}

/* News for the client.  A failure to get them must not deny what was done. */
static enum imap_next
sync_after(struct imap_cmd *cmd)
{
	int rc = imap_sync(cmd->s, !(cmd->row->flags & IMAP_SEQ), NULL);

	if (rc >= 0)
		rc = imap_notify_look(cmd->s);
	if (rc >= 0)
		return IMAP_DONE;
	log_err("%s: looking for changes: %s: %s", cmd->row->name,
	    store_error(rc)->text, store_errmsg(imap_store(cmd->s)));
	if (rc != STORE_E_FENCED && rc != STORE_E_UNKNOWN)
		return IMAP_DONE;
	imap_bye(cmd->s, "UNAVAILABLE", store_error(rc)->text);
	return IMAP_BYE;
}

static void
run(struct imap_session *s)
{
	struct imap_cmd *cmd = &s->cmd;
	enum imap_next next;
	int rc;

	cmd->args = (struct imap_args){ s->parser.args, cmd->a, NULL,
		s->out.utf8 };
	new_deadline(s);
	cmd->heard = time_mono_ms();
	if (cmd->row->states == IMAP_SELECTED &&
	    !(cmd->row->flags & IMAP_NOSYNC) &&
	    (rc = imap_rights_check(s)) < 0)
		next = imap_store_failed(cmd, rc);
	else if (cmd->row->flags & IMAP_NUMBERS && s->enabled & IMAP_UIDONLY)
		next = imap_uid_required(cmd);
	else if (cmd->row->flags & IMAP_WRITE && s->view.readonly)
		next = imap_no(cmd, "READ-ONLY", "The mailbox is read-only");
	else
		next = cmd->row->run(cmd);
	if (next == IMAP_MORE)
		next = go_on(s);
	new_deadline(s);
	if (!(cmd->row->flags & IMAP_NOSYNC) && next == IMAP_DONE)
		next = sync_after(cmd);
	imap_answer(cmd);
	if (cmd->status == IMAP_S_BAD && imap_state(s) == IMAP_NOAUTH &&
	    ++s->bad >= BAD_MAX)
		imap_bye(s, NULL, "Too many bad commands");
	if (next == IMAP_BYE)
		s->bye = true;
	if (cmd->after != NULL && !s->bye)
		cmd->after(cmd);
}

static void
one_command(struct imap_session *s)
{
	enum imap_parse_rc rc;

	arena_reset(s->a);
	arena_reset(s->scratch);
	imap_contexts_end(s, false);
	imap_parser_reset(&s->parser, s->a);
	s->others.held = NULL;
	s->cmd = (struct imap_cmd){ .s = s, .a = s->a, .wake_fd = -1 };
	if (!imap_notify_prepare(s) || !read_command(s, &rc))
		return;
	if (rc == IMAP_PARSE_DONE)
		run(s);
	else
		answer_bad(s);
}

/* ---- the connection ---------------------------------------------------- */

static void
greet(struct imap_session *s)
{
	struct buf caps;

	buf_init(&caps, 4096);
	imap_capabilities(s, &caps);
	enc_raw(&s->out, s->x->store ? "* PREAUTH [CAPABILITY " :
	    "* OK [CAPABILITY ");
	enc_text(&s->out, buf_slice(&caps));
	enc_raw(&s->out, "] ");
	enc_text(&s->out, slice_str(s->x->conf->hostname));
	enc_raw(&s->out, " Culver is ready");
	enc_eol(&s->out);
	buf_release(&caps);
}

static bool
preauth(struct imap_session *s)
{
	int rc;

	if (s->x->preauth == NULL)
		return true;
	if ((rc = login_preauth(s->x)) == LOGIN_OK)
		return true;
	if (rc == LOGIN_E_CORRUPT)
		imap_bye(s, "CORRUPTION", "The stored data is damaged");
	else if (rc == LOGIN_E_TEMP)
		imap_bye(s, "UNAVAILABLE", "The account can't be opened now");
	else
		imap_bye(s, "AUTHORIZATIONFAILED", "No such account");
	return false;
}

/* What a client sends unasked is read over if it is mail, even too big. */
static uint64_t
drain_limit(const struct conf *c)
{
	uint64_t n = c->max_message;

	return n > UINT64_MAX / 8 ? n : 4 * (n > 16777216 ? n : 16777216);
}

static void
begin(struct imap_session *s, struct session *x)
{
	*s = (struct imap_session){ .x = x };
	/* The parser keeps to the limit; what handlers need beyond is given by
	 * the account's size. */
	s->a = arena_new(0);
	s->scratch = arena_new(0);
	language_reset();
	enc_init(&s->out, x->io);
	imap_parser_init(&s->parser);
	s->parser.hooks = &hooks;
	s->parser.arg = s;
	s->parser.lf_ok = x->preauth != NULL && isatty(0);
	s->parser.lim = (struct imap_limits){
		.line = x->conf->max_line,
		.literal = LITERAL_NOAUTH,
		.drain = drain_limit(x->conf),
		.args = ARGS_MAX,
		.memory = (size_t)x->conf->max_command_memory,
		.depth = IMAP_DEPTH_MAX - 1
	};
	sio_max_input(x->io, (size_t)x->conf->max_line + 4096);
	s->deadline = time_mono_ms() +
	    (int64_t)x->listener->login_timeout_s * 1000;
	x->proto = s;
}

static void
end(struct imap_session *s)
{
	enc_spill(&s->out);
	sio_flush(s->x->io);
	imap_notify_forget(s);
	imap_unselect(s);
	imap_others_close(s);
	if (s->x->store != NULL)
		store_idle(s->x->store, false);
	imap_flags_forget(s);
	enc_release(&s->out);
	arena_free(&s->scratch);
	arena_free(&s->a);
	imap_contexts_end(s, true);
	s->x->proto = NULL;
}

int
imap_serve(struct session *x)
{
	struct imap_session *s = xmalloc(sizeof(*s));

	begin(s, x);
	if (preauth(s)) {
		greet(s);
		new_deadline(s);
		while (!s->bye && !sio_failed(x->io))
			one_command(s);
	}
	end(s);
	xfree(s);
	return 0;
}
