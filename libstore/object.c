/*
 * libstore/object.c - what small objects of the account have in common
 *
 * Identities and submissions have ids like Emails, and a modseq of their last
 * change.  One that is destroyed leaves a mark, so that clients can be told;
 * where there are too many marks the oldest go, and the sum's floor rises: of
 * changes before it nobody knows any more.
 */
#include "config.h"

#include <stdlib.h>

#include "libstore/store-int.h"

enum { GONE_MAX = 1000, GONE_KEEP = 500 };

int
objects_read(struct kv_txn *t, struct arena *a, int kind,
    struct row_objects *s_r)
{
	struct row_key k = row_key_kind(kind);
	struct slice v;
	int rc;

	memset(s_r, 0, sizeof(*s_r));
	rc = kv_get(t, a, row_key(&k), &v);
	if (rc == STORE_E_NOTFOUND)
		return 0;
	return rc < 0 ? rc : row_objects_get(v, s_r);
}

int
object_read(struct kv_txn *t, struct arena *a, int kind, uint64_t id,
    struct slice *val_r)
{
	struct row_key k = row_key_u64(kind, id);
	uint64_t modseq;
	bool gone;
	int rc;

	if ((rc = kv_get(t, a, row_key(&k), val_r)) < 0 ||
	    (rc = row_object_get(*val_r, &modseq, &gone)) < 0)
		return rc;
	return gone ? STORE_E_NOTFOUND : 0;
}

static int
objects_write(struct work *w, int kind, struct row_objects *s)
{
	s->modseq = w->modseq;
	row_objects_put(&w->st->val, s);
	return work_put(w, row_key_kind(kind));
}

int
object_put(struct work *w, int kind, uint64_t id, bool fresh)
{
	struct row_objects s;
	int rc;

	if ((rc = work_put(w, row_key_u64(kind, id))) < 0 ||
	    (rc = objects_read(w->t, w->a, kind, &s)) < 0)
		return rc;
	s.n += fresh;
	return objects_write(w, kind, &s);
}

int
objects_each(struct kv_txn *t, int kind,
    int (*fn)(void *arg, uint64_t id, struct slice val), void *arg)
{
	struct row_key from = row_key_kind(kind), to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	uint64_t id;
	int rc;

	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if (key.n == 1)		/* the sum */
			continue;
		if (!row_key_get_u64(key, kind, &id))
			rc = STORE_E_CORRUPT;
		else if ((rc = fn(arg, id, val)) != 0)
			break;
	}
	kv_scan_close(&s);
	return rc;
}

/* ---- marks of what is gone --------------------------------------------- */

struct mark {
	uint64_t id, modseq;
};
struct marks {
	struct arena *a;
	struct mark *v;
	size_t n, cap;
};

static int
mark_note(void *arg, uint64_t id, struct slice val)
{
	struct marks *l = arg;
	uint64_t modseq;
	bool gone;
	int rc;

	if ((rc = row_object_get(val, &modseq, &gone)) < 0 || !gone)
		return rc;
	l->v = arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct mark){ id, modseq };
	return 0;
}

static int
by_modseq(const void *va, const void *vb)
{
	const struct mark *a = va, *b = vb;

	return a->modseq < b->modseq ? -1 : a->modseq > b->modseq;
}

/* All but the newest marks go. */
static int
marks_drop(struct work *w, int kind, struct row_objects *s)
{
	struct marks l = { .a = w->a };
	int rc;

	if ((rc = objects_each(w->t, kind, mark_note, &l)) < 0)
		return rc;
	if (l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), by_modseq);
	for (size_t i = 0; i + GONE_KEEP < l.n; i++) {
		rc = work_del(w, row_key_u64(kind, l.v[i].id));
		if (rc < 0)
			return rc;
		s->floor = l.v[i].modseq;
		s->gone--;
	}
	return 0;
}

int
object_gone(struct work *w, int kind, uint64_t id)
{
	struct row_objects s;
	int rc;

	row_gone_put(&w->st->val, w->modseq);
	if ((rc = work_put(w, row_key_u64(kind, id))) < 0 ||
	    (rc = objects_read(w->t, w->a, kind, &s)) < 0)
		return rc;
	if (s.n == 0)
		return store_corrupt(w->st, "the sum of objects", id);
	s.n--;
	s.gone++;
	if (s.gone > GONE_MAX && (rc = marks_drop(w, kind, &s)) < 0)
		return rc;
	return objects_write(w, kind, &s);
}

/* What clients know of it may be wrong. */
int
objects_forget(struct work *w, int kind)
{
	struct row_objects s;
	int rc;

	if ((rc = objects_read(w->t, w->a, kind, &s)) < 0)
		return rc;
	s.floor = w->modseq - 1;
	return objects_write(w, kind, &s);
}
