/*
 * libstore/message.c - what can be done to a message
 *
 * Each function keeps all the counts: of the mailbox, of the thread, of the
 * account.
 */
#include "config.h"

#include "libstore/store-int.h"

/* ---- a mailbox's own counts -------------------------------------------- */

static void
mailbox_count(struct work *w, struct w_mailbox *m, uint64_t flags,
    uint64_t size, int sign)
{
	uint32_t d = (uint32_t)sign;

	m->row.total += d;
	m->row.size += (uint64_t)(int64_t)sign * size;
	if (flags_unread(flags) && flags_visible(flags))
		m->row.unread += d;
	if (!(flags & STORE_SEEN))
		m->row.unseen += d;
	if (!flags_visible(flags)) {
		m->row.deleted += d;
		m->row.deleted_size += (uint64_t)(int64_t)sign * size;
	}
	m->row.highestmodseq = w->modseq;
	w->head.email_modseq = w->modseq;
	w_counted(w, m);
}

/* A plain thread comes (sign 1), or goes. */
static void
plain_count(struct work *w, struct w_mailbox *m, uint64_t flags, int sign)
{
	if (flags_visible(flags)) {
		m->row.threads += (uint32_t)sign;
		if (flags_unread(flags))
			m->row.unread_threads += (uint32_t)sign;
	}
	w_counted(w, m);
}

/* ---- what a thread sees ------------------------------------------------ */

/* The slot of an Email that lives, in its ith mailbox. */
static int
email_slot(struct work *w, struct w_email *e, size_t i, struct w_msg *g)
{
	struct w_mailbox *m;
	int rc;

	memset(g, 0, sizeof(*g));
	if ((rc = w_mailbox(w, e->row.in[i].mailbox, &m)) == 0)
		rc = w_msg(w, m, e->row.in[i].uid, g);
	return rc;
}

int
email_seen(struct work *w, struct w_email *e, struct seen *s)
{
	struct row_in *in = arena_calloc(w->a, e->row.n_in, sizeof(*in));
	struct w_msg g;
	int rc;

	s->in = in;
	s->n = 0;
	s->unread = false;
	for (size_t i = 0; i < e->row.n_in; i++) {
		if ((rc = email_slot(w, e, i, &g)) < 0)
			return rc;
		if (flags_visible(g.hot.flags))
			in[s->n++] = e->row.in[i];
		s->unread = flags_unread(g.hot.flags);
	}
	return 0;
}

/* A message on its way: the rows that tell what depends on it. */
struct part {
	struct row_cold d;
	struct w_email *e;	/* NULL: it is in this mailbox alone */
	struct w_thread *t;	/* NULL: a plain thread */
};

static int
part_seen(struct work *w, const struct w_msg *g, const struct part *p,
    struct seen *s)
{
	int rc;

	if (p->e) {
		rc = email_seen(w, p->e, s);
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "email", p->e->id) : rc;
	}
	s->one = (struct row_in){ g->m->id, g->hot.uid };
	s->in = &s->one;
	s->n = flags_visible(g->hot.flags);
	s->unread = flags_unread(g->hot.flags);
	return 0;
}

/* Loads them, and takes the Email out of the counts of its thread. */
static int
part_take(struct work *w, struct w_msg *g, struct part *p)
{
	struct seen s;
	int rc;

	p->e = NULL;
	p->t = NULL;
	if ((rc = w_msg_cold(w, g, &p->d)) < 0)
		return rc;
	if (g->hot.marks & ROW_MULTI &&
	    (rc = w_email(w, p->d.email, &p->e)) < 0)
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "email", p->d.email) : rc;
	if (!(g->hot.marks & ROW_THREADED)) {
		plain_count(w, g->m, g->hot.flags, -1);
		return 0;
	}
	if ((rc = w_thread(w, p->d.thread, &p->t)) < 0)
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "thread", p->d.thread) : rc;
	if ((rc = part_seen(w, g, p, &s)) < 0)
		return rc;
	return w_thread_count(w, p->t, &s, -1);
}

