/*
 * libstore/changes.c - what changed since a state (RFC 8620 5.2, RFC 7162)
 *
 * An object has a place in the order of changes: where it was created, if that
 * is after the given state, else where it was last changed or destroyed.  A
 * state in the middle of a change that touched more objects than may be told
 * at once names the last place that was told: modseq in the low 40 bits, and
 * above them one more than a 23-bit hash of the id.
 *
 * An Email with \Deleted wherever it is isn't there for JMAP (RFC 8621 section
 * 4.1.1), nor a thread of such: it is told as destroyed, and if the flag is
 * taken away again as created.  Whether it was there at the given state is told
 * by the first tombstone since then that says it came or went.
 */
#include "config.h"

#include <stdlib.h>

#include "libstore/store-int.h"

enum { PLACE_BITS = 23, PLACE_ALL = 1 << PLACE_BITS };

struct place {
	uint64_t modseq;
	uint32_t hash;
};

struct cand {			/* what may have changed */
	uint64_t id;
	uint64_t last;		/* modseq of its last change */
	uint64_t named;		/* mailboxes: of the last but of counts */
	uint64_t first_at;	/* modseq of the first one noted after since */
	uint64_t thread;	/* members: of the Email */
	int sight;		/* the first of ROW_TOMB_HIDDEN, _SHOWN; or 0 */
	uint32_t fresh;		/* threads: new messages to be seen */
	bool destroyed;
	bool hidden;		/* ... when it was destroyed */
	bool check;		/* threads: Emails came, went or were hidden */
	bool was, is;		/* there, at since and now */
};

struct changes {
	struct kv_txn *t;
	struct arena *a, *tmp;
	enum store_type type;
	struct place since;
	uint64_t from;		/* the first modseq to look at */
	struct umap cands;
	struct umap members;	/* threads: Emails that came or went */
	uint64_t tomb_modseq;
};

static uint32_t
place_hash(uint64_t id)
{
	return (uint32_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >>
	    (64 - PLACE_BITS));
}

static struct place
place_of(uint64_t modseq, uint64_t id)
{
	return (struct place){ modseq, place_hash(id) };
}

static bool
place_after(struct place p, struct place q)
{
	return p.modseq > q.modseq ||
	    (p.modseq == q.modseq && p.hash > q.hash);
}

static struct place
place_from_state(uint64_t state)
{
	uint64_t part = state >> 40;

	return (struct place){ state & ROW_MODSEQ_MAX,
	    part ? (uint32_t)part - 1 : PLACE_ALL };
}

static struct cand *
cand_get(struct changes *c, struct umap *m, uint64_t id)
{
	struct cand *k = umap_get(m, id, 0);

	if (!k) {
		k = arena_alloc(c->a, sizeof(*k));
		k->id = id;
		umap_add(m, id, 0, k);
	}
	return k;
}

static struct cand *
cand_note(struct changes *c, uint64_t id, uint64_t modseq)
{
	struct cand *k = cand_get(c, &c->cands, id);

	if (modseq > k->last)
		k->last = modseq;
	if ((k->first_at == 0 || modseq < k->first_at) &&
	    place_after(place_of(modseq, id), c->since))
		k->first_at = modseq;
	return k;
}

/* Was that created after the state, which is a place of the object id? */
static bool
is_new(const struct changes *c, uint64_t born, uint64_t id)
{
	return place_after(place_of(row_id_modseq(born), id), c->since);
}

/* ---- from the slots ---------------------------------------------------- */

static void
slot_note(struct changes *c, const struct row_hot *h, const struct row_cold *d)
{
	uint64_t born = row_id_modseq(d->email);
	bool seen = flags_visible(h->flags);
	struct cand *k;

	if (h->marks & ROW_DEAD || h->modseq < c->from)
		return;
	if (c->type == STORE_T_EMAIL) {
		k = cand_note(c, d->email, h->modseq);
		k->is = k->is || seen;
	} else if (born >= c->from) {
		k = cand_note(c, d->thread, born);
		k->fresh += seen;
		k->check = k->check || !seen;
	}
}

