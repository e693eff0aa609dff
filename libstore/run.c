/* libstore/run.c - making a change: run, collect, write, commit, run again */
#include "config.h"

#include <assert.h>

#include "libbase/io.h"
#include "libstore/store-int.h"

enum {
	RUN_TRIES = 100,	/* lost races before giving up */
	ROW_OVERHEAD = 24	/* about, for the engine's record */
};

uint64_t
work_id(struct work *w)
{
	assert(w->next_id >> ROW_ID_SHIFT == w->modseq);
	return w->next_id++;
}

int
work_put(struct work *w, struct row_key k)
{
	w->cost += k.n + w->st->val.n + ROW_OVERHEAD;
	w->dirty = true;
	if (w->st->val.overflow)
		return store_fail(w->st, STORE_E_TOOBIG, "row '%c' too long",
		    k.b[0]);
	return kv_put(w->t, row_key(&k), buf_slice(&w->st->val));
}

int
work_del(struct work *w, struct row_key k)
{
	w->cost += k.n + ROW_OVERHEAD;
	w->dirty = true;
	return kv_del(w->t, row_key(&k));
}

int
work_get(struct work *w, struct row_key k, struct slice *v_r)
{
	return kv_get(w->t, w->a, row_key(&k), v_r);
}

/* ---- what it touches --------------------------------------------------- */

int
w_mailbox(struct work *w, uint64_t id, struct w_mailbox **m_r)
{
	struct w_mailbox *m = umap_get(&w->mailboxes, id, 0);
	int rc;

	if (!m) {
		m = arena_alloc(w->a, sizeof(*m));
		m->id = id;
		if ((rc = mailbox_read(w->t, w->a, id, &m->row)) < 0)
			return rc == STORE_E_CORRUPT ?
			    store_corrupt(w->st, "mailbox", id) : rc;
		umap_add(&w->mailboxes, id, 0, m);
	}
	if (m->gone)
		return STORE_E_NOTFOUND;
	*m_r = m;
	return 0;
}

struct w_mailbox *
w_mailbox_add(struct work *w, uint64_t id)
{
	struct w_mailbox *m = arena_alloc(w->a, sizeof(*m));

	m->id = id;
	m->dirty = true;
	m->last_known = true;
	umap_add(&w->mailboxes, id, 0, m);
	w->dirty = true;
	return m;
}

void
w_counted(struct work *w, struct w_mailbox *m)
{
	if (!m->dirty)
		w->cost += 200 + m->row.name.n;
	m->dirty = true;
	m->row.counted = w->modseq;
	w->head.mailbox_modseq = w->modseq;
}

int
w_email(struct work *w, uint64_t id, struct w_email **e_r)
{
	struct w_email *e = umap_get(&w->emails, id, 0);
	int rc;

	if (!e) {
		e = arena_alloc(w->a, sizeof(*e));
		e->id = id;
		if ((rc = email_read(w->t, w->a, id, &e->row)) < 0)
			return rc == STORE_E_CORRUPT ?
			    store_corrupt(w->st, "email", id) : rc;
		umap_add(&w->emails, id, 0, e);
	}
	*e_r = e;
	return 0;
}

struct w_email *
w_email_add(struct work *w, uint64_t id)
{
	struct w_email *e = arena_alloc(w->a, sizeof(*e));

	e->id = id;
	umap_add(&w->emails, id, 0, e);
	w_email_dirty(w, e);
	return e;
}

void
w_email_dirty(struct work *w, struct w_email *e)
{
	e->row.modseq = w->modseq;
	if (e->dirty)
		return;
	e->dirty = true;
	w->dirty = true;
	w->cost += 100 + 12 * (e->row.n_in + 1) + 8 * e->row.n_hash +
	    ROW_OVERHEAD;
}

void
w_tomb(struct work *w, const struct row_tomb *t)
{
	w->tomb = arena_grow(w->a, w->tomb, &w->cap_tomb, w->n_tomb + 1,
	    sizeof(*w->tomb));
	w->tomb[w->n_tomb++] = *t;
	w->dirty = true;
	w->cost += 24 + t->path.n;
}

/* ---- writing it -------------------------------------------------------- */