/* Puts it back, as it is now. */
static int
part_put(struct work *w, const struct w_msg *g, const struct part *p)
{
	struct seen s;
	int rc;

	if (!p->t) {
		plain_count(w, g->m, g->hot.flags, 1);
		return 0;
	}
	if ((rc = part_seen(w, g, p, &s)) < 0)
		return rc;
	return w_thread_count(w, p->t, &s, 1);
}

/* ---- flags ------------------------------------------------------------- */

/* One membership's slot. */
static int
slot_set_flags(struct work *w, struct w_msg *g, uint64_t flags)
{
	uint64_t old = g->hot.flags, changed = old ^ flags;
	struct row_cold d = { 0 };
	int rc;

	if (changed & STORE_DELETED && (rc = w_msg_cold(w, g, &d)) < 0)
		return rc;
	if (changed & (STORE_DELETED | STORE_SEEN | STORE_DRAFT)) {
		mailbox_count(w, g->m, old, d.size, -1);
		mailbox_count(w, g->m, flags, d.size, 1);
	}
	g->m->row.highestmodseq = w->modseq;
	g->m->dirty = true;
	g->hot.flags = flags;
	g->hot.modseq = w->modseq;
	w_msg_write(w, g);
	return 0;
}

static void
msg_tomb(struct work *w, const struct w_msg *g, const struct row_cold *d,
    int kind)
{
	struct row_tomb tomb = {
		.kind = kind, .mailbox = g->m->id, .uid = g->hot.uid,
		.email = d->email, .thread = d->thread,
		.flags = g->hot.flags
	};

	w_tomb(w, &tomb);
}

/*
 * The message g was to be seen by JMAP, and is (RFC 8621 section 4.1.1).
 * Where nothing else of the Email (e; NULL: it is nowhere else) is to be seen,
 * that makes it go, or come.
 */
static int
msg_sight(struct work *w, const struct w_msg *g, const struct row_cold *d,
    struct w_email *e, bool was, bool is)
{
	struct w_msg o;
	int rc;

	if (was == is)
		return 0;
	for (size_t i = 0; e && i < e->row.n_in; i++) {
		if (e->row.in[i].mailbox == g->m->id)
			continue;
		if ((rc = email_slot(w, e, i, &o)) < 0)
			return rc == STORE_E_NOTFOUND ?
			    store_corrupt(w->st, "email", e->id) : rc;
		if (flags_visible(o.hot.flags))
			return 0;
	}
	msg_tomb(w, g, d, is ? ROW_TOMB_SHOWN : ROW_TOMB_HIDDEN);
	w->head.thread_modseq = w->modseq;
	return 0;
}

