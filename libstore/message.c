/*
 * libstore/message.c - what can be done to a message
 *
 * Each function keeps all the counts: of the mailbox, of the thread, of the
 * account.
 */
#include "config.h"

#include <assert.h>

#include "libstore/store-int.h"

/* ---- a mailbox's own counts -------------------------------------------- */

static void
mailbox_count(struct work *w, struct w_mailbox *m, uint64_t flags,
    uint64_t size, int sign)
{
	uint32_t d = (uint32_t)sign;

	m->row.total += d;
	m->row.size += (uint64_t)(int64_t)sign * size;
	if (flags_unread(flags))
		m->row.unread += d;
	if (!(flags & STORE_SEEN))
		m->row.unseen += d;
	if (flags & STORE_DELETED) {
		m->row.deleted += d;
		m->row.deleted_size += (uint64_t)(int64_t)sign * size;
	}
	m->row.highestmodseq = w->modseq;
	w->head.email_modseq = w->modseq;
	w_counted(w, m);
}

/* A plain thread comes, goes, or changes between read and unread. */
static void
plain_count(struct work *w, struct w_mailbox *m, int threads, int unread)
{
	m->row.threads += (uint32_t)threads;
	m->row.unread_threads += (uint32_t)unread;
	w_counted(w, m);
}

/* ---- flags ------------------------------------------------------------- */

/* One membership's slot. */
static int
slot_set_flags(struct work *w, struct w_msg *g, uint64_t flags)
{
	uint64_t old = g->hot.flags;
	struct row_mailbox *r = &g->m->row;
	struct row_cold d;
	int rc;

	if ((old ^ flags) & STORE_DELETED) {
		if ((rc = w_msg_cold(w, g, &d)) < 0)
			return rc;
		if (flags & STORE_DELETED) {
			r->deleted++;
			r->deleted_size += d.size;
		} else {
			r->deleted--;
			r->deleted_size -= d.size;
		}
		/* JMAP does not count what is \Deleted (RFC 8621 4.1.1). */
		w_counted(w, g->m);
	}
	if ((old ^ flags) & STORE_SEEN)
		r->unseen += flags & STORE_SEEN ? UINT32_MAX : 1;
	if (flags_unread(old) != flags_unread(flags)) {
		r->unread += flags_unread(flags) ? 1 : UINT32_MAX;
		w_counted(w, g->m);
	}
	r->highestmodseq = w->modseq;
	g->m->dirty = true;
	g->hot.flags = flags;
	g->hot.modseq = w->modseq;
	w_msg_write(w, g);
	return 0;
}