static int
flush_emails(struct work *w)
{
	struct w_email *e;
	size_t pos = 0;
	int rc;

	while ((e = umap_next(&w->emails, &pos))) {
		if (!e->dirty)
			continue;
		row_email_put(&w->st->val, &e->row);
		rc = work_put(w, row_key_u64(ROW_K_EMAIL, e->id));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
flush_tombs(struct work *w)
{
	uint32_t part = 0;
	int rc;

	for (size_t i = 0; i < w->n_tomb; part++) {
		i += row_tombs_put(&w->st->val, w->now, w->tomb + i,
		    w->n_tomb - i, ROW_BUF_MAX);
		rc = work_put(w, row_key_u64_u32(ROW_K_TOMB, w->modseq, part));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
flush_mailboxes(struct work *w)
{
	struct w_mailbox *m;
	size_t pos = 0;
	int rc;

	while ((m = umap_next(&w->mailboxes, &pos))) {
		if (!m->dirty || m->gone)
			continue;
		row_mailbox_put(&w->st->val, &m->row);
		rc = work_put(w, row_key_u64(ROW_K_MAILBOX, m->id));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
work_flush(struct work *w)
{
	int rc;

	if ((rc = w_threads_flush(w)) < 0 || (rc = w_members_flush(w)) < 0 ||
	    (rc = flush_emails(w)) < 0 ||
	    (rc = w_chunks_flush(w)) < 0 || (rc = flush_tombs(w)) < 0 ||
	    (rc = flush_mailboxes(w)) < 0)
		return rc;
	if (!w->dirty)
		return 0;
	memmove(&w->head.txn[1], &w->head.txn[0],
	    sizeof(w->head.txn) - sizeof(w->head.txn[0]));
	random_bytes(&w->head.txn[0], sizeof(w->head.txn[0]));
	row_head_put(&w->st->val, &w->head);
	return work_put(w, row_key_kind(ROW_K_HEAD));
}

/* ---- running it -------------------------------------------------------- */

static int
work_begin(struct work *w, struct store *st, int mode)
{
	int rc;

	memset(w, 0, sizeof(*w));
	w->st = st;
	w->a = st->wa;
	arena_reset(st->wa);
	if ((rc = kv_begin(st->kv, KV_RW | mode, &w->t)) < 0)
		return rc;
	w->modseq = kv_txn_modseq(w->t);
	w->now = store_now(st);
	w->next_id = w->modseq << ROW_ID_SHIFT;
	umap_init(&w->mailboxes, w->a);
	umap_init(&w->chunks, w->a);
	umap_init(&w->threads, w->a);
	umap_init(&w->emails, w->a);
	if (w->modseq > ROW_MODSEQ_MAX)
		return store_corrupt(st, "modseq", w->modseq);
	rc = head_read(w->t, w->a, &w->head);
	/* The very first transaction makes the head. */
	return rc == STORE_E_NOTFOUND && (w->modseq == 1 ||
	    w->modseq == st->cf->first_modseq + 1) ? 0 : rc;
}

/* Was the transaction with this id committed?  1 yes, 0 no, negative: can't
 * be told. */
static int
run_settle(struct store *st, uint64_t modseq, uint32_t txn)
{
	struct row_head h;
	struct kv_txn *t = NULL;
	uint64_t now;
	int rc;

	if ((rc = kv_begin(st->kv, KV_RW, &t)) < 0)
		return STORE_E_UNKNOWN;
	now = kv_txn_modseq(t) - 1;
	rc = head_read(t, st->wa, &h);
	kv_abort(&t);
	if (rc == STORE_E_NOTFOUND)
		return 0;
	if (rc < 0)
		return STORE_E_UNKNOWN;
	/* Transactions of the store alone move the modseq: so each has its
	 * place, counted from the newest. */
	if (now < modseq)
		return 0;
	if (now - modseq >= ROW_TXN_RING)
		return STORE_E_UNKNOWN;
	return h.txn[now - modseq] == txn;
}

static int
run_once(struct store *st, int mode, int (*fn)(struct work *w, void *arg),
    void *arg, uint64_t *modseq_r)
{
	struct work w;
	int rc, rc2;

	if ((rc = work_begin(&w, st, mode)) < 0 || (rc = fn(&w, arg)) < 0 ||
	    (rc2 = work_flush(&w)) < 0) {
		kv_abort(&w.t);
		return rc < 0 ? rc : rc2;
	}
	rc2 = kv_commit(&w.t, modseq_r);
	if (rc2 == STORE_E_UNKNOWN) {
		rc2 = run_settle(st, w.modseq, w.head.txn[0]);
		if (rc2 == 1)
			*modseq_r = w.modseq;
		else if (rc2 == 0)
			rc2 = STORE_E_CONFLICT;
	}
	if (rc2 >= 0 && *modseq_r == w.modseq) {
		push_wake(st);
		if (st->own_to + 1 != w.modseq)
			st->own_from = w.modseq;
		st->own_to = w.modseq;
	}
	return rc2 < 0 ? rc2 : rc;
}

void
store_own(const struct store *st, uint64_t *from_r, uint64_t *to_r)
{
	*from_r = st->own_from;
	*to_r = st->own_to;
}

int
store_run(struct store *st, int mode, int (*fn)(struct work *w, void *arg),
    void *arg, uint64_t *modseq_r)
{
	uint64_t modseq = 0;
	int rc = STORE_E_CONFLICT;

	assert(!st->writing && st->ro_depth == 0);
	st->writing = true;
	st->err[0] = '\0';
	row_version_clear();
	for (int i = 0; i < RUN_TRIES && rc == STORE_E_CONFLICT; i++)
		rc = run_once(st, mode, fn, arg, &modseq);
	arena_reset(st->wa);
	st->writing = false;
	if (rc == STORE_E_CONFLICT)
		rc = store_fail(st, STORE_E_BUSY, "lost %d races", RUN_TRIES);
	if (rc >= 0 && modseq_r)
		*modseq_r = modseq;
	return rc;
}
