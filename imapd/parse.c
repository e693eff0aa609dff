/* imapd/parse.c - the command parser: lines, literals, errors */
#include "config.h"

#include <string.h>

#include "imapd/language.h"
#include "imapd/lex.h"
#include "imapd/parse.h"

enum state {
	ST_LINE,		/* a line, or what follows a literal */
	ST_LITERAL,		/* octets of a literal that is kept */
	ST_STREAM,		/* octets that the owner takes */
	ST_SKIP_LINE,		/* after an error: to the end of the line */
	ST_SKIP_LITERAL		/* after an error: a literal that comes anyway */
};

void
imap_parser_init(struct imap_parser *p)
{
	memset(p, 0, sizeof(*p));
}

void
imap_parser_reset(struct imap_parser *p, struct arena *a)
{
	p->a = a;
	p->tag = p->name = (struct slice){ NULL, 0 };
	p->args = NULL;
	p->err = p->code = NULL;
	p->fatal = p->sections = p->sections_in_return = false;
	p->state = ST_LINE;
	p->after = IMAP_AFTER_NOTHING;
	p->depth = 0;
	p->n_top = p->n_args = p->scan = p->pos = p->n_tail = 0;
	p->open[0].arg = NULL;
	p->open[0].tail = &p->args;
	p->lit = NULL;
}

int
imap_parse_expected(struct imap_parser *p, const char *what, size_t pos)
{
	p->err = arena_printf(p->a, language_text("expected %s at octet %zu"),
	    language_text(what), pos);
	return -1;
}

/* After an error.  tail is the end of the line that it was in, without CRLF:
 * a non-synchronizing literal will follow whatever we say (RFC 7888 4). */
static enum imap_parse_rc
skip_after(struct imap_parser *p, struct slice tail)
{
	struct imap_lit l;

	if (imap_lex_literal_end(tail, &l) <= 0 || l.sync)
		return IMAP_PARSE_BAD;
	if (l.size > p->lim.drain) {
		p->fatal = true;
		return IMAP_PARSE_BAD;
	}
	p->lit_size = l.size;
	p->lit_have = 0;
	p->state = ST_SKIP_LITERAL;
	return IMAP_PARSE_MORE;
}

static bool
line_clean(struct imap_parser *p, struct slice line)
{
	const char *bad;

	if ((bad = memchr(line.p, '\0', line.n)) != NULL)
		p->err = arena_printf(p->a, language_text("NUL at octet %zu"),
		    p->pos + (size_t)(bad - line.p) + 1);
	else if ((bad = memchr(line.p, '\r', line.n)) != NULL)
		p->err = arena_printf(p->a,
		    language_text("CR without LF at octet %zu"),
		    p->pos + (size_t)(bad - line.p) + 1);
	return bad == NULL;
}

/* A line of the command that ended in a literal: what to do with it? */
static enum imap_parse_rc
literal_begin(struct imap_parser *p, const struct imap_lit *l,
    struct slice line)
{
	struct imap_arg *arg;

	switch (p->hooks->literal(p->arg, p, l->size, l->binary)) {
	case IMAP_LIT_REFUSE:
		return skip_after(p, line);
	case IMAP_LIT_STREAM:
		if ((arg = imap_lex_add(p, IMAP_ARG_STREAM, l->pos)) == NULL)
			return skip_after(p, line);
		arg->size = p->stream_size = l->size;
		p->stream_sync = l->sync;
		p->state = ST_STREAM;
		return IMAP_PARSE_STREAM;
	case IMAP_LIT_KEEP:
		break;
	}
	if (l->size > p->lim.literal) {
		p->err = arena_printf(p->a, language_text(
		    "literal of more than %llu octets at octet %zu"),
		    (unsigned long long)p->lim.literal, l->pos);
		p->code = "TOOBIG";
		return skip_after(p, line);
	}
	if ((arg = imap_lex_add(p, IMAP_ARG_LITERAL, l->pos)) == NULL)
		return skip_after(p, line);
	p->lit = arena_alloc(p->a, (size_t)l->size + 1);
	arg->s = slice_make(p->lit, (size_t)l->size);
	p->lit_size = l->size;
	p->lit_binary = l->binary;
	p->lit_have = 0;
	p->state = ST_LITERAL;
	return l->sync ? IMAP_PARSE_GO : IMAP_PARSE_MORE;
}

static enum imap_parse_rc
take_line(struct imap_parser *p, struct slice line)
{
	struct imap_lit lit = { 0 };
	int rc;

	if (!line_clean(p, line)) {
		if (p->after == IMAP_AFTER_NOTHING)
			imap_lex_tag(p, line);
		return skip_after(p, line);
	}
	line = slice_make(arena_strndup(p->a, line.p, line.n), line.n);
	rc = imap_lex_line(p, line, &lit);
	if (rc >= 0 && arena_used(p->a) > p->lim.memory) {
		p->err = "command needs too much memory";
		p->code = "LIMIT";
		rc = -1;
	}
	p->pos += line.n + 2;
	if (rc < 0)
		return skip_after(p, line);
	if (rc == 0)
		return IMAP_PARSE_DONE;
	return literal_begin(p, &lit, line);
}

