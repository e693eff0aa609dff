/*
 * libstore/sweep.c - upkeep: what destroyed Emails left, blobs that are due,
 * changes nobody asks for any more
 *
 * Everything here may be interrupted at any point and is taken up again.
 */
#include "config.h"

#include "libstore/store-int.h"

enum {
	DEAD_SLACK_S = 3600,	/* so that one transaction is for many */
	DUE_PORTION = 256,
	HISTORY_PORTION = 1000,
	HISTORY_SLACK_S = 86400
};

/* ---- destroyed Emails -------------------------------------------------- */

struct dead {
	struct arena *a;
	uint64_t *id;
	size_t n, cap;
	uint64_t upto;		/* tombstones up to this modseq were taken */
	int64_t before;		/* those since are kept for undelete */
	bool more;
};

static int
dead_note(void *arg, const struct row_tomb *t)
{
	struct dead *d = arg;

	if (t->kind != ROW_TOMB_DESTROYED)
		return 0;
	d->id = arena_grow(d->a, d->id, &d->cap, d->n + 1, sizeof(*d->id));
	d->id[d->n++] = t->email;
	return 0;
}

/* Emails that were destroyed after swept, and before d->before; whole
 * transactions, until there are max. */
static int
dead_collect(struct kv_txn *t, struct dead *d, uint64_t swept, size_t max)
{
	struct row_key from = row_key_u64(ROW_K_TOMB, swept + 1);
	struct row_key to = row_key_after(row_key_kind(ROW_K_TOMB));
	struct kv_scan *s = NULL;
	struct slice key, val;
	uint64_t modseq;
	uint32_t part;
	int64_t when;
	int rc;

	d->upto = swept;
	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if (!row_key_get_u64_u32(key, ROW_K_TOMB, &modseq, &part)) {
			rc = STORE_E_CORRUPT;
			break;
		}
		if (d->n >= max && modseq != d->upto) {
			d->more = true;
			rc = 0;
			break;
		}
		if ((rc = row_tombs_when(val, &when)) < 0 || when > d->before)
			break;
		rc = row_tombs_get(val, &when, dead_note, d);
		d->upto = modseq;
	}
	kv_scan_close(&s);
	return rc < 0 ? rc : 0;
}

int
dead_clean(struct work *w, uint64_t id)
{
	struct row_email e;
	int rc;

	rc = email_read(w->t, w->a, id, &e);
	if (rc == STORE_E_NOTFOUND)
		return 0;	/* in an earlier portion */
	if (rc < 0)
		return rc;
	if ((rc = email_alive(w->t, &e)) != 0)
		return rc < 0 ? rc : store_corrupt(w->st, "email", id);
	if ((rc = msgids_drop(w, &e)) < 0 ||
	    (rc = blob_unuse(w, e.blob)) < 0)
		return rc;
	w->head.dead--;
	return work_del(w, row_key_u64(ROW_K_EMAIL, id));
}

/* 1: there is more. */
static int
dead_portion(struct work *w, void *arg)
{
	struct dead d = { .a = w->a };
	uint64_t swept = w->head.swept;
	size_t i;
	int rc;

	(void)arg;
	d.before = w->now - store_retention(w->st);
	rc = dead_collect(w->t, &d, w->head.swept, 1000);
	if (rc < 0)
		return rc;
	for (i = 0; i < d.n && !work_full(w); i++)
		if ((rc = dead_clean(w, d.id[i])) < 0)
			return rc;
	if (i < d.n)
		return 1;
	w->head.swept = d.upto;
	if (d.upto != swept)
		w->dirty = true;
	return d.more;
}

static int
dead_due(struct store *st, bool force)
{
	struct row_head h;
	struct dead d = { 0 };
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	d.a = st->ra;
	d.before = store_now(st) - store_retention(st) -
	    (force ? 0 : DEAD_SLACK_S);
	if ((rc = head_read(t, st->ra, &h)) == 0 &&
	    (rc = dead_collect(t, &d, h.swept, 1)) == 0)
		rc = d.upto > h.swept;
	ro_end(st);
	return rc;
}

