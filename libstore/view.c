/* libstore/view.c - the messages of a mailbox: loading and scanning them */
#include "config.h"

#include <stdlib.h>

#include "libbase/xalloc.h"
#include "libstore/store-int.h"

enum {
	CHANGED_MAX = 64,	/* chunks worth looking up one by one */
	LOAD_AHEAD = 1 << 20	/* messages to have room for beforehand */
};

/* The first chunk that may have a UID >= from; NOTFOUND after the last. */
static int
chunk_from(struct kv_txn *t, uint64_t mailbox, uint32_t from, bool cold,
    struct peek *p)
{
	struct row_hot h;
	int rc;

	rc = peek_open(t, mailbox, from, cold, p);
	if (rc == 0) {
		row_hot_slot(&p->hot, p->hot.used - 1, &h);
		if (h.uid >= from)
			return 0;
	}
	if (rc == 0 || rc == STORE_E_NOTFOUND) {
		peek_close(p);
		rc = peek_next(t, mailbox, from, cold, p);
	}
	return rc;
}

/* Calls fn for the chunks that may have UIDs from <= uid <= to; fn != 0 stops
 * and is returned. */
static int
chunks_each(struct kv_txn *t, uint64_t mailbox, uint32_t from, uint32_t to,
    int (*fn)(void *arg, const struct row_chunk *c), void *arg)
{
	struct row_key k = row_key_u64(ROW_K_HOT, mailbox), end;
	struct kv_scan *s = NULL;
	struct slice key, val;
	struct row_chunk c;
	struct peek p;
	uint32_t first;
	uint64_t mb;
	int rc;

	if (from > 1) {
		rc = chunk_from(t, mailbox, from, false, &p);
		k = row_key_u64_u32(ROW_K_HOT, mailbox, p.first);
		peek_close(&p);
		if (rc < 0)
			return rc == STORE_E_NOTFOUND ? 0 : rc;
	}
	end = row_key_after(row_key_u64_u32(ROW_K_HOT, mailbox, to));
	rc = kv_scan_open(t, row_key(&k), row_key(&end), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if (!row_key_get_u64_u32(key, ROW_K_HOT, &mb, &first))
			rc = STORE_E_CORRUPT;
		else
			rc = row_hot_check(val, first, &c);
		if (rc < 0 || (rc = fn(arg, &c)) != 0)
			break;
	}
	kv_scan_close(&s);
	return rc;
}

struct collect {
	struct arena *a;
	uint32_t from, to, *uid;
	uint64_t flags;
	size_t n, cap, max;
};

static int
collect_chunk(void *arg, const struct row_chunk *c)
{
	struct collect *l = arg;
	struct row_hot h;

	l->uid = arena_grow(l->a, l->uid, &l->cap, l->n + c->used,
	    sizeof(*l->uid));
	for (size_t i = 0; i < c->used && l->n < l->max; i++) {
		row_hot_slot(c, i, &h);
		if (h.uid >= l->from && h.uid < l->to &&
		    !(h.marks & ROW_DEAD) && (h.flags & l->flags) == l->flags)
			l->uid[l->n++] = h.uid;
	}
	return l->n == l->max;
}

int
uids_collect(struct kv_txn *t, struct arena *a, uint64_t mailbox,
    uint32_t from, uint32_t to, uint64_t flags, size_t max, uint32_t **uid_r,
    size_t *n_r)
{
	struct collect l = { .a = a, .from = from, .to = to, .flags = flags,
		.max = max };
	int rc;

	if (to == 0 || max == 0)
		rc = 0;
	else
		rc = chunks_each(t, mailbox, from, to - 1, collect_chunk, &l);
	*uid_r = l.uid;
	*n_r = l.n;
	return rc < 0 ? rc : 0;
}

/* ---- loading ----------------------------------------------------------- */

struct load {
	uint32_t from, to;
	uint64_t since;
	struct store_msg *m;
	size_t n, cap;
};

static int
load_chunk(void *arg, const struct row_chunk *c)
{
	struct load *l = arg;
	struct row_hot h;

	if (c->max <= l->since)
		return 0;
	if (l->n + c->live > l->cap) {
		l->cap = l->cap * 2 + c->live;
		l->m = xreallocarray(l->m, l->cap, sizeof(*l->m));
	}
	for (size_t i = 0; i < c->used; i++) {
		row_hot_slot(c, i, &h);
		if (h.marks & ROW_DEAD || h.uid < l->from || h.uid > l->to ||
		    h.modseq <= l->since)
			continue;
		l->m[l->n++] = (struct store_msg){ h.uid, h.modseq, h.flags };
	}
	return 0;
}