static int
chunk_note(struct changes *c, uint64_t mailbox, uint32_t first)
{
	struct row_hot h;
	struct row_cold d;
	struct peek p;
	int rc;

	rc = peek_open(c->t, mailbox, first, true, &p);
	if (rc == STORE_E_NOTFOUND || (rc == 0 && p.first != first))
		rc = STORE_E_CORRUPT;
	for (size_t i = 0; rc == 0 && i < p.hot.used; i++) {
		row_hot_slot(&p.hot, i, &h);
		row_cold_slot(&p.cold, i, &d);
		slot_note(c, &h, &d);
	}
	peek_close(&p);
	return rc;
}

static int
slots_note(struct changes *c)
{
	struct row_key from = row_key_u64(ROW_K_CHANGED, c->from);
	struct row_key to = row_key_after(row_key_kind(ROW_K_CHANGED));
	struct kv_scan *s = NULL;
	struct slice key, val;
	uint64_t modseq, mailbox;
	uint32_t first;
	int rc;

	rc = kv_scan_open(c->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0)
		rc = row_key_get_changed(key, &modseq, &mailbox, &first) ?
		    chunk_note(c, mailbox, first) : STORE_E_CORRUPT;
	kv_scan_close(&s);
	return rc;
}

/* ---- from the tombstones ----------------------------------------------- */

/* An Email came or went; in the order of modseqs. */
static void
sight_note(const struct changes *c, struct cand *k, const struct row_tomb *t,
    uint64_t id)
{
	if (!place_after(place_of(c->tomb_modseq, id), c->since))
		return;
	if (t->kind == ROW_TOMB_DESTROYED) {
		k->destroyed = true;
		k->hidden = !flags_visible(t->flags);
	} else if (k->sight == 0) {
		k->sight = t->kind;
	}
}

static int
tomb_note(void *arg, const struct row_tomb *t)
{
	struct changes *c = arg;
	struct cand *k;

	if (c->type == STORE_T_MAILBOX) {
		if (t->kind == ROW_TOMB_MAILBOX)
			cand_note(c, t->mailbox, c->tomb_modseq)->destroyed =
			    true;
	} else if (t->kind == ROW_TOMB_MAILBOX) {
		return 0;
	} else if (c->type == STORE_T_EMAIL) {
		k = cand_note(c, t->email, c->tomb_modseq);
		if (t->kind != ROW_TOMB_REMOVED)
			sight_note(c, k, t, t->email);
	} else if (t->kind != ROW_TOMB_REMOVED) {
		cand_note(c, t->thread, c->tomb_modseq)->check = true;
		if (row_id_modseq(t->email) >= c->from)
			cand_note(c, t->thread, row_id_modseq(t->email));
		k = cand_get(c, &c->members, t->email);
		k->thread = t->thread;
		sight_note(c, k, t, t->thread);
	}
	return 0;
}

static int
tombs_scan(struct kv_txn *t, uint64_t since, uint64_t *modseq,
    int (*fn)(void *arg, const struct row_tomb *t), void *arg)
{
	struct row_key from = row_key_u64(ROW_K_TOMB, since);
	struct row_key to = row_key_after(row_key_kind(ROW_K_TOMB));
	struct kv_scan *s = NULL;
	struct slice key, val;
	uint32_t part;
	int64_t when;
	int rc;

	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0)
		rc = row_key_get_u64_u32(key, ROW_K_TOMB, modseq, &part) ?
		    row_tombs_get(val, &when, fn, arg) : STORE_E_CORRUPT;
	kv_scan_close(&s);
	return rc;
}

/* ---- is it there, and was it? ------------------------------------------ */

/* An Email as JMAP sees it: it is there in a mailbox without \Deleted. */
static int
email_shown(struct changes *c, uint64_t id, bool *is_r)
{
	struct row_email e;
	struct row_hot h;
	int rc;

	*is_r = false;
	arena_reset(c->tmp);
	if ((rc = email_read(c->t, c->tmp, id, &e)) < 0)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	for (size_t i = 0; i < e.n_in && !*is_r; i++) {
		rc = msg_read(c->t, e.in[i].mailbox, e.in[i].uid, &h, NULL);
		if (rc == 0)
			*is_r = flags_visible(h.flags);
		else if (rc != STORE_E_NOTFOUND)
			return rc;
	}
	return 0;
}

/* Was the Email there, as places of the object id go? */
static bool
email_was(const struct changes *c, const struct cand *k, uint64_t id)
{
	if (is_new(c, k->id, id))
		return false;
	if (k->sight != 0)
		return k->sight == ROW_TOMB_HIDDEN;
	return k->destroyed ? !k->hidden : k->is;
}