static int
sweep_dead(struct store *st, bool force)
{
	int rc, done = 0;

	if ((rc = dead_due(st, force)) <= 0)
		return rc;
	do {
		rc = store_run(st, KV_FREES, dead_portion, NULL, NULL);
		done = 1;
	} while (rc > 0);
	return rc < 0 ? rc : done;
}

/* ---- blobs that are due ------------------------------------------------ */

struct due {
	int64_t at;
	unsigned char id[ROW_BLOBID_LEN];
	struct row_due row;
};
struct due_list {
	struct due d[DUE_PORTION];
	size_t n;
	int64_t now;		/* what is due then */
};

static int
due_collect(struct kv_txn *t, struct due_list *l)
{
	struct row_key from = row_key_kind(ROW_K_DUE);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	int rc;

	l->n = 0;
	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && l->n < DUE_PORTION &&
	    (rc = kv_scan_next(s, &key, &val)) > 0) {
		struct due *d = &l->d[l->n];

		if (!row_key_get_due(key, &d->at, d->id))
			rc = STORE_E_CORRUPT;
		else if (d->at > l->now)
			break;
		else if ((rc = row_due_get(val, &d->row)) == 0)
			l->n++;
	}
	kv_scan_close(&s);
	return rc < 0 ? rc : 0;
}

/* Nobody can find it any more; its entry waits for the deletion. */
static int
due_kill(struct work *w, const struct due *d)
{
	struct row_due dying = d->row;
	struct row_blob b;
	int rc;

	if (d->row.state == ROW_DUE_DYING)
		return 0;
	if ((rc = blob_row(w->t, w->a, d->id, &b)) < 0 || b.count != 0 ||
	    b.due != d->at || memcmp(b.ref, d->row.ref, sizeof(b.ref)) != 0)
		return rc < 0 && rc != STORE_E_NOTFOUND ? rc :
		    store_corrupt(w->st, "blob due", (uint64_t)d->at);
	if ((rc = work_del(w, row_key_blob(d->id))) < 0)
		return rc;
	dying.state = ROW_DUE_DYING;
	row_due_put(&w->st->val, &dying);
	return work_put(w, row_key_due(d->at, d->id));
}

static int
due_mark(struct work *w, void *arg)
{
	struct due_list *l = arg;
	int rc;

	if ((rc = due_collect(w->t, l)) < 0)
		return rc;
	for (size_t i = 0; i < l->n; i++)
		if ((rc = due_kill(w, &l->d[i])) < 0)
			return rc;
	return 0;
}

