/* libstore/kv/view.c - rows as a transaction sees them: overlay over base */
#include "config.h"

#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/view.h"

/* The base's value of key unless it is hidden: 1, 0 or negative. */
static int
below(const struct view *v, struct slice key, struct slice *val_r)
{
	if (v->base == NULL || overlay_hides(&v->ov, key))
		return 0;
	return base_get(v->base, key, val_r);
}

int
view_get(const struct view *v, struct arena *a, struct slice key,
    struct slice *val_r)
{
	const struct orow *row = overlay_find(&v->ov, key);
	struct slice val;
	char *copy;
	int rc;

	if (row != NULL && row->kind == OROW_GONE)
		return STORE_E_NOTFOUND;
	if (row != NULL && row->kind == OROW_VALUE)
		val = orow_value(row);
	else if ((rc = below(v, key, &val)) < 0)
		return rc;
	else if (rc == 0)
		return row == NULL ? STORE_E_NOTFOUND : STORE_E_CORRUPT;
	copy = arena_strndup(a, val.p, val.n);
	if (row != NULL && row->kind == OROW_PATCH &&
	    orow_apply(row, copy, val.n) < 0)
		return STORE_E_CORRUPT;
	*val_r = slice_make(copy, val.n);
	return 0;
}

/* From now on the overlay has the value of the base's row. */
static int
pull_up(struct view *v, struct slice key)
{
	const struct orow *row = overlay_find(&v->ov, key);
	struct slice val;
	char *copy;
	int rc;

	if ((rc = below(v, key, &val)) < 0)
		return rc;
	if (rc == 0)
		return row == NULL ? STORE_E_NOTFOUND : STORE_E_CORRUPT;
	copy = xstrndup(val.p, val.n);
	rc = row == NULL ? 0 : orow_apply(row, copy, val.n);
	if (rc == 0)
		overlay_put(&v->ov, key, slice_make(copy, val.n));
	xfree(copy);
	return rc < 0 ? STORE_E_CORRUPT : 0;
}

int
view_patch(struct view *v, struct slice key, size_t off, struct slice octets)
{
	enum orow_patched p = overlay_patch_value(&v->ov, key, off, octets);
	int rc;

	if (p == OROW_ABSENT) {
		if ((rc = pull_up(v, key)) < 0)
			return rc;
		p = overlay_patch_value(&v->ov, key, off, octets);
	}
	return p == OROW_PATCHED ? 0 :
	    p == OROW_TOO_SHORT	 ? STORE_E_INVALID :
				   STORE_E_NOTFOUND;
}

/* ---- scans -------------------------------------------------------------- */

struct view_scan {
	struct overlay ov;	/* pinned */
	struct owalk walk;
	struct base_cursor *cursor;
	bool reverse, base_end, base_have;
	struct slice base_key, base_val;	/* the base's next row */
	struct base *base;
	char *from, *to;
	size_t from_n, to_n;
	char *patched;
	size_t patched_n;
};

struct view_scan *
view_scan_new(const struct view *v, struct slice from, struct slice to,
    bool reverse)
{
	struct view_scan *s = xcalloc(1, sizeof(*s));

	overlay_copy(&s->ov, &v->ov);
	s->base = v->base;
	s->base_end = v->base == NULL;
	s->reverse = reverse;
	s->from = xstrndup(from.p, from.n);
	s->from_n = from.n;
	s->to = xstrndup(to.p, to.n);
	s->to_n = to.n;
	owalk_seek(&s->walk, &s->ov, reverse ? to : from, reverse);
	return s;
}

void
view_scan_free(struct view_scan *s)
{
	base_cursor_close(&s->cursor);
	overlay_release(&s->ov);
	xfree(s->from);
	xfree(s->to);
	xfree(s->patched);
	xfree(s);
}

static bool
in_range(const struct view_scan *s, struct slice key)
{
	if (s->reverse)
		return slice_cmp(key, slice_make(s->from, s->from_n)) >= 0;
	return s->to_n == 0 || slice_cmp(key, slice_make(s->to, s->to_n)) < 0;
}

/* Sees to it that the base's next row is at hand, or base_end set. */
static int
base_fill(struct view_scan *s)
{
	struct slice start = s->reverse ? slice_make(s->to, s->to_n) :
					  slice_make(s->from, s->from_n);
	int rc = 0;

	if (s->base_have || s->base_end)
		return 0;
	if (s->cursor == NULL)
		rc = base_cursor_open(s->base, start, s->reverse, &s->cursor);
	if (rc == 0)
		rc = base_cursor_next(s->cursor, &s->base_key, &s->base_val);
	if (rc < 0)
		return rc;
	s->base_have = rc == 1 && in_range(s, s->base_key);
	s->base_end = !s->base_have;
	return 0;
}

/* The base's row with the overlay's patches. */
static int
patched(struct view_scan *s, const struct orow *row, struct slice *val_r)
{
	if (s->patched_n < s->base_val.n) {
		s->patched_n = s->base_val.n;
		s->patched = xrealloc(s->patched, s->patched_n);
	}
	if (s->base_val.n > 0)
		memcpy(s->patched, s->base_val.p, s->base_val.n);
	if (orow_apply(row, s->patched, s->base_val.n) < 0)
		return STORE_E_CORRUPT;
	*val_r = slice_make(s->patched, s->base_val.n);
	return 1;
}

/* The overlay's row is next; base_too: the base has the same key. 1: a row. */
static int
overlay_next(struct view_scan *s, const struct orow *row, bool base_too,
    struct slice *key_r, struct slice *val_r)
{
	int rc = 1;

	*key_r = orow_key(row);
	*val_r = orow_value(row);
	if (row->kind == OROW_PATCH)
		rc = base_too && !overlay_hides(&s->ov, *key_r) ?
		    patched(s, row, val_r) : STORE_E_CORRUPT;
	else if (row->kind == OROW_GONE)
		rc = 0;
	owalk_step(&s->walk);
	if (base_too)
		s->base_have = false;
	return rc;
}

int
view_scan_next(struct view_scan *s, struct slice *key_r, struct slice *val_r)
{
	for (;;) {
		const struct orow *row = owalk_row(&s->walk);
		int c, rc;

		if ((rc = base_fill(s)) < 0)
			return rc;
		if (row != NULL && !in_range(s, orow_key(row)))
			row = NULL;
		if (row == NULL && !s->base_have)
			return 0;
		c = row == NULL ? 1 :
		    !s->base_have ? -1 :
				    slice_cmp(orow_key(row), s->base_key);
		if (row != NULL && s->base_have && s->reverse)
			c = -c;
		if (c <= 0) {
			rc = overlay_next(s, row, c == 0, key_r, val_r);
			if (rc != 0)
				return rc;
			continue;
		}
		s->base_have = false;
		if (overlay_hides(&s->ov, s->base_key))
			continue;
		*key_r = s->base_key;
		*val_r = s->base_val;
		return 1;
	}
}