static int
emails_check(struct changes *c)
{
	struct cand *k;
	size_t pos = 0;
	int rc;

	while ((k = umap_next(&c->cands, &pos))) {
		if (k->destroyed)
			k->is = false;
		else if (!k->is && (rc = email_shown(c, k->id, &k->is)) < 0)
			return rc;
		k->was = email_was(c, k, k->id);
	}
	return 0;
}

/* Does the thread have more messages to be seen than those that are new? */
static int
thread_old(struct changes *c, const struct cand *k)
{
	struct row_key key = row_key_u64(ROW_K_THREAD, k->id);
	struct row_thread h;
	struct slice v;
	uint64_t n = 0;
	int rc;

	arena_reset(c->tmp);
	if ((rc = kv_get(c->t, c->tmp, row_key(&key), &v)) < 0)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	if ((rc = row_thread_get(v, c->tmp, &h)) < 0)
		return rc;
	for (size_t i = 0; i < h.n_in; i++)
		n += h.in[i].emails;
	return n > k->fresh;
}

/* Looks at all of a thread. */
static int
thread_look(struct changes *c, struct cand *k)
{
	struct arena *a = arena_new(0);
	struct cand one, *m;
	uint64_t *id;
	size_t n = 0;
	int rc;

	if ((rc = thread_read(c->t, a, k->id, &id, &n)) == STORE_E_NOTFOUND)
		rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++) {
		one = (struct cand){ .id = id[i] };
		if ((m = umap_get(&c->members, id[i], 0)))
			one = *m;
		rc = email_shown(c, id[i], &one.is);
		k->is = k->is || one.is;
		k->was = k->was || email_was(c, &one, k->id);
	}
	arena_free(&a);
	return rc;
}

static int
thread_check(struct changes *c, struct cand *k)
{
	int rc;

	if (k->check)
		return thread_look(c, k);
	if (is_new(c, k->id, k->id)) {
		k->is = true;
		return 0;
	}
	if ((rc = thread_old(c, k)) > 0)
		k->is = k->was = true;
	return rc == 0 ? thread_look(c, k) : rc < 0 ? rc : 0;
}

static int
threads_check(struct changes *c)
{
	struct cand *k, *m;
	size_t pos = 0;
	int rc;

	while ((m = umap_next(&c->members, &pos)))
		if (m->destroyed && email_was(c, m, m->thread))
			cand_get(c, &c->cands, m->thread)->was = true;
	pos = 0;
	while ((k = umap_next(&c->cands, &pos)))
		if ((rc = thread_check(c, k)) < 0)
			return rc;
	return 0;
}

/* ---- mailboxes --------------------------------------------------------- */

static int
mailboxes_note(struct changes *c)
{
	struct row_key from = row_key_kind(ROW_K_MAILBOX);
	struct row_key to = row_key_after(from);
	struct row_mailbox m;
	struct kv_scan *s = NULL;
	struct slice key, val;
	struct cand *k;
	uint64_t id;
	int rc;

	rc = kv_scan_open(c->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if (!row_key_get_u64(key, ROW_K_MAILBOX, &id))
			rc = STORE_E_CORRUPT;
		else if ((rc = row_mailbox_get(val, &m)) == 0) {
			k = cand_note(c, id, m.changed);
			k->named = m.changed;
			k->is = true;
			if (m.counted > k->last)
				k->last = m.counted;
		}
	}
	kv_scan_close(&s);
	return rc;
}

static void
mailboxes_check(struct changes *c)
{
	struct cand *k;
	size_t pos = 0;

	while ((k = umap_next(&c->cands, &pos)))
		k->was = !is_new(c, k->id, k->id);
}

/* ---- identities and the like ------------------------------------------- */

/* The kind of rows, or 0. */
static int
type_kind(enum store_type t)
{
	return t == STORE_T_IDENTITY ? ROW_K_IDENTITY :
	    t == STORE_T_SUBMISSION ? ROW_K_SUBMISSION : 0;
}

static int
object_note(void *arg, uint64_t id, struct slice val)
{
	struct changes *c = arg;
	uint64_t modseq;
	struct cand *k;
	bool gone;
	int rc;

	if ((rc = row_object_get(val, &modseq, &gone)) < 0 ||
	    modseq < c->from)
		return rc;
	k = cand_note(c, id, modseq);
	k->is = !gone;
	k->destroyed = gone;
	k->was = !is_new(c, id, id);
	return 0;
}