/* Looks for the end of a line in in.  *used_r: what was taken. */
static enum imap_parse_rc
want_line(struct imap_parser *p, struct slice in, size_t *used_r)
{
	const char *lf;
	size_t n;

	lf = p->scan < in.n ? memchr(in.p + p->scan, '\n', in.n - p->scan) :
	    NULL;
	n = lf ? (size_t)(lf - in.p) : in.n;
	if (n > p->lim.line + 1) {
		p->err = arena_printf(p->a,
		    language_text("line of more than %zu octets"),
		    p->lim.line);
		p->code = "LIMIT";
		if (p->tag.n == 0 && p->after == IMAP_AFTER_NOTHING)
			imap_lex_tag(p, slice_make(in.p, n));
		p->state = ST_SKIP_LINE;
		return IMAP_PARSE_MORE;
	}
	p->scan = in.n;
	if (lf == NULL)
		return IMAP_PARSE_MORE;
	p->scan = 0;
	*used_r += n + 1;
	if (n > 0 && in.p[n - 1] == '\r')
		return take_line(p, slice_make(in.p, n - 1));
	if (p->lf_ok)
		return take_line(p, slice_make(in.p, n));
	p->err = arena_printf(p->a, language_text("LF without CR at octet %zu"),
	    p->pos + n + 1);
	if (p->tag.n == 0)
		imap_lex_tag(p, slice_make(in.p, n));
	return skip_after(p, slice_make(in.p, n));
}

static enum imap_parse_rc
want_literal(struct imap_parser *p, struct slice in, size_t *used_r)
{
	uint64_t left = p->lit_size - p->lit_have;
	size_t n = in.n < left ? in.n : (size_t)left;

	memcpy(p->lit + p->lit_have, in.p, n);
	p->lit_have += n;
	*used_r += n;
	if (p->lit_have < p->lit_size)
		return IMAP_PARSE_MORE;
	p->pos += p->lit_size;
	p->state = ST_LINE;
	if (!p->lit_binary && memchr(p->lit, '\0', p->lit_size) != NULL) {
		p->err = arena_printf(p->a, language_text(
		    "NUL in the literal that ends at octet %zu"), p->pos);
		p->state = ST_SKIP_LINE;
	}
	return IMAP_PARSE_MORE;
}

static enum imap_parse_rc
want_skip_line(struct imap_parser *p, struct slice in, size_t *used_r)
{
	const char *lf = memchr(in.p, '\n', in.n);
	size_t n = lf ? (size_t)(lf - in.p) : in.n;
	size_t keep = n < sizeof(p->tail) ? n : sizeof(p->tail);

	if (p->n_tail + keep > sizeof(p->tail)) {
		size_t drop = p->n_tail + keep - sizeof(p->tail);

		memmove(p->tail, p->tail + drop, p->n_tail - drop);
		p->n_tail -= drop;
	}
	memcpy(p->tail + p->n_tail, in.p + n - keep, keep);
	p->n_tail += keep;
	*used_r += lf ? n + 1 : n;
	if (lf == NULL)
		return IMAP_PARSE_MORE;
	n = p->n_tail;
	p->n_tail = 0;
	if (n > 0 && p->tail[n - 1] == '\r')
		n--;
	return skip_after(p, slice_make(p->tail, n));
}

static enum imap_parse_rc
want_skip_literal(struct imap_parser *p, struct slice in, size_t *used_r)
{
	uint64_t left = p->lit_size - p->lit_have;
	size_t n = in.n < left ? in.n : (size_t)left;

	p->lit_have += n;
	*used_r += n;
	if (p->lit_have == p->lit_size)
		p->state = ST_SKIP_LINE;
	return IMAP_PARSE_MORE;
}

enum imap_parse_rc
imap_parse(struct imap_parser *p, struct slice in, size_t *used_r)
{
	enum imap_parse_rc rc = IMAP_PARSE_MORE;
	int state;

	*used_r = 0;
	if (in.p == NULL)
		in = SLICE_LIT("");
	do {
		struct slice left = { in.p + *used_r, in.n - *used_r };
		size_t before = *used_r;

		state = p->state;
		if (left.n == 0 && !(state == ST_LITERAL && p->lit_size == 0) &&
		    !(state == ST_SKIP_LITERAL && p->lit_size == 0))
			return IMAP_PARSE_MORE;
		switch ((enum state)state) {
		case ST_LINE:
			rc = want_line(p, left, used_r);
			break;
		case ST_LITERAL:
			rc = want_literal(p, left, used_r);
			break;
		case ST_STREAM:
			return IMAP_PARSE_STREAM;
		case ST_SKIP_LINE:
			rc = want_skip_line(p, left, used_r);
			break;
		case ST_SKIP_LITERAL:
			rc = want_skip_literal(p, left, used_r);
			break;
		}
		if (*used_r == before && p->state == state)
			break;
	} while (rc == IMAP_PARSE_MORE);
	return rc;
}

void
imap_parse_streamed(struct imap_parser *p)
{
	p->pos += p->stream_size;
	p->state = ST_LINE;
}
