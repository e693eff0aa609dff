/* libstore/copy.c - copying and moving messages between mailboxes */
#include "config.h"

#include "libstore/store-int.h"

enum { MOVE_MAX = 10000 };	/* messages of a portion of a moved mailbox */

struct copy_arg {
	uint64_t from, to;
	const uint32_t *uid;
	size_t n, pos, next;
	bool move;
	struct store_pair *pair;
	size_t n_pair, had;
};

static bool
email_is_in(const struct w_email *e, uint64_t mailbox)
{
	for (size_t i = 0; i < e->row.n_in; i++)
		if (e->row.in[i].mailbox == mailbox)
			return true;
	return false;
}

/* Another Email on the same blob, in the same thread. */
static int
email_clone(struct work *w, const struct w_email *e, struct w_mailbox *to,
    uint64_t flags, bool quota, uint32_t *uid_r)
{
	struct email_seed s = { 0 };
	struct msgids ids;
	struct row_blob b;
	struct w_email *c;
	int rc;

	if (quota && (rc = quota_room(w, e->row.size)) < 0)
		return rc;
	ids.n = e->row.n_hash;
	if (ids.n > 0)
		memcpy(ids.hash, e->row.hash, ids.n * sizeof(ids.hash[0]));
	s.blob = e->row.blob;
	s.ref = e->row.ref;
	s.size = e->row.size;
	s.received = e->row.received;
	s.ids = &ids;
	s.thread = e->row.thread;
	if ((rc = blob_row(w->t, w->a, s.blob, &b)) < 0)
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "blob of email", e->id) : rc;
	if ((rc = blob_use(w, s.blob, &b)) < 0 ||
	    (rc = email_make(w, &s, &c)) < 0 ||
	    (rc = meta_copy_to(w, e->id, c->id)) < 0)
		return rc;
	return email_join(w, c, to, flags, uid_r);
}

static int
copy_msg(struct work *w, const struct copy_arg *c, struct w_msg *g,
    struct w_mailbox *to, uint32_t *uid_r)
{
	struct w_mailbox *from = g->m;
	uint32_t uid = g->hot.uid;
	struct row_cold d;
	struct w_email *e;
	int rc;

	if ((rc = w_msg_cold(w, g, &d)) < 0)
		return rc;
	if ((rc = w_email(w, d.email, &e)) < 0)
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "email", d.email) : rc;
	if (!email_is_in(e, to->id))
		return c->move ? msg_move(w, g, to, g->hot.flags, uid_r) :
		    email_join(w, e, to, g->hot.flags, uid_r);
	rc = email_clone(w, e, to, g->hot.flags, !c->move, uid_r);
	if (rc < 0 || !c->move)
		return rc;
	/* The slot has moved, if it is in the target. */
	if ((rc = w_msg(w, from, uid, g)) < 0)
		return rc;
	return msg_remove(w, g);
}

static int
copy_portion(struct work *w, void *arg)
{
	struct copy_arg *c = arg;
	struct w_mailbox *from, *to;
	int rc;

	c->n_pair = c->had;
	c->next = c->pos;
	if ((rc = w_mailbox(w, c->from, &from)) < 0 ||
	    (rc = w_mailbox(w, c->to, &to)) < 0)
		return rc;
	for (; c->next < c->n && !work_full(w); c->next++) {
		struct store_pair *p = &c->pair[c->n_pair];
		struct w_msg g = { 0 };

		rc = w_msg(w, from, c->uid[c->next], &g);
		if (rc == STORE_E_NOTFOUND)
			continue;
		p->from = c->uid[c->next];
		if (rc < 0 || (rc = copy_msg(w, c, &g, to, &p->to)) < 0)
			return rc;
		c->n_pair++;
	}
	return c->next < c->n;
}

static bool
is_trash(struct store *st, uint64_t mailbox)
{
	struct arena *a = arena_new(0);
	struct store_mailbox mb;
	bool yes = store_mailbox_get(st, a, mailbox, &mb) == 0 &&
	    mb.role == STORE_ROLE_TRASH;

	arena_free(&a);
	return yes;
}

int
store_msgs_copy(struct store *st, struct arena *a, uint64_t from,
    const uint32_t *uids, size_t n, uint64_t to, bool move,
    struct store_pair **p_r, size_t *n_r, uint64_t *modseq_r)
{
	struct copy_arg c = {
		.from = from, .to = to, .uid = uids, .n = n, .move = move
	};
	int rc, mode = move ? KV_FREES : 0;
	uint64_t modseq;

	c.pair = arena_calloc(a, n, sizeof(*c.pair));
	do {
		rc = store_run(st, mode, copy_portion, &c, &modseq);
		/* How clients without MOVE begin to delete. */
		if (rc == STORE_E_NOSPACE && mode == 0 && is_trash(st, to)) {
			mode = KV_FREES;
			rc = store_run(st, mode, copy_portion, &c, &modseq);
		}
		c.pos = c.next;
		c.had = c.n_pair;
	} while (rc > 0);
	if (rc < 0)
		return rc;
	if (p_r) {
		*p_r = c.pair;
		*n_r = c.n_pair;
	}
	if (modseq_r)
		*modseq_r = modseq;
	return 0;
}

int
mailbox_move_all(struct store *st, uint64_t from, uint32_t uidnext,
    uint64_t to)
{
	struct arena *a = arena_new(0);
	struct store_pair *p;
	struct kv_txn *t;
	uint32_t *uid;
	size_t n, moved;
	int rc;

	do {
		arena_reset(a);
		if ((rc = ro_begin(st, &t)) < 0)
			break;
		rc = uids_collect(t, a, from, 1, uidnext, 0, MOVE_MAX, &uid,
		    &n);
		ro_end(st);
		if (rc == 0 && n > 0)
			rc = store_msgs_copy(st, a, from, uid, n, to, true,
			    &p, &moved, NULL);
		if (rc == 0 && n > 0 && moved == 0)
			rc = store_corrupt(st, "mailbox", from);
	} while (rc == 0 && n > 0);
	arena_free(&a);
	return rc;
}
