/* culver/imapc-fetch.c - an IMAP client: the responses of FETCH */
#include "config.h"

#include <string.h>

#include "culver/imapc.h"

enum { FLAGS_MOST = 65536, DATE_MOST = 64 };

struct fetching {
	const struct imapc_fetch *f;
	struct imapc_msg msg;
	struct buf flags, date;
	bool on;		/* in a FETCH response */
	bool body;		/* the next literal is BODY[...] */
	int rc;			/* of the functions */
};

/* The length of a value at the front: a list, a string, or an atom. */
static size_t
value_len(struct slice s)
{
	unsigned depth = 0;
	bool quoted = false;
	size_t i;

	for (i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
			if (quoted || depth > 0)
				continue;
			return i + 1 < s.n ? i + 1 : s.n;
		}
		if (c == '"')
			quoted = true;
		else if (c == '(')
			depth++;
		else if (c == ')' && depth == 0)
			return i;
		else if (c == ')' && --depth == 0)
			return i + 1;
		else if (c == ' ' && depth == 0)
			return i;
	}
	return s.n;
}

/* "BODY[HEADER.FIELDS (TO)]" has a blank in it. */
static size_t
name_len(struct slice s)
{
	bool in = false;
	size_t i;

	for (i = 0; i < s.n && (in || s.p[i] != ' '); i++)
		in = s.p[i] == '[' || (in && s.p[i] != ']');
	return i;
}

static struct slice
skip(struct slice s, size_t n)
{
	return slice_make(s.p + n, s.n - n);
}

/* Without what is around it: quotes, parentheses. */
static struct slice
inner(struct slice v, char open)
{
	if (v.n < 2 || v.p[0] != open)
		return v;
	return slice_make(v.p + 1, v.n - 2);
}

static void
on_item(struct fetching *g, struct slice name, struct slice v)
{
	uint64_t n;

	if (slice_ieq(name, SLICE_LIT("UID")) &&
	    slice_uint(v, UINT32_MAX, &n) == 0) {
		g->msg.uid = (uint32_t)n;
	} else if (slice_ieq(name, SLICE_LIT("RFC822.SIZE"))) {
		(void)slice_uint(v, UINT64_MAX, &g->msg.size);
	} else if (slice_ieq(name, SLICE_LIT("FLAGS"))) {
		buf_reset(&g->flags);
		buf_add_slice(&g->flags, inner(v, '('));
		g->msg.flags = buf_slice(&g->flags);
	} else if (slice_ieq(name, SLICE_LIT("INTERNALDATE"))) {
		buf_reset(&g->date);
		v = inner(v, '"');
		buf_add_slice(&g->date, v.n > 0 && v.p[0] == ' ' ?
		    skip(v, 1) : v);
		g->msg.date = buf_slice(&g->date);
	} else if (g->f->body && g->rc == 0 && name.n > 5 &&
	    v.n > 1 && v.p[0] == '"' &&
	    slice_ieq(slice_make(name.p, 5), SLICE_LIT("BODY["))) {
		v = inner(v, '"');
		g->rc = g->f->body(g->f->arg, &g->msg, v.p, v.n);
	}
}

/* Pairs of names and values, up to a literal if there is one. */
static void
items(struct fetching *g, struct slice s)
{
	while (s.n > 0 && s.p[0] != ')') {
		struct slice name, v;

		if (s.p[0] == ' ') {
			s = skip(s, 1);
			continue;
		}
		name = slice_make(s.p, name_len(s));
		s = skip(s, name.n);
		if (s.n > 0)
			s = skip(s, 1);
		g->body = s.n == 0 && name.n > 5 &&
		    slice_ieq(slice_make(name.p, 5), SLICE_LIT("BODY["));
		v = slice_make(s.p, value_len(s));
		s = skip(s, v.n);
		if (v.n > 0)
			on_item(g, name, v);
		else if (s.n > 0 && s.p[0] != ' ' && s.p[0] != ')')
			return;
	}
}

/* "* 12 FETCH (": what follows; n 0: it is another response. */
static struct slice
begin(struct slice s)
{
	size_t i = 2;

	if (!slice_starts(s, SLICE_LIT("* ")))
		return slice_make(NULL, 0);
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	if (s.n - i < 8 ||
	    !slice_ieq(slice_make(s.p + i, 8), SLICE_LIT(" FETCH (")))
		return slice_make(NULL, 0);
	return skip(s, i + 8);
}

static int
on_octets(void *arg, const char *p, size_t n)
{
	struct fetching *g = arg;

	if (g->rc == 0)
		g->rc = g->f->body(g->f->arg, &g->msg, p, n);
	return 0;
}

/* A line; fresh: it begins a response. */
static int
on_line(struct imapc *m, struct fetching *g, struct slice s, uint64_t literal,
    bool more, bool fresh)
{
	bool body;

	if (fresh) {
		s = begin(s);
		g->on = s.n > 0;
		buf_reset(&g->flags);
		buf_reset(&g->date);
		g->msg = (struct imapc_msg){ .uid = 0 };
	}
	g->body = false;
	if (g->on)
		items(g, s);
	body = g->on && g->body && g->f->body;
	if (more && imapc_literal(m, literal, body ? on_octets : NULL, g) < 0)
		return -1;
	/* What changes by itself has no UID before UIDONLY. */
	if (!more && g->on && g->msg.uid != 0 && g->rc == 0)
		g->rc = g->f->end(g->f->arg, &g->msg);
	return 0;
}

int
imapc_fetch(struct imapc *m, struct slice command,
    const struct imapc_fetch *f)
{
	struct fetching g = { .f = f };
	struct slice text;
	uint64_t literal;
	bool more, fresh = true;
	int rc;

	buf_init(&g.flags, FLAGS_MOST);
	buf_init(&g.date, DATE_MOST);
	rc = imapc_send(m, command);
	while (rc == 0 && (rc = imapc_next(m, &text, &literal, &more)) == 1) {
		rc = on_line(m, &g, text, literal, more, fresh);
		fresh = !more;
		if (rc < 0)
			break;
	}
	buf_release(&g.flags);
	buf_release(&g.date);
	return rc < 0 ? rc : g.rc;
}