/* The same keywords in all other memberships. */
static int
others_set_flags(struct work *w, const struct w_msg *g, struct w_email *e,
    uint64_t keywords)
{
	struct w_msg o;
	int rc;

	for (size_t i = 0; i < e->row.n_in; i++) {
		if (e->row.in[i].mailbox == g->m->id)
			continue;
		if ((rc = email_slot(w, e, i, &o)) < 0)
			return rc == STORE_E_NOTFOUND ?
			    store_corrupt(w->st, "email", e->id) : rc;
		rc = slot_set_flags(w, &o,
		    keywords | (o.hot.flags & STORE_DELETED));
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Does it matter to threads whether flags changes to that? */
static bool
flags_count(uint64_t old, uint64_t flags)
{
	return flags_visible(old) != flags_visible(flags) ||
	    flags_unread(old) != flags_unread(flags);
}

int
msg_set_flags(struct work *w, struct w_msg *g, uint64_t flags)
{
	uint64_t old = g->hot.flags;
	bool count = flags_count(old, flags);
	struct part p = { .e = NULL };
	int rc;

	if (old == flags)
		return 0;
	w->head.email_modseq = w->modseq;
	if (count && (rc = part_take(w, g, &p)) < 0)
		return rc;
	if (!count && g->hot.marks & ROW_MULTI) {
		if ((rc = w_msg_cold(w, g, &p.d)) < 0)
			return rc;
		if ((rc = w_email(w, p.d.email, &p.e)) < 0)
			return rc == STORE_E_NOTFOUND ?
			    store_corrupt(w->st, "email", p.d.email) : rc;
	}
	if ((rc = slot_set_flags(w, g, flags)) < 0)
		return rc;
	if (p.e && (old ^ flags) & FLAG_KEYWORDS &&
	    (rc = others_set_flags(w, g, p.e, flags & FLAG_KEYWORDS)) < 0)
		return rc;
	if (count && ((rc = part_put(w, g, &p)) < 0 ||
	    (rc = msg_sight(w, g, &p.d, p.e, flags_visible(old),
	    flags_visible(flags))) < 0))
		return rc;
	return 1;
}

int
msg_touch(struct work *w, struct w_msg *g)
{
	struct w_email *e;
	struct row_cold d;
	struct w_msg o;
	int rc;

	w->head.email_modseq = w->modseq;
	if (!(g->hot.marks & ROW_MULTI))
		return slot_set_flags(w, g, g->hot.flags);
	if ((rc = w_msg_cold(w, g, &d)) < 0)
		return rc;
	if ((rc = w_email(w, d.email, &e)) < 0)
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "email", d.email) : rc;
	for (size_t i = 0; i < e->row.n_in; i++) {
		if ((rc = email_slot(w, e, i, &o)) < 0)
			return rc == STORE_E_NOTFOUND ?
			    store_corrupt(w->st, "email", e->id) : rc;
		if ((rc = slot_set_flags(w, &o, o.hot.flags)) < 0)
			return rc;
	}
	return 0;
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

/* The slot goes, and what the mailbox counted of it. */
static void
msg_kill(struct work *w, struct w_msg *g, const struct row_cold *d, int kind)
{
	mailbox_count(w, g->m, g->hot.flags, d->size, -1);
	msg_tomb(w, g, d, kind);
	w_msg_kill(w, g);
}

int
msg_remove(struct work *w, struct w_msg *g)
{
	struct part p;
	int rc;

	if ((rc = part_take(w, g, &p)) < 0)
		return rc;
	if (p.e && p.e->row.n_in > 1) {
		msg_kill(w, g, &p.d, ROW_TOMB_REMOVED);
		in_drop(&p.e->row, g->m->id);
		w_email_dirty(w, p.e);
		rc = msg_sight(w, g, &p.d, p.e, flags_visible(g->hot.flags),
		    false);
		return rc < 0 ? rc : part_put(w, g, &p);
	}
	msg_kill(w, g, &p.d, ROW_TOMB_DESTROYED);
	w->head.size -= p.d.size;
	w->head.messages--;
	w->head.dead++;
	w->head.thread_modseq = w->modseq;
	if (p.t)
		w_member_gone(w, p.d.thread, p.d.email);
	return meta_email_drop(w, p.d.email);
}

/* ---- moving ------------------------------------------------------------ */

int
msg_move(struct work *w, struct w_msg *g, struct w_mailbox *to,
    uint64_t flags, uint32_t *uid_r)
{
	struct row_hot h = g->hot;
	struct w_msg there = { .m = to };
	struct w_email *e;
	struct part p;
	int rc;

	if (to == g->m || (flags ^ h.flags) & FLAG_KEYWORDS)
		return store_corrupt(w->st, "mailbox", to->id);
	if (to->row.uidnext == UINT32_MAX)
		return STORE_E_LIMIT;
	if ((rc = part_take(w, g, &p)) < 0)
		return rc;
	if ((rc = w_email(w, p.d.email, &e)) < 0)
		return rc == STORE_E_NOTFOUND ?
		    store_corrupt(w->st, "email", p.d.email) : rc;
	msg_kill(w, g, &p.d, ROW_TOMB_REMOVED);
	*uid_r = h.uid = to->row.uidnext++;
	h.flags = flags;
	h.modseq = w->modseq;
	p.d.saved = w->now;
	if ((rc = w_append(w, to, &h, &p.d)) < 0)
		return rc;
	mailbox_count(w, to, flags, p.d.size, 1);
	for (size_t i = 0; i < e->row.n_in; i++)
		if (e->row.in[i].mailbox == g->m->id)
			e->row.in[i] = (struct row_in){ to->id, h.uid };
	w_email_dirty(w, e);
	there.hot = h;
	rc = msg_sight(w, &there, &p.d, e, flags_visible(g->hot.flags),
	    flags_visible(flags));
	return rc < 0 ? rc : part_put(w, &there, &p);
}

/* ---- coming ------------------------------------------------------------ */

int
quota_after(struct work *w, uint64_t size, uint64_t messages)
{
	const struct row_head *h = &w->head;

	if ((h->size_limit && h->size > h->size_limit && h->size > size) ||
	    (h->message_limit && h->messages > h->message_limit &&
	    h->messages > messages))
		return STORE_E_QUOTA;
	return 0;
}

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
	struct w_msg g;
	int rc = STORE_E_NOTFOUND;

	for (size_t i = 0; i < e->row.n_in; i++) {
		if ((rc = email_slot(w, e, i, &g)) == 0)
			*flags_r = g.hot.flags & FLAG_KEYWORDS;
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
	struct w_msg g;
	int rc;

	for (size_t i = 0; i < e->row.n_in; i++) {
		if ((rc = email_slot(w, e, i, &g)) < 0)
			return rc == STORE_E_NOTFOUND ?
			    store_corrupt(w->st, "email", e->id) : rc;
		if (g.hot.marks & ROW_MULTI)
			continue;
		g.hot.marks |= ROW_MULTI | ROW_THREADED;
		w_msg_write(w, &g);
	}
	return 0;
}

/* The header of the thread, if it is to have one, without the Email. */
static int
join_thread(struct work *w, struct w_email *e, struct w_thread **t_r,
    uint8_t *marks_r)
{
	struct seen s;
	int rc;

	*t_r = NULL;
	*marks_r = 0;
	if (e->row.n_in == 0 && e->row.thread == e->id)
		return 0;
	*marks_r = ROW_THREADED;
	if ((rc = w_thread_make(w, e->row.thread, t_r)) < 0)
		return rc;
	if (e->row.n_in == 0) {
		row_u64_put(&w->st->val, (uint64_t)e->row.received);
		return work_put(w, row_key_u64_u64(ROW_K_MEMBER,
		    e->row.thread, e->id));
	}
	*marks_r |= ROW_MULTI;
	if ((rc = email_seen(w, e, &s)) < 0 ||
	    (rc = w_thread_count(w, *t_r, &s, -1)) < 0)
		return rc;
	return marks_multi(w, e);
}

int
email_join(struct work *w, struct w_email *e, struct w_mailbox *m,
    uint64_t flags, uint32_t *uid_r)
{
	struct row_hot h = { 0 };
	struct row_cold d = { 0 };
	struct w_thread *t;
	struct seen s;
	int rc;

	if (m->row.uidnext == UINT32_MAX || e->row.n_in == ROW_IN_MAX)
		return STORE_E_LIMIT;
	if ((rc = join_thread(w, e, &t, &h.marks)) < 0)
		return rc;
	*uid_r = h.uid = m->row.uidnext++;
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
	if (e->row.n_in > 0 && (rc = msg_sight(w, &(struct w_msg){ .m = m,
	    .hot = h }, &d, e, false, flags_visible(flags))) < 0)
		return rc;
	in_add(w, &e->row, m->id, h.uid);
	mailbox_count(w, m, flags, d.size, 1);
	w_email_dirty(w, e);
	if (!t) {
		plain_count(w, m, flags, 1);
		return 0;
	}
	if ((rc = email_seen(w, e, &s)) < 0)
		return rc;
	return w_thread_count(w, t, &s, 1);
}