static int
u32_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * The chunks of the mailbox with changes after since, if those of the account
 * are few: 1 and the UIDs that they start with.
 */
static int
changed_chunks(struct kv_txn *t, uint64_t mailbox, uint64_t since,
    uint32_t first_r[CHANGED_MAX], size_t *n_r)
{
	struct row_key from = row_key_u64(ROW_K_CHANGED, since + 1);
	struct row_key to = row_key_after(row_key_kind(ROW_K_CHANGED));
	struct kv_scan *s = NULL;
	struct slice key, val;
	uint64_t modseq, mb;
	uint32_t first;
	int rc, seen = 0;

	*n_r = 0;
	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if (!row_key_get_changed(key, &modseq, &mb, &first))
			rc = STORE_E_CORRUPT;
		else if (++seen > CHANGED_MAX)
			break;
		else if (mb == mailbox)
			first_r[(*n_r)++] = first;
	}
	kv_scan_close(&s);
	if (rc < 0)
		return rc;
	if (*n_r > 1)
		qsort(first_r, *n_r, sizeof(*first_r), u32_cmp);
	return seen <= CHANGED_MAX;
}

static int
load_changed(struct kv_txn *t, uint64_t mailbox, struct load *l)
{
	uint32_t first[CHANGED_MAX];
	struct peek p;
	size_t n;
	int rc;

	if ((rc = changed_chunks(t, mailbox, l->since, first, &n)) < 0)
		return rc;
	if (rc == 0)
		return chunks_each(t, mailbox, l->from, l->to, load_chunk, l);
	for (size_t i = 0; i < n; i++) {
		rc = peek_open(t, mailbox, first[i], false, &p);
		if (rc == 0 && p.first != first[i])
			rc = STORE_E_CORRUPT;
		if (rc == 0)
			(void)load_chunk(l, &p.hot);
		peek_close(&p);
		if (rc < 0)
			return STORE_E_CORRUPT;
	}
	return 0;
}

int
store_msgs_load(struct store *st, uint64_t mailbox, uint32_t from,
    uint32_t to, uint64_t since, struct store_msg **m_r, size_t *n_r)
{
	struct load l = { .from = from, .to = to, .since = since };
	struct row_mailbox r;
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = mailbox_read(t, st->ra, mailbox, &r)) == 0 && from <= to &&
	    since < r.highestmodseq) {
		if (from <= 1 && to >= r.uidnext - 1 && since == 0) {
			l.cap = r.total < LOAD_AHEAD ? r.total : LOAD_AHEAD;
			l.m = xreallocarray(NULL, l.cap ? l.cap : 1,
			    sizeof(*l.m));
		}
		rc = since > 0 ? load_changed(t, mailbox, &l) :
		    chunks_each(t, mailbox, from, to, load_chunk, &l);
	}
	ro_end(st);
	if (rc < 0 || l.n == 0) {
		xfree(l.m);
		l.m = NULL;
	}
	if (rc < 0)
		return rc == STORE_E_CORRUPT ?
		    store_corrupt(st, "mailbox", mailbox) : rc;
	*m_r = l.m;
	*n_r = l.n;
	return 0;
}

/* ---- scanning ---------------------------------------------------------- */

static void
info_fill(struct store_msg_info *i, const struct row_hot *h,
    const struct row_cold *d)
{
	i->uid = h->uid;
	i->modseq = h->modseq;
	i->flags = h->flags;
	i->email = d->email;
	i->thread = d->thread;
	i->received_at = d->received;
	i->saved_at = d->saved;
	i->size = d->size;
	memcpy(i->ref, d->ref, sizeof(i->ref));
}

struct scan {
	struct kv_txn *t;
	uint64_t mailbox;
	bool once;		/* each Email in one of its mailboxes only */
	struct arena *a;
	int (*fn)(void *arg, const struct store_msg_info *m);
	void *arg;
};

/* Is this the membership that stands for the Email? */
static int
scan_first(struct scan *s, const struct row_hot *h, uint64_t email)
{
	struct row_email e;
	int rc;

	if (!s->once || !(h->marks & ROW_MULTI))
		return 1;
	arena_reset(s->a);
	if ((rc = email_read(s->t, s->a, email, &e)) < 0)
		return rc == STORE_E_NOTFOUND ? STORE_E_CORRUPT : rc;
	return e.in[0].mailbox == s->mailbox;
}