/* The answer of since_check(). */
static int
objects_since(struct changes *c)
{
	struct row_objects s;
	int rc;

	rc = objects_read(c->t, c->tmp, type_kind(c->type), &s);
	if (rc < 0)
		return rc;
	if (s.modseq < c->from)
		return 1;
	return c->from <= s.floor ? STORE_E_TOOOLD : 0;
}

/* ---- the answer -------------------------------------------------------- */

struct told {
	struct place place;
	struct store_change c;
};

static int
told_cmp(const void *a, const void *b)
{
	const struct told *x = a, *y = b;

	if (x->place.modseq != y->place.modseq)
		return x->place.modseq < y->place.modseq ? -1 : 1;
	if (x->place.hash != y->place.hash)
		return x->place.hash < y->place.hash ? -1 : 1;
	return x->c.id < y->c.id ? -1 : x->c.id > y->c.id;
}

/* false: nothing that is to be told. */
static bool
cand_tell(const struct changes *c, const struct cand *k, struct told *d)
{
	uint64_t at = k->last;

	/* Nothing is missed by what is told too early: it is told again. */
	if (is_new(c, k->id, k->id))
		at = row_id_modseq(k->id);
	else if (k->was != k->is && (k->is || !k->destroyed ||
	    k->sight))
		at = k->first_at;
	memset(d, 0, sizeof(*d));
	d->c.id = k->id;
	d->place = place_of(at, k->id);
	d->c.modseq = at;
	d->c.kind = !k->is ? STORE_DESTROYED :
	    k->was ? STORE_UPDATED : STORE_CREATED;
	d->c.counts_only = c->type == STORE_T_MAILBOX &&
	    d->c.kind == STORE_UPDATED &&
	    !place_after(place_of(k->named, k->id), c->since);
	return (k->was || k->is) && place_after(d->place, c->since);
}

/* How many of d to tell, and the state after them. */
static int
tell_cut(const struct told *d, size_t n, size_t max, size_t *n_r,
    uint64_t *state_r)
{
	struct place p, q;
	size_t i;

	for (i = max; i > 0; i--) {
		p = d[i - 1].place;
		q = d[i].place;
		if (i < n && p.modseq == q.modseq && p.hash == q.hash)
			continue;
		*n_r = i;
		*state_r = p.modseq;
		if (p.modseq == q.modseq)
			*state_r |= (uint64_t)(p.hash + 1) << 40;
		return 0;
	}
	return STORE_E_TOOOLD;
}

static int
changes_tell(struct changes *c, struct arena *a, size_t max,
    struct store_change **c_r, size_t *n_r, uint64_t *state_r, bool *more_r)
{
	struct told *d = arena_calloc(c->a, c->cands.n, sizeof(*d));
	struct cand *k;
	size_t n = 0, pos = 0;
	int rc;

	while ((k = umap_next(&c->cands, &pos)))
		n += cand_tell(c, k, &d[n]);
	if (n > 1)
		qsort(d, n, sizeof(*d), told_cmp);
	*more_r = max > 0 && n > max;
	if (*more_r && (rc = tell_cut(d, n, max, &n, state_r)) < 0)
		return rc;
	*c_r = arena_calloc(a, n, sizeof(**c_r));
	for (size_t i = 0; i < n; i++)
		(*c_r)[i] = d[i].c;
	*n_r = n;
	return 0;
}

static int
changes_collect(struct changes *c)
{
	int rc = 0;

	if (type_kind(c->type) != 0)
		return objects_each(c->t, type_kind(c->type), object_note, c);
	if (c->type != STORE_T_MAILBOX && (rc = slots_note(c)) < 0)
		return rc;
	if (c->type == STORE_T_MAILBOX && (rc = mailboxes_note(c)) < 0)
		return rc;
	rc = tombs_scan(c->t, c->from, &c->tomb_modseq, tomb_note, c);
	if (rc < 0)
		return rc;
	if (c->type == STORE_T_MAILBOX)
		mailboxes_check(c);
	return c->type == STORE_T_EMAIL ? emails_check(c) :
	    c->type == STORE_T_THREAD ? threads_check(c) : 0;
}

