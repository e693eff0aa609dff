/* libstore/kv/lower.c - a snapshot's rows: the journal's over the base's */
#include "config.h"

#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/lower.h"

void
lower_release(struct lower *w)
{
	olog_free(&w->log);
	base_close(&w->base);
}

int
lower_get(struct lower *w, struct slice key, struct slice *val_r)
{
	int rc = olog_get(w->log, key, w->base, val_r);

	if (rc != 2)
		return rc;
	return w->base == NULL ? 0 : base_get(w->base, key, val_r);
}

struct lower_scan {
	struct lower *w;
	struct olog_list list;
	size_t i;		/* how many of the list are done */
	struct base_cursor *cursor;
	bool reverse, end, have;
	struct slice key, val;	/* the base's next row */
	char *from, *to;
	size_t from_n, to_n;
};

struct lower_scan *
lower_scan_new(struct lower *w, struct slice from, struct slice to,
    bool reverse)
{
	struct lower_scan *s = xcalloc(1, sizeof(*s));

	s->w = w;
	s->reverse = reverse;
	s->end = w->base == NULL;
	s->from = xstrndup(from.p, from.n);
	s->from_n = from.n;
	s->to = xstrndup(to.p, to.n);
	s->to_n = to.n;
	olog_list(w->log, from, to, &s->list);
	return s;
}

void
lower_scan_free(struct lower_scan *s)
{
	base_cursor_close(&s->cursor);
	olog_list_release(&s->list);
	xfree(s->from);
	xfree(s->to);
	xfree(s);
}

static bool
in_range(const struct lower_scan *s, struct slice key)
{
	if (s->reverse)
		return slice_cmp(key, slice_make(s->from, s->from_n)) >= 0;
	return s->to_n == 0 || slice_cmp(key, slice_make(s->to, s->to_n)) < 0;
}

/* Sees to it that the base's next row is at hand, or end set. */
static int
fill(struct lower_scan *s)
{
	struct slice start = s->reverse ? slice_make(s->to, s->to_n) :
					  slice_make(s->from, s->from_n);
	int rc = 0;

	if (s->have || s->end)
		return 0;
	if (s->cursor == NULL)
		rc = base_cursor_open(s->w->base, start, s->reverse,
		    &s->cursor);
	if (rc == 0)
		rc = base_cursor_next(s->cursor, &s->key, &s->val);
	if (rc < 0)
		return rc;
	s->have = rc == 1 && in_range(s, s->key);
	s->end = !s->have;
	return 0;
}

/* Which has the next row?  < 0: the log, > 0: the base, 0: both. */
static int
order(const struct lower_scan *s, struct slice key)
{
	int c;

	if (!s->have)
		return -1;
	c = slice_cmp(key, s->key);
	return s->reverse ? -c : c;
}

int
lower_scan_next(struct lower_scan *s, struct slice *key_r, struct slice *val_r)
{
	for (;;) {
		bool more = s->i < s->list.n;
		struct slice key = { NULL, 0 };
		int c = 1, rc;

		if ((rc = fill(s)) < 0)
			return rc;
		if (!more && !s->have)
			return 0;
		if (more) {
			key = olog_list_key(&s->list, s->reverse ?
				s->list.n - 1 - s->i : s->i);
			c = order(s, key);
		}
		if (c <= 0) {
			s->i++;
			if (c == 0)
				s->have = false;
			*key_r = key;
			if ((rc = olog_get(s->w->log, key, s->w->base, val_r)))
				return rc;
			continue;	/* gone */
		}
		s->have = false;
		if (olog_hides(s->w->log, s->key))
			continue;
		*key_r = s->key;
		*val_r = s->val;
		return 1;
	}
}
