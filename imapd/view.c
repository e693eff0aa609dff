/* imapd/view.c - the selected mailbox as the client was told it is */
#include "config.h"

#include <stdlib.h>

#include "imapd/view.h"
#include "libbase/xalloc.h"

static void
recent_add(struct view *v, uint32_t from, uint32_t to)
{
	if (from > to)
		return;
	if (v->n_recent > 0 && v->recent[v->n_recent - 1].to + 1 == from) {
		v->recent[v->n_recent - 1].to = to;
		return;
	}
	if (v->n_recent == v->cap_recent) {
		v->cap_recent = v->cap_recent ? v->cap_recent * 2 : 4;
		v->recent = xreallocarray(v->recent, v->cap_recent,
		    sizeof(v->recent[0]));
	}
	v->recent[v->n_recent++] = (struct store_range){ from, to };
}

/* Messages from first on have just come into view. */
static void
claim_recent(struct view *v, struct store *st, size_t first)
{
	uint32_t from;

	if (first == v->n)
		return;
	from = store_recent(st, v->mailbox, v->uidnext,
	    !v->readonly && v->rights & STORE_RIGHT_SEEN);
	if (from < v->m[first].uid)
		from = v->m[first].uid;
	recent_add(v, from, v->uidnext - 1);
}

int
view_open(struct view *v, struct store *st, struct arena *a,
    const struct store_mailbox *mb, struct slice path, bool readonly)
{
	int rc;

	(void)a;
	view_close(v);
	if ((rc = store_msgs_load(st, mb->id, 1, UINT32_MAX, 0, &v->m,
	    &v->n)) < 0) {
		v->m = NULL;
		v->n = 0;
		return rc;
	}
	v->cap = v->n;
	v->mailbox = mb->id;
	v->st = st;
	v->rights = STORE_RIGHTS_ALL;
	v->readonly = readonly;
	v->uidvalidity = mb->uidvalidity;
	v->uidnext = mb->uidnext;
	v->modseq = store_modseq(st);
	v->highest = mb->highestmodseq;
	v->path = slice_make(xstrndup(path.p, path.n), path.n);
	claim_recent(v, st, 0);
	return 0;
}

void
view_close(struct view *v)
{
	char *path = v->path.p ? (char *)(uintptr_t)v->path.p : NULL;

	xfree(path);
	xfree(v->m);
	xfree(v->recent);
	xfree(v->saved);
	*v = (struct view){ 0 };
}

static void
mark_gone(struct view *v, size_t i)
{
	if (v->m[i].flags & VIEW_GONE)
		return;
	v->m[i].flags |= VIEW_GONE;
	v->n_gone++;
}

void
view_kill(struct view *v)
{
	for (size_t i = 0; i < v->n; i++)
		mark_gone(v, i);
	v->dead = true;
}

static void
append(struct view *v, const struct store_msg *m, size_t n)
{
	if (n == 0)
		return;
	if (v->n + n > v->cap) {
		v->cap = v->n + n + v->n / 8;
		v->m = xreallocarray(v->m, v->cap, sizeof(v->m[0]));
	}
	memcpy(v->m + v->n, m, n * sizeof(*m));
	v->n += n;
}

/* Takes over what changed: m[0..n) by UID. */
static void
merge_changed(struct view *v, const struct store_msg *m, size_t n,
    uint32_t *changed, size_t *n_changed)
{
	uint32_t last = v->n > 0 ? v->m[v->n - 1].uid : 0;
	size_t i;

	for (i = 0; i < n && m[i].uid <= last; i++) {
		ptrdiff_t at = view_find(v, m[i].uid);

		if (at < 0 || v->m[at].flags & VIEW_GONE)
			continue;
		if (v->m[at].flags != m[i].flags ||
		    (v->modseqs && v->m[at].modseq != m[i].modseq))
			changed[(*n_changed)++] = m[i].uid;
		v->m[at] = m[i];
	}
	if (i < n)
		append(v, m + i, n - i);
}

/* The change log doesn't reach back: compare all.  m is the whole mailbox. */
static void
mark_missing(struct view *v, const struct store_msg *m, size_t n)
{
	size_t j = 0;

	for (size_t i = 0; i < v->n; i++) {
		while (j < n && m[j].uid < v->m[i].uid)
			j++;
		if (j == n || m[j].uid != v->m[i].uid)
			mark_gone(v, i);
	}
}

static int
merge_vanished(struct view *v, struct store *st, struct arena *a)
{
	struct store_msg *all = NULL;
	uint32_t *uids;
	size_t n;
	int rc;

	rc = store_vanished(st, a, v->mailbox, v->modseq, &uids, &n);
	if (rc == STORE_E_TOOOLD) {
		rc = store_msgs_load(st, v->mailbox, 1, UINT32_MAX, 0, &all,
		    &n);
		if (rc >= 0)
			mark_missing(v, all, n);
		xfree(all);
		return rc;
	}
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		ptrdiff_t at = view_find(v, uids[i]);

		if (at >= 0)
			mark_gone(v, (size_t)at);
	}
	return rc;
}