/* The same keywords in all other memberships. */
static int
others_set_flags(struct work *w, const struct w_msg *g,
    const struct w_email *e, uint64_t keywords)
{
	struct w_mailbox *m;
	int rc;

	for (size_t i = 0; i < e->row.n_in; i++) {
		struct w_msg o = { 0 };

		if (e->row.in[i].mailbox == g->m->id)
			continue;
		if ((rc = w_mailbox(w, e->row.in[i].mailbox, &m)) < 0 ||
		    (rc = w_msg(w, m, e->row.in[i].uid, &o)) < 0)
			return rc == STORE_E_NOTFOUND ?
			    store_corrupt(w->st, "email", e->id) : rc;
		rc = slot_set_flags(w, &o,
		    keywords | (o.hot.flags & STORE_DELETED));
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The Email of a message, where it may be in several mailboxes. */
static int
msg_email(struct work *w, const struct w_msg *g, const struct row_cold *d,
    struct w_email **e_r)
{
	int rc;

	*e_r = NULL;
	if (!(g->hot.marks & ROW_MULTI))
		return 0;
	rc = w_email(w, d->email, e_r);
	return rc == STORE_E_NOTFOUND ?
	    store_corrupt(w->st, "email", d->email) : rc;
}

static int
msg_thread(struct work *w, const struct row_cold *d, struct w_thread **t_r)
{
	int rc = w_thread(w, d->thread, t_r);

	return rc == STORE_E_NOTFOUND ?
	    store_corrupt(w->st, "thread", d->thread) : rc;
}

/* The thread learns that an Email was read, or isn't any more. */
static int
thread_set_unread(struct work *w, const struct w_msg *g,
    const struct row_cold *d, const struct w_email *e, bool unread)
{
	struct row_in one = { g->m->id, g->hot.uid };
	const struct row_in *in = e ? e->row.in : &one;
	size_t n = e ? e->row.n_in : 1;
	struct w_thread *t;
	int rc;

	if (!(g->hot.marks & ROW_THREADED)) {
		plain_count(w, g->m, 0, unread ? 1 : -1);
		return 0;
	}
	if ((rc = msg_thread(w, d, &t)) < 0 ||
	    (rc = w_thread_count(w, t, in, n, !unread, -1)) < 0)
		return rc;
	return w_thread_count(w, t, in, n, unread, 1);
}

int
msg_set_flags(struct work *w, struct w_msg *g, uint64_t flags)
{
	uint64_t old = g->hot.flags;
	struct w_email *e = NULL;
	struct row_cold d;
	int rc;

	if (old == flags)
		return 0;
	if ((old ^ flags) & FLAG_KEYWORDS &&
	    g->hot.marks & (ROW_MULTI | ROW_THREADED)) {
		if ((rc = w_msg_cold(w, g, &d)) < 0 ||
		    (rc = msg_email(w, g, &d, &e)) < 0)
			return rc;
	}
	if (flags_unread(old) != flags_unread(flags)) {
		rc = thread_set_unread(w, g, &d, e, flags_unread(flags));
		if (rc < 0)
			return rc;
	}
	w->head.email_modseq = w->modseq;
	if ((rc = slot_set_flags(w, g, flags)) < 0)
		return rc;
	if (e && (old ^ flags) & FLAG_KEYWORDS &&
	    (rc = others_set_flags(w, g, e, flags & FLAG_KEYWORDS)) < 0)
		return rc;
	return 1;
}

/* ---- going ------------------------------------------------------------- */

static void
in_drop(struct row_email *r, uint64_t mailbox)
{
	for (size_t i = 0; i < r->n_in; i++)
		if (r->in[i].mailbox == mailbox) {
			memmove(r->in + i, r->in + i + 1,
			    (r->n_in - i - 1) * sizeof(*r->in));
			r->n_in--;
			return;
		}
}

/* Takes the membership out of the thread and, if it has others, the Email. */
static int
thread_leave(struct work *w, struct w_msg *g, const struct row_cold *d,
    struct w_email *e, bool lives)
{
	struct row_in one = { g->m->id, g->hot.uid };
	const struct row_in *in = e ? e->row.in : &one;
	size_t n = e ? e->row.n_in : 1;
	bool unread = flags_unread(g->hot.flags);
	struct w_thread *t;
	int rc;

	if (!(g->hot.marks & ROW_THREADED)) {
		plain_count(w, g->m, -1, unread ? -1 : 0);
		return 0;
	}
	if ((rc = msg_thread(w, d, &t)) < 0 ||
	    (rc = w_thread_count(w, t, in, n, unread, -1)) < 0)
		return rc;
	if (!lives)
		return work_del(w, row_key_u64_u64(ROW_K_MEMBER, d->thread,
		    d->email));
	in_drop(&e->row, g->m->id);
	w_email_dirty(w, e);
	return w_thread_count(w, t, e->row.in, e->row.n_in, unread, 1);
}

int
msg_remove(struct work *w, struct w_msg *g)
{
	struct w_email *e;
	struct row_tomb tomb;
	struct row_cold d;
	bool lives;
	int rc;

	if ((rc = w_msg_cold(w, g, &d)) < 0 ||
	    (rc = msg_email(w, g, &d, &e)) < 0)
		return rc;
	lives = e && e->row.n_in > 1;
	if ((rc = thread_leave(w, g, &d, e, lives)) < 0)
		return rc;
	if (!lives) {
		w->head.size -= d.size;
		w->head.messages--;
		w->head.dead++;
		w->head.thread_modseq = w->modseq;
	}
	mailbox_count(w, g->m, g->hot.flags, d.size, -1);
	tomb.kind = lives ? ROW_TOMB_REMOVED : ROW_TOMB_DESTROYED;
	tomb.mailbox = g->m->id;
	tomb.uid = g->hot.uid;
	tomb.email = d.email;
	tomb.thread = d.thread;
	w_tomb(w, &tomb);
	w_msg_kill(w, g);
	return 0;
}

/* ---- moving ------------------------------------------------------------ */

static int
thread_move(struct work *w, struct w_msg *g, const struct row_cold *d,
    struct w_email *e, struct w_mailbox *to)
{
	bool unread = flags_unread(g->hot.flags);
	struct w_thread *t = NULL;
	int rc;

	if (g->hot.marks & ROW_THREADED) {
		if ((rc = msg_thread(w, d, &t)) < 0 ||
		    (rc = w_thread_count(w, t, e->row.in, e->row.n_in,
		    unread, -1)) < 0)
			return rc;
	} else {
		plain_count(w, g->m, -1, unread ? -1 : 0);
		plain_count(w, to, 1, unread ? 1 : 0);
	}
	for (size_t i = 0; i < e->row.n_in; i++)
		if (e->row.in[i].mailbox == g->m->id)
			e->row.in[i] =
			    (struct row_in){ to->id, to->row.uidnext };
	return t ? w_thread_count(w, t, e->row.in, e->row.n_in, unread, 1) : 0;
}

int
msg_move(struct work *w, struct w_msg *g, struct w_mailbox *to,
    uint64_t flags, uint32_t *uid_r)
{
	struct row_tomb tomb = { .kind = ROW_TOMB_REMOVED };
	struct row_hot h = g->hot;
	struct w_email *e;
	struct row_cold d;
	int rc;

	assert(to != g->m && ((flags ^ h.flags) & FLAG_KEYWORDS) == 0);
	if (to->row.uidnext == UINT32_MAX)
		return STORE_E_LIMIT;
	if ((rc = w_msg_cold(w, g, &d)) < 0 ||
	    (rc = w_email(w, d.email, &e)) < 0 ||
	    (rc = thread_move(w, g, &d, e, to)) < 0)
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "email", d.email) : rc;
	tomb.mailbox = g->m->id;
	tomb.uid = g->hot.uid;
	tomb.email = d.email;
	tomb.thread = d.thread;
	w_tomb(w, &tomb);
	mailbox_count(w, g->m, h.flags, d.size, -1);
	w_msg_kill(w, g);
	*uid_r = h.uid = to->row.uidnext++;
	h.flags = flags;
	h.modseq = w->modseq;
	d.saved = w->now;
	if ((rc = w_append(w, to, &h, &d)) < 0)
		return rc;
	mailbox_count(w, to, flags, d.size, 1);
	w_email_dirty(w, e);
	return 0;
}

/* ---- coming ------------------------------------------------------------ */

int
quota_room(struct work *w, uint64_t size)
{
	const struct row_head *h = &w->head;

	if ((h->size_limit > 0 && h->size + size > h->size_limit) ||
	    (h->message_limit > 0 && h->messages + 1 > h->message_limit))
		return STORE_E_QUOTA;
	return 0;
}

int
email_flags(struct work *w, struct w_email *e, uint64_t *flags_r)
{
	struct w_mailbox *m;
	int rc = STORE_E_NOTFOUND;

	for (size_t i = 0; i < e->row.n_in; i++) {
		struct w_msg g = { 0 };

		if ((rc = w_mailbox(w, e->row.in[i].mailbox, &m)) == 0 &&
		    (rc = w_msg(w, m, e->row.in[i].uid, &g)) == 0) {
			*flags_r = g.hot.flags & FLAG_KEYWORDS;
			return 0;
		}
		if (rc != STORE_E_NOTFOUND)
			return rc;
	}
	return rc;
}

int
email_make(struct work *w, const struct email_seed *s, struct w_email **e_r)
{
	uint64_t id = work_id(w), thread;
	struct w_email *e;
	int rc;

	if ((rc = msgids_join(w, s->ids, s->thread, id, &thread)) < 0)
		return rc;
	e = w_email_add(w, id);
	memcpy(e->row.blob, s->blob, sizeof(e->row.blob));
	memcpy(e->row.ref, s->ref, sizeof(e->row.ref));
	e->row.thread = thread;
	e->row.size = s->size;
	e->row.received = s->received;
	e->row.n_hash = s->ids->n;
	e->row.hash = arena_calloc(w->a, s->ids->n, sizeof(*e->row.hash));
	if (s->ids->n > 0)
		memcpy(e->row.hash, s->ids->hash,
		    s->ids->n * sizeof(*e->row.hash));
	w->head.size += s->size;
	w->head.messages++;
	w->head.email_modseq = w->head.thread_modseq = w->modseq;
	*e_r = e;
	return 0;
}

static void
in_add(struct work *w, struct row_email *r, uint64_t mailbox, uint32_t uid)
{
	struct row_in *in = arena_calloc(w->a, r->n_in + 1, sizeof(*in));

	if (r->n_in > 0)
		memcpy(in, r->in, r->n_in * sizeof(*in));
	in[r->n_in++] = (struct row_in){ mailbox, uid };
	r->in = in;
}

/* From the second membership on all slots say so. */
static int
marks_multi(struct work *w, struct w_email *e)
{
	struct w_mailbox *m;
	int rc;

	for (size_t i = 0; i < e->row.n_in; i++) {
		struct w_msg g = { 0 };

		if ((rc = w_mailbox(w, e->row.in[i].mailbox, &m)) < 0 ||
		    (rc = w_msg(w, m, e->row.in[i].uid, &g)) < 0)
			return rc == STORE_E_NOTFOUND ?
			    store_corrupt(w->st, "email", e->id) : rc;
		if (g.hot.marks & ROW_MULTI)
			continue;
		g.hot.marks |= ROW_MULTI | ROW_THREADED;
		w_msg_write(w, &g);
	}
	return 0;
}

/* The first membership of a new Email. */
static int
join_first(struct work *w, struct w_email *e, struct w_mailbox *m,
    bool unread, uint8_t *marks_r)
{
	struct w_thread *t;
	int rc;

	*marks_r = 0;
	if (e->row.thread == e->id) {
		plain_count(w, m, 1, unread ? 1 : 0);
		in_add(w, &e->row, m->id, m->row.uidnext);
		return 0;
	}
	if ((rc = w_thread_make(w, e->row.thread, &t)) < 0)
		return rc;
	*marks_r = ROW_THREADED;
	in_add(w, &e->row, m->id, m->row.uidnext);
	rc = w_thread_count(w, t, e->row.in, 1, unread, 1);
	if (rc < 0)
		return rc;
	row_u64_put(&w->st->val, (uint64_t)e->row.received);
	return work_put(w, row_key_u64_u64(ROW_K_MEMBER, e->row.thread,
	    e->id));
}

static int
join_next(struct work *w, struct w_email *e, struct w_mailbox *m,
    bool unread, uint8_t *marks_r)
{
	struct w_thread *t;
	int rc;

	*marks_r = ROW_MULTI | ROW_THREADED;
	if (e->row.n_in == ROW_IN_MAX)
		return STORE_E_LIMIT;
	if ((rc = w_thread_make(w, e->row.thread, &t)) < 0 ||
	    (rc = w_thread_count(w, t, e->row.in, e->row.n_in, unread,
	    -1)) < 0 || (rc = marks_multi(w, e)) < 0)
		return rc;
	in_add(w, &e->row, m->id, m->row.uidnext);
	return w_thread_count(w, t, e->row.in, e->row.n_in, unread, 1);
}

int
email_join(struct work *w, struct w_email *e, struct w_mailbox *m,
    uint64_t flags, uint32_t *uid_r)
{
	struct row_hot h = { 0 };
	struct row_cold d = { 0 };
	bool unread = flags_unread(flags);
	int rc;

	if (m->row.uidnext == UINT32_MAX)
		return STORE_E_LIMIT;
	rc = e->row.n_in == 0 ? join_first(w, e, m, unread, &h.marks) :
	    join_next(w, e, m, unread, &h.marks);
	if (rc < 0)
		return rc;
	h.uid = m->row.uidnext++;
	h.flags = flags;
	h.modseq = w->modseq;
	d.email = e->id;
	d.thread = e->row.thread;
	d.size = e->row.size;
	d.received = e->row.received;
	d.saved = w->now;
	memcpy(d.ref, e->row.ref, sizeof(d.ref));
	if ((rc = w_append(w, m, &h, &d)) < 0)
		return rc;
	mailbox_count(w, m, flags, d.size, 1);
	w_email_dirty(w, e);
	*uid_r = h.uid;
	return 0;
}
