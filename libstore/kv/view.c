/* libstore/kv/view.c - rows as a transaction sees them */
#include "config.h"

#include "libbase/xalloc.h"
#include "libstore/kv/view.h"

/* The row of what is below, unless it is hidden: 1, 0 or negative. */
static int
below(const struct view *v, struct slice key, struct slice *val_r)
{
	if (v->low == NULL || overlay_hides(&v->ov, key))
		return 0;
	return lower_get(v->low, key, val_r);
}

int
view_get(const struct view *v, struct arena *a, struct slice key,
    struct slice *val_r)
{
	const struct orow *row = overlay_find(&v->ov, key);
	struct slice val;
	int rc;

	if (row != NULL && row->kind == OROW_GONE)
		return STORE_E_NOTFOUND;
	if (row != NULL)
		val = orow_value(row);
	else if ((rc = below(v, key, &val)) < 0)
		return rc;
	else if (rc == 0)
		return STORE_E_NOTFOUND;
	*val_r = slice_make(arena_strndup(a, val.p, val.n), val.n);
	return 0;
}

int
view_patch(struct view *v, struct slice key, size_t off, struct slice octets)
{
	enum orow_patched p = overlay_patch(&v->ov, key, off, octets);
	struct slice val;
	int rc;

	if (p == OROW_ABSENT) {
		/* From now on the overlay has the value. */
		if ((rc = below(v, key, &val)) < 0)
			return rc;
		if (rc == 0)
			return STORE_E_NOTFOUND;
		if (off > val.n || octets.n > val.n - off)
			return STORE_E_INVALID;
		overlay_put(&v->ov, key, val);
		p = overlay_patch(&v->ov, key, off, octets);
	}
	return p == OROW_PATCHED ? 0 :
	    p == OROW_TOO_SHORT	 ? STORE_E_INVALID :
				   STORE_E_NOTFOUND;
}

/* ---- scans -------------------------------------------------------------- */

struct view_scan {
	struct overlay ov;	/* pinned */
	struct owalk walk;
	struct lower_scan *low;
	bool reverse, end, have;
	struct slice key, val;	/* the next row below */
	char *from, *to;
	size_t from_n, to_n;
};

struct view_scan *
view_scan_new(const struct view *v, struct slice from, struct slice to,
    bool reverse)
{
	struct view_scan *s = xcalloc(1, sizeof(*s));

	overlay_copy(&s->ov, &v->ov);
	s->reverse = reverse;
	s->end = v->low == NULL;
	s->from = xstrndup(from.p, from.n);
	s->from_n = from.n;
	s->to = xstrndup(to.p, to.n);
	s->to_n = to.n;
	if (v->low != NULL)
		s->low = lower_scan_new(v->low, from, to, reverse);
	owalk_seek(&s->walk, &s->ov, reverse ? to : from, reverse);
	return s;
}

void
view_scan_free(struct view_scan *s)
{
	if (s->low != NULL)
		lower_scan_free(s->low);
	overlay_release(&s->ov);
	xfree(s->from);
	xfree(s->to);
	xfree(s);
}

static bool
in_range(const struct view_scan *s, struct slice key)
{
	if (s->reverse)
		return slice_cmp(key, slice_make(s->from, s->from_n)) >= 0;
	return s->to_n == 0 || slice_cmp(key, slice_make(s->to, s->to_n)) < 0;
}

static int
fill(struct view_scan *s)
{
	int rc;

	if (s->have || s->end)
		return 0;
	if ((rc = lower_scan_next(s->low, &s->key, &s->val)) < 0)
		return rc;
	s->have = rc == 1;
	s->end = rc == 0;
	return 0;
}

/* Which has the next row?  < 0: the overlay, > 0: what is below, 0: both. */
static int
order(const struct view_scan *s, const struct orow *row)
{
	int c;

	if (row == NULL)
		return 1;
	if (!s->have)
		return -1;
	c = slice_cmp(orow_key(row), s->key);
	return s->reverse ? -c : c;
}

int
view_scan_next(struct view_scan *s, struct slice *key_r, struct slice *val_r)
{
	for (;;) {
		const struct orow *row = owalk_row(&s->walk);
		int c, rc;

		if ((rc = fill(s)) < 0)
			return rc;
		if (row != NULL && !in_range(s, orow_key(row)))
			row = NULL;
		if (row == NULL && !s->have)
			return 0;
		if ((c = order(s, row)) > 0) {
			s->have = false;
			if (overlay_hides(&s->ov, s->key))
				continue;
			*key_r = s->key;
			*val_r = s->val;
			return 1;
		}
		if (c == 0)
			s->have = false;
		owalk_step(&s->walk);
		if (row->kind == OROW_GONE)
			continue;
		*key_r = orow_key(row);
		*val_r = orow_value(row);
		return 1;
	}
}
