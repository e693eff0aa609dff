/* libstore/expunge.c - removing messages from a mailbox */
#include "config.h"

#include "libstore/store-int.h"

enum { EMPTY_MAX = 100000 };	/* messages looked at in one portion */

struct expunge_arg {
	uint64_t mailbox;
	const uint32_t *uid;	/* NULL: all with \Deleted */
	size_t n, pos, next;
	bool any;		/* whatever their flags */
	struct arena *a;
	uint32_t *gone;
	size_t n_gone, cap_gone, had;
};

static int
expunge_uids(struct work *w, struct w_mailbox *m, struct expunge_arg *x,
    const uint32_t *uid, size_t n)
{
	struct w_msg g = { 0 };
	int rc;

	for (; x->next < n && !work_full(w); x->next++) {
		rc = w_msg(w, m, uid[x->next], &g);
		if (rc == STORE_E_NOTFOUND ||
		    (rc == 0 && !x->any && !(g.hot.flags & STORE_DELETED)))
			continue;
		if (rc < 0 || (rc = msg_remove(w, &g)) < 0)
			return rc;
		if (!x->a)
			continue;
		x->gone = arena_grow(x->a, x->gone, &x->cap_gone,
		    x->n_gone + 1, sizeof(*x->gone));
		x->gone[x->n_gone++] = uid[x->next];
	}
	return x->next < n;
}

static int
expunge_portion(struct work *w, void *arg)
{
	struct expunge_arg *x = arg;
	struct w_mailbox *m;
	uint32_t *uid;
	size_t n, max;
	int rc;

	x->n_gone = x->had;
	if ((rc = w_mailbox(w, x->mailbox, &m)) < 0)
		return rc;
	if (x->uid) {
		x->next = x->pos;
		return expunge_uids(w, m, x, x->uid, x->n);
	}
	if (m->row.deleted == 0)
		return 0;
	/* No need to look further than for all of them. */
	max = m->row.deleted < EMPTY_MAX ? m->row.deleted : EMPTY_MAX;
	rc = uids_collect(w->t, w->a, m->id, 1, UINT32_MAX, STORE_DELETED,
	    max, &uid, &n);
	if (rc < 0)
		return rc;
	x->next = 0;
	if ((rc = expunge_uids(w, m, x, uid, n)) < 0)
		return rc;
	/* Whatever the mailbox counts: no more if none was removed. */
	return x->n_gone > x->had && (rc > 0 || n == EMPTY_MAX);
}

static int
expunge_run(struct store *st, struct expunge_arg *x, uint64_t *modseq_r)
{
	int rc;

	do {
		rc = store_run(st, KV_FREES, expunge_portion, x, modseq_r);
		x->pos = x->next;
		x->had = x->n_gone;
	} while (rc > 0);
	return rc;
}

int
store_msgs_expunge(struct store *st, struct arena *a, uint64_t mailbox,
    const uint32_t *uids, size_t n, uint32_t **gone_r, size_t *n_r,
    uint64_t *modseq_r)
{
	struct expunge_arg x = {
		.mailbox = mailbox, .uid = uids, .n = n, .a = a
	};
	int rc;

	if ((rc = expunge_run(st, &x, modseq_r)) < 0)
		return rc;
	if (gone_r) {
		*gone_r = x.gone;
		*n_r = x.n_gone;
	}
	return 0;
}

int
store_msgs_remove(struct store *st, struct arena *a, uint64_t mailbox,
    const uint32_t *uids, size_t n, uint64_t *modseq_r)
{
	static const uint32_t none;
	struct expunge_arg x = {
		.mailbox = mailbox, .uid = uids ? uids : &none, .n = n,
		.any = true
	};

	(void)a;
	return expunge_run(st, &x, modseq_r);
}

int
mailbox_empty(struct work *w, struct w_mailbox *m)
{
	struct expunge_arg x = { .mailbox = m->id, .any = true };
	uint32_t *uid, total = m->row.total;
	size_t n;
	int rc;

	rc = uids_collect(w->t, w->a, m->id, 1, UINT32_MAX, 0, EMPTY_MAX, &uid,
	    &n);
	if (rc < 0 || (rc = expunge_uids(w, m, &x, uid, n)) < 0)
		return rc;
	if (m->row.total == total)
		return store_corrupt(w->st, "mailbox", m->id);
	return m->row.total > 0;
}