static int
scan_chunk(struct scan *s, const struct peek *p, const struct store_range *r)
{
	struct store_msg_info info;
	struct row_hot h;
	struct row_cold d;
	int rc;

	for (size_t i = 0; i < p->hot.used; i++) {
		row_hot_slot(&p->hot, i, &h);
		if (h.uid > r->to)
			break;
		if (h.uid < r->from || h.marks & ROW_DEAD)
			continue;
		row_cold_slot(&p->cold, i, &d);
		if ((rc = scan_first(s, &h, d.email)) < 0)
			return rc;
		if (rc == 0)
			continue;
		info_fill(&info, &h, &d);
		if ((rc = s->fn(s->arg, &info)) != 0)
			return rc;
	}
	return 0;
}

static uint32_t
chunk_last(const struct peek *p)
{
	struct row_hot h;

	row_hot_slot(&p->hot, p->hot.used - 1, &h);
	return h.uid;
}

/* *open: p is a chunk that may have the first of r as well. */
static int
scan_range(struct scan *s, const struct store_range *r, struct peek *p,
    bool *open)
{
	int rc;

	if (*open && (r->from < p->first || r->from > chunk_last(p))) {
		peek_close(p);
		*open = false;
	}
	if (!*open && (rc = chunk_from(s->t, s->mailbox, r->from, true,
	    p)) < 0) {
		peek_close(p);
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	}
	*open = true;
	for (;;) {
		uint32_t first = p->first;

		if (first > r->to)
			return 0;
		if ((rc = scan_chunk(s, p, r)) != 0 || chunk_last(p) >= r->to)
			return rc;
		peek_close(p);
		*open = false;
		rc = peek_next(s->t, s->mailbox, first, true, p);
		if (rc < 0) {
			peek_close(p);
			return rc == STORE_E_NOTFOUND ? 0 : rc;
		}
		*open = true;
	}
}

static int
scan_run(struct scan *s, const struct store_range *r, size_t n)
{
	struct peek p = { 0 };
	bool open = false;
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		if (r[i].from <= r[i].to)
			rc = scan_range(s, &r[i], &p, &open);
	peek_close(&p);
	return rc;
}

int
store_msg_scan(struct store *st, uint64_t mailbox,
    const struct store_range *r, size_t n,
    int (*fn)(void *arg, const struct store_msg_info *m), void *arg)
{
	struct scan s = { .mailbox = mailbox, .fn = fn, .arg = arg };
	struct row_mailbox mb;
	int rc;

	if ((rc = ro_begin(st, &s.t)) < 0)
		return rc;
	if ((rc = mailbox_read(s.t, st->ra, mailbox, &mb)) == 0)
		rc = scan_run(&s, r, n);
	ro_end(st);
	return rc == STORE_E_CORRUPT ?
	    store_corrupt(st, "mailbox", mailbox) : rc;
}

/* The ids of all mailboxes, in the arena. */
int
mailbox_ids(struct kv_txn *t, struct arena *a, uint64_t **id_r, size_t *n_r)
{
	struct row_key from = row_key_kind(ROW_K_MAILBOX);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	size_t cap = 0;
	int rc;

	*id_r = NULL;
	*n_r = 0;
	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		*id_r = arena_grow(a, *id_r, &cap, *n_r + 1, sizeof(**id_r));
		if (!row_key_get_u64(key, ROW_K_MAILBOX, &(*id_r)[(*n_r)++]))
			rc = STORE_E_CORRUPT;
	}
	kv_scan_close(&s);
	return rc;
}

int
store_email_scan(struct store *st, uint64_t mailbox,
    int (*fn)(void *arg, const struct store_msg_info *m), void *arg)
{
	static const struct store_range all = { 1, UINT32_MAX };
	struct scan s = { .once = true, .fn = fn, .arg = arg };
	struct arena *a;
	uint64_t *id;
	size_t n;
	int rc;

	if (mailbox != 0)
		return store_msg_scan(st, mailbox, &all, 1, fn, arg);
	if ((rc = ro_begin(st, &s.t)) < 0)
		return rc;
	a = arena_new(0);
	s.a = arena_new(0);
	rc = mailbox_ids(s.t, a, &id, &n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		s.mailbox = id[i];
		rc = scan_run(&s, &all, 1);
	}
	arena_free(&s.a);
	arena_free(&a);
	ro_end(st);
	return rc;
}