/* Can changes since then be told?  1: there are none. */
static int
since_check(struct changes *c, uint64_t modseq, uint64_t state)
{
	struct row_head h;
	int rc;

	c->since = place_from_state(state);
	if (c->since.modseq > modseq || c->since.hash > PLACE_ALL)
		return STORE_E_INVALID;
	c->from = c->since.modseq + (c->since.hash == PLACE_ALL);
	if (type_kind(c->type) != 0)
		return objects_since(c);
	if ((rc = head_read(c->t, c->tmp, &h)) < 0)
		return rc;
	if (c->from <= h.horizon)
		return STORE_E_TOOOLD;
	return (c->type == STORE_T_EMAIL ? h.email_modseq :
	    c->type == STORE_T_THREAD ? h.thread_modseq :
	    h.mailbox_modseq) < c->from;
}

int
store_changes(struct store *st, struct arena *a, enum store_type t,
    uint64_t since, size_t max, struct store_change **c_r, size_t *n_r,
    uint64_t *state_r, bool *more_r)
{
	struct changes c = { .type = t };
	int rc;

	if ((rc = ro_begin(st, &c.t)) < 0)
		return rc;
	c.a = arena_new(0);
	c.tmp = arena_new(0);
	umap_init(&c.cands, c.a);
	umap_init(&c.members, c.a);
	*state_r = kv_modseq(st->kv);
	if ((rc = since_check(&c, *state_r, since)) == 0)
		rc = changes_collect(&c);
	if (rc >= 0)
		rc = changes_tell(&c, a, max, c_r, n_r, state_r, more_r);
	ro_end(st);
	arena_free(&c.a);
	arena_free(&c.tmp);
	return rc == STORE_E_CORRUPT ? store_corrupt(st, "changes since",
	    since) : rc;
}

int
store_type_modseq(struct store *st, enum store_type t, uint64_t *m_r)
{
	struct row_objects s;
	struct row_head h;
	struct kv_txn *txn;
	int rc;

	if ((rc = ro_begin(st, &txn)) < 0)
		return rc;
	if (t == STORE_T_VACATION) {
		*m_r = vacation_modseq(txn, st->ra, &rc);
	} else if (type_kind(t) != 0) {
		rc = objects_read(txn, st->ra, type_kind(t), &s);
		if (rc == 0)
			*m_r = s.modseq;
	} else if ((rc = head_read(txn, st->ra, &h)) == 0)
		*m_r = t == STORE_T_EMAIL ? h.email_modseq :
		    t == STORE_T_MAILBOX ? h.mailbox_modseq : h.thread_modseq;
	ro_end(st);
	return rc;
}

/* ---- VANISHED ---------------------------------------------------------- */

struct vanished {
	uint64_t mailbox;
	struct arena *a;
	uint32_t *uid;
	size_t n, cap;
};

static int
vanished_note(void *arg, const struct row_tomb *t)
{
	struct vanished *v = arg;

	if ((t->kind != ROW_TOMB_REMOVED && t->kind != ROW_TOMB_DESTROYED) ||
	    t->mailbox != v->mailbox)
		return 0;
	v->uid = arena_grow(v->a, v->uid, &v->cap, v->n + 1, sizeof(*v->uid));
	v->uid[v->n++] = t->uid;
	return 0;
}

static int
uid_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int
store_vanished(struct store *st, struct arena *a, uint64_t mailbox,
    uint64_t since, uint32_t **uids_r, size_t *n_r)
{
	struct vanished v = { .mailbox = mailbox, .a = a };
	struct row_mailbox m;
	struct row_head h;
	struct kv_txn *t;
	uint64_t modseq;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = head_read(t, st->ra, &h)) == 0 &&
	    (rc = mailbox_read(t, st->ra, mailbox, &m)) == 0) {
		if (since < h.horizon && since < m.highestmodseq)
			rc = STORE_E_TOOOLD;
		else if (since < m.highestmodseq)
			rc = tombs_scan(t, since + 1, &modseq, vanished_note,
			    &v);
	}
	ro_end(st);
	if (rc < 0)
		return rc == STORE_E_CORRUPT ?
		    store_corrupt(st, "tombstones", since) : rc;
	if (v.n > 1)
		qsort(v.uid, v.n, sizeof(*v.uid), uid_cmp);
	*uids_r = v.uid;
	*n_r = v.n;
	return 0;
}