static int
merge_mailbox(struct view *v, struct store *st, struct arena *a,
    const struct store_mailbox *mb, uint32_t **changed_r, size_t *n_changed_r)
{
	struct store_msg *m = NULL;
	size_t n = 0, first = v->n;
	int rc;

	if ((rc = merge_vanished(v, st, a)) < 0)
		return rc;
	if ((rc = store_msgs_load(st, v->mailbox, 1, UINT32_MAX, v->modseq, &m,
	    &n)) < 0)
		return rc;
	*changed_r = arena_calloc(a, n, sizeof(**changed_r));
	merge_changed(v, m, n, *changed_r, n_changed_r);
	xfree(m);
	v->uidnext = mb->uidnext;
	claim_recent(v, st, first);
	return 0;
}

int
view_merge(struct view *v, struct store *st, struct arena *a,
    uint32_t **changed_r, size_t *n_changed_r)
{
	struct store_mailbox mb;
	uint64_t now = store_modseq(st);
	int rc;

	*changed_r = NULL;
	*n_changed_r = 0;
	if (v->mailbox == 0 || v->dead || now == v->modseq)
		return 0;
	rc = store_mailbox_get(st, a, v->mailbox, &mb);
	if (rc == STORE_E_NOTFOUND) {
		view_kill(v);
		return 0;
	}
	if (rc >= 0 && mb.highestmodseq > v->modseq)
		rc = merge_mailbox(v, st, a, &mb, changed_r, n_changed_r);
	if (rc >= 0) {
		v->modseq = now;
		v->highest = mb.highestmodseq;
	}
	return rc;
}

size_t
view_gone_before(const struct view *v, size_t i)
{
	size_t from = i;

	if (v->n_gone == 0)
		return i;
	while (from > 0)
		if (v->m[--from].flags & VIEW_GONE)
			return from;
	return i;
}

void
view_drop_gone(struct view *v)
{
	size_t out = 0;

	for (size_t i = 0; i < v->n; i++)
		if (!(v->m[i].flags & VIEW_GONE))
			v->m[out++] = v->m[i];
	v->n = out;
	v->n_gone = 0;
}

/* The first index with uid >= the one given. */
static size_t
lower(const struct view *v, uint32_t uid)
{
	size_t lo = 0, hi = v->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v->m[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

ptrdiff_t
view_find(const struct view *v, uint32_t uid)
{
	size_t i = lower(v, uid);

	return i < v->n && v->m[i].uid == uid ? (ptrdiff_t)i : -1;
}

void
view_save(struct view *v, uint32_t *uids, size_t n)
{
	xfree(v->saved);
	v->saved = uids;
	v->n_saved = n;
}

static int
compare_uid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

bool
view_is_saved(const struct view *v, uint32_t uid)
{
	return v->n_saved > 0 && bsearch(&uid, v->saved, v->n_saved,
	    sizeof(uid), compare_uid) != NULL;
}

struct seqset
view_saved(const struct view *v, bool uid, struct arena *a)
{
	struct seqset set = { 0 };
	size_t cap = 0;

	for (size_t i = 0; i < v->n_saved; i++) {
		ptrdiff_t k = view_find(v, v->saved[i]);

		if (k >= 0)
			seqset_add(&set, &cap, a, uid ? v->saved[i] :
			    (uint32_t)k + 1);
	}
	return set;
}

bool
view_is_recent(const struct view *v, uint32_t uid)
{
	struct seqset set = { v->recent, v->n_recent };

	return v->n_recent > 0 && seqset_has(&set, uid);
}

size_t
view_count_recent(const struct view *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_recent; i++) {
		size_t from = lower(v, v->recent[i].from);

		while (from < v->n && v->m[from].uid <= v->recent[i].to) {
			from++;
			n++;
		}
	}
	return n;
}

uint32_t
view_star(const struct view *v, bool uid)
{
	if (v->n == 0)
		return 0;
	return uid ? v->m[v->n - 1].uid : (uint32_t)v->n;
}

void
view_spans(const struct view *v, const struct seqset *set, bool uid,
    struct arena *a, struct view_span **s_r, size_t *n_r)
{
	struct view_span *s = arena_calloc(a, set->n, sizeof(*s));
	size_t n = 0;

	for (size_t i = 0; i < set->n; i++) {
		size_t from = set->r[i].from - 1, end = set->r[i].to;

		if (uid) {
			from = lower(v, set->r[i].from);
			end = set->r[i].to == UINT32_MAX ? v->n :
			    lower(v, set->r[i].to + 1);
		}
		if (end > v->n)
			end = v->n;
		if (from < end)
			s[n++] = (struct view_span){ from, end - 1 };
	}
	*s_r = s;
	*n_r = n;
}

uint32_t *
view_uids(const struct view *v, const struct seqset *set, bool uid,
    struct arena *a, size_t *n_r, size_t *missing_r)
{
	struct view_span *s;
	size_t n_s, n = 0, missing = 0;
	uint32_t *uids;

	view_spans(v, set, uid, a, &s, &n_s);
	for (size_t i = 0; i < n_s; i++)
		n += s[i].to - s[i].from + 1;
	uids = xcalloc(n + 1, sizeof(*uids));
	arena_defer(a, xfree, uids);
	n = 0;
	for (size_t i = 0; i < n_s; i++)
		for (size_t k = s[i].from; k <= s[i].to; k++) {
			if (v->m[k].flags & VIEW_GONE)
				missing++;
			else
				uids[n++] = v->m[k].uid;
		}
	*n_r = n;
	if (missing_r != NULL)
		*missing_r = missing;
	return uids;
}

bool
view_in_range(const struct view *v, const struct seqset *set)
{
	/* An empty set was "*" in an empty mailbox. */
	return set->n > 0 && seqset_max(set) <= v->n;
}