static int
due_forget(struct work *w, void *arg)
{
	const struct due_list *l = arg;
	int rc;

	for (size_t i = 0; i < l->n; i++) {
		rc = work_del(w, row_key_due(l->d[i].at, l->d[i].id));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
due_any(struct store *st, struct due_list *l)
{
	struct kv_txn *t;
	int rc;

	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	rc = due_collect(t, l);
	ro_end(st);
	return rc < 0 ? rc : l->n > 0;
}

static int
sweep_due(struct store *st, int64_t now)
{
	struct due_list l;
	struct kv_ref ref;
	int rc, done = 0;

	l.now = now;
	while ((rc = due_any(st, &l)) > 0) {
		if ((rc = store_run(st, KV_FREES, due_mark, &l, NULL)) < 0)
			return rc;
		for (size_t i = 0; i < l.n; i++) {
			kv_ref_decode(l.d[i].row.ref, &ref);
			if ((rc = kv_blob_del(st->kv, &ref)) < 0)
				return rc;
		}
		if ((rc = store_run(st, KV_FREES, due_forget, &l, NULL)) < 0)
			return rc;
		done = 1;
	}
	return rc < 0 ? rc : done;
}

/* ---- history ----------------------------------------------------------- */

struct history {
	uint64_t swept;
	int64_t before;
	uint64_t *modseq;	/* rows to go */
	uint32_t *part;
	size_t n;
	int64_t oldest;		/* INT64_MAX: there are none */
};

static int
tomb_nothing(void *arg, const struct row_tomb *t)
{
	(void)arg;
	(void)t;
	return 0;
}

static int
history_collect(struct kv_txn *t, struct arena *a, struct history *h)
{
	struct row_key from = row_key_kind(ROW_K_TOMB);
	struct row_key to = row_key_u64(ROW_K_TOMB, h->swept + 1);
	struct kv_scan *s = NULL;
	struct slice key, val;
	int64_t when;
	int rc;

	h->n = 0;
	h->oldest = INT64_MAX;
	h->modseq = arena_calloc(a, HISTORY_PORTION, sizeof(*h->modseq));
	h->part = arena_calloc(a, HISTORY_PORTION, sizeof(*h->part));
	rc = kv_scan_open(t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && h->n < HISTORY_PORTION &&
	    (rc = kv_scan_next(s, &key, &val)) > 0) {
		if (!row_key_get_u64_u32(key, ROW_K_TOMB, &h->modseq[h->n],
		    &h->part[h->n])) {
			rc = STORE_E_CORRUPT;
			break;
		}
		if ((rc = row_tombs_get(val, &when, tomb_nothing, NULL)) < 0)
			break;
		if (h->n == 0)
			h->oldest = when;
		if (when >= h->before)
			break;
		h->n++;
	}
	kv_scan_close(&s);
	return rc < 0 ? rc : 0;
}

/* 1: there may be more. */
static int
history_portion(struct work *w, void *arg)
{
	struct history *h = arg;
	int rc;

	h->swept = w->head.swept;
	if ((rc = history_collect(w->t, w->a, h)) < 0)
		return rc;
	for (size_t i = 0; i < h->n; i++) {
		rc = work_del(w, row_key_u64_u32(ROW_K_TOMB, h->modseq[i],
		    h->part[i]));
		if (rc < 0)
			return rc;
		if (w->head.horizon < h->modseq[i])
			w->head.horizon = h->modseq[i];
	}
	return h->n == HISTORY_PORTION;
}

static int
sweep_history(struct store *st, bool force)
{
	int64_t keep = st->cf->history_s ? st->cf->history_s : 180 * 86400;
	struct history h = { 0 };
	struct row_head head;
	struct kv_txn *t;
	int rc;

	/* undelete needs the tombstones too. */
	if (keep < store_retention(st))
		keep = store_retention(st);
	h.before = store_now(st) - keep;
	if ((rc = ro_begin(st, &t)) < 0)
		return rc;
	if ((rc = head_read(t, st->ra, &head)) == 0) {
		h.swept = head.swept;
		rc = history_collect(t, st->ra, &h);
	}
	ro_end(st);
	if (rc < 0 || h.oldest >= h.before - (force ? 0 : HISTORY_SLACK_S))
		return rc;
	do
		rc = store_run(st, KV_FREES, history_portion, &h, NULL);
	while (rc > 0);
	return rc < 0 ? rc : 1;
}

/* ---- all of it --------------------------------------------------------- */

int
store_sweep_unused(struct store *st)
{
	return sweep_due(st, INT64_MAX);
}

int
store_sweep(struct store *st, bool force)
{
	int rc, done = 0;

	if ((rc = store_jobs_run(st)) < 0)
		return rc;
	done |= rc;
	if ((rc = sweep_dead(st, force)) < 0)
		return rc;
	done |= rc;
	if ((rc = sweep_due(st, store_now(st))) < 0)
		return rc;
	done |= rc;
	if ((rc = sweep_history(st, force)) < 0)
		return rc;
	return done | rc;
}

int
store_idle(struct store *st, bool force)
{
	int rc, rc2;

	rc = store_sweep(st, force);
	rc2 = kv_idle(st->kv, force);
	if (rc < 0 || rc2 < 0)
		return rc < 0 ? rc : rc2;
	return rc | rc2;
}
