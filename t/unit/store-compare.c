/* t/unit/store-compare.c - compares a store with the model */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libbase/xalloc.h"
#include "t/unit/store-model.h"

static bool
unread(uint64_t f)
{
	return !(f & (STORE_SEEN | STORE_DRAFT));
}

/* ---- mailboxes: RFC 8621 section 2, word by word ----------------------- */

struct counts {
	uint32_t total, unread, unseen, deleted, threads, unread_threads;
	uint64_t size, deleted_size;
};

static uint64_t
trash_of(const struct md_box *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!b[i].gone && b[i].role == STORE_ROLE_TRASH)
			return b[i].id;
	return 0;
}

static const struct md_in *
in_of(const struct md_email *e, uint64_t mb)
{
	for (int i = 0; i < e->n_in; i++)
		if (e->in[i].mb == mb)
			return &e->in[i];
	return NULL;
}

/* In a mailbox other than not, and not \Deleted there. */
static bool
visible(const struct md_email *e, uint64_t not)
{
	for (int i = 0; i < e->n_in; i++)
		if (!e->in[i].deleted && e->in[i].mb != not)
			return true;
	return false;
}

static bool
visible_in(const struct md_email *e, uint64_t mb)
{
	const struct md_in *in = in_of(e, mb);

	return in && !in->deleted;
}

static bool
thread_unread(const struct md_email *e, size_t n, uint64_t thread, uint64_t mb,
    uint64_t trash)
{
	for (size_t i = 0; i < n; i++)
		if (e[i].thread == thread && unread(e[i].flags) &&
		    (mb == trash ? visible_in(&e[i], trash) :
		    visible(&e[i], trash)))
			return true;
	return false;
}

static void
count(const struct model *m, const struct md_email *e, size_t n, uint64_t mb,
    uint64_t trash, struct counts *c)
{
	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < n; i++) {
		const struct md_in *in = in_of(&e[i], mb);
		uint64_t size = m->c[e[i].content].n;
		bool first = true;

		if (!in)
			continue;
		c->total++;
		c->size += size;
		c->unread += unread(e[i].flags) && !in->deleted;
		c->unseen += !(e[i].flags & STORE_SEEN);
		c->deleted += in->deleted;
		c->deleted_size += in->deleted ? size : 0;
		for (size_t j = 0; j < i && first; j++)
			first = !(e[j].thread == e[i].thread &&
			    visible_in(&e[j], mb));
		if (!first || in->deleted)
			continue;
		c->threads++;
		c->unread_threads += thread_unread(e, n, e[i].thread, mb,
		    trash);
	}
}

static void
compare_box(struct model *m, const struct store_mailbox *mb)
{
	struct md_box *b = md_box(m, mb->id);
	struct counts c;

	assert_non_null(b);
	assert_int_equal(mb->parent, b->parent);
	assert_int_equal(mb->role, b->role);
	assert_int_equal(mb->subscribed, b->subscribed);
	assert_int_equal(mb->sort_order, b->sort);
	assert_int_equal(mb->name.n, strlen(b->name));
	assert_memory_equal(mb->name.p, b->name, mb->name.n);
	assert_int_equal(mb->uidnext, b->uidnext);
	count(m, m->e, m->n_e, mb->id, trash_of(m->b, m->n_b), &c);
	assert_int_equal(mb->total, c.total);
	assert_int_equal(mb->unread, c.unread);
	assert_int_equal(mb->unseen, c.unseen);
	assert_int_equal(mb->deleted, c.deleted);
	assert_int_equal(mb->threads, c.threads);
	assert_int_equal(mb->unread_threads, c.unread_threads);
	assert_int_equal(mb->size, c.size);
	assert_int_equal(mb->deleted_size, c.deleted_size);
}

/* ---- messages ---------------------------------------------------------- */

static void
compare_msgs(struct model *m, struct store *st, const struct store_mailbox *mb)
{
	struct store_msg *g;
	struct md_email *e;
	struct md_in *in;
	size_t n;

	assert_int_equal(store_msgs_load(st, mb->id, 1, UINT32_MAX, 0, &g,
	    &n), 0);
	assert_int_equal(n, mb->total);
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || g[i].uid > g[i - 1].uid);
		assert_true(g[i].modseq <= mb->highestmodseq);
		e = md_by_uid(m, mb->id, g[i].uid);
		assert_non_null(e);
		in = md_in(e, mb->id);
		assert_int_equal(g[i].flags, e->flags |
		    (in->deleted ? STORE_DELETED : 0));
		assert_true(g[i].modseq >= in->modseq);
		in->modseq = g[i].modseq;
	}
	xfree(g);
}

static void
compare_email(struct store *st, struct arena *a, const struct md_email *e,
    const struct model *m)
{
	struct store_email s;

	if (e->n_in == 0) {
		assert_int_equal(store_email_get(st, a, e->id, &s),
		    STORE_E_NOTFOUND);
		return;
	}
	assert_int_equal(store_email_get(st, a, e->id, &s), 0);
	assert_int_equal(s.thread, e->thread);
	assert_int_equal(s.flags, e->flags);
	assert_int_equal(s.received_at, e->received);
	assert_int_equal(s.size, m->c[e->content].n);
	assert_int_equal(s.n_in, e->n_in);
	for (size_t i = 0; i < s.n_in; i++) {
		const struct md_in *in = in_of(e, s.in[i].mailbox);

		assert_non_null(in);
		assert_int_equal(in->uid, s.in[i].uid);
		assert_int_equal(in->deleted, s.in[i].deleted);
		assert_int_equal(in->modseq, s.in[i].modseq);
		assert_true(s.modseq >= s.in[i].modseq);
	}
}

static void
compare_thread(struct model *m, struct store *st, struct arena *a,
    uint64_t thread)
{
	uint64_t *id, last = 0;
	int64_t when = INT64_MIN;
	size_t n, want = 0;
	int rc = store_thread_get(st, a, thread, &id, &n);

	for (size_t i = 0; i < m->n_e; i++)
		want += m->e[i].n_in > 0 && m->e[i].thread == thread;
	assert_int_equal(rc, want ? 0 : STORE_E_NOTFOUND);
	if (!want)
		return;
	assert_int_equal(n, want);
	for (size_t i = 0; i < n; i++) {
		struct md_email *e = md_email(m, id[i]);

		assert_non_null(e);
		assert_int_equal(e->thread, thread);
		assert_true(e->received > when ||
		    (e->received == when && e->id > last));
		when = e->received;
		last = e->id;
	}
}

struct seen {
	struct model *m;
	size_t n;
	uint64_t last[2];
};

static int
see(void *arg, const struct store_msg_info *g)
{
	struct seen *s = arg;
	struct md_email *e = md_email(s->m, g->email);

	assert_non_null(e);
	assert_int_equal(g->thread, e->thread);
	assert_int_equal(g->flags & ~STORE_DELETED, e->flags);
	assert_int_equal(g->received_at, e->received);
	s->n++;
	return 0;
}

static bool
first_of_thread(const struct model *m, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (m->e[j].thread == m->e[i].thread)
			return false;
	return true;
}

void
md_compare(struct model *m, struct store *st, struct arena *a)
{
	struct store_mailbox *mb;
	struct store_usage u;
	struct seen seen = { .m = m };
	uint64_t size = 0;
	size_t n, boxes = 0, emails = 0;

	assert_int_equal(store_mailbox_list(st, a, &mb, &n), 0);
	for (size_t i = 0; i < m->n_b; i++)
		boxes += !m->b[i].gone;
	assert_int_equal(n, boxes);
	for (size_t i = 0; i < n; i++) {
		compare_box(m, &mb[i]);
		compare_msgs(m, st, &mb[i]);
	}
	for (size_t i = 0; i < m->n_e; i++) {
		compare_email(st, a, &m->e[i], m);
		if (first_of_thread(m, i))
			compare_thread(m, st, a, m->e[i].thread);
	}
	for (size_t i = 0; i < m->n_e; i++)
		if (m->e[i].n_in > 0) {
			emails++;
			size += m->c[m->e[i].content].n;
		}
	assert_int_equal(store_usage(st, &u), 0);
	assert_int_equal(u.messages, emails);
	assert_int_equal(u.size, size);
	assert_int_equal(u.mailboxes, boxes);
	assert_int_equal(store_email_scan(st, 0, see, &seen), 0);
	assert_int_equal(seen.n, emails);
}

/* ---- changes ----------------------------------------------------------- */

/* An object in two states: 0 where it isn't there. */
struct obj {
	uint64_t id, then, now;
	uint64_t named_then, named_now;
	int told;		/* as enum store_change_kind + 1 */
	bool counts_only;
};
struct objs {
	struct obj *o;
	size_t n, cap;
	size_t hint;		/* the one found last: the next is near it */
};

static struct obj *
obj(struct objs *s, uint64_t id)
{
	for (size_t k = 0, i = s->hint; k < s->n; k++, i++) {
		if (i >= s->n)
			i = 0;
		if (s->o[i].id == id) {
			s->hint = i;
			return &s->o[i];
		}
	}
	if (s->n == s->cap) {
		s->cap = s->cap * 2 + 16;
		s->o = xreallocarray(s->o, s->cap, sizeof(*s->o));
	}
	memset(&s->o[s->n], 0, sizeof(*s->o));
	s->o[s->n].id = id;
	return &s->o[s->n++];
}

static uint64_t
mix(uint64_t h, uint64_t v)
{
	h ^= v + UINT64_C(0x9e3779b97f4a7c15) + (h << 6) + (h >> 2);
	return h * UINT64_C(0xff51afd7ed558ccd) | 1;
}

static uint64_t
email_digest(const struct md_email *e)
{
	uint64_t h = mix(1, e->flags), in = 0;

	for (int i = 0; i < e->n_in; i++)
		in += mix(7, e->in[i].mb);
	return mix(h, in);
}

static void
emails_digest(struct objs *s, const struct md_email *e, size_t n, bool now)
{
	for (size_t i = 0; i < n; i++)
		if (visible(&e[i], 0)) {
			struct obj *o = obj(s, e[i].id);

			*(now ? &o->now : &o->then) = email_digest(&e[i]);
		}
}

static void
threads_digest(struct objs *s, const struct md_email *e, size_t n, bool now)
{
	for (size_t i = 0; i < n; i++)
		if (visible(&e[i], 0)) {
			struct obj *o = obj(s, e[i].thread);
			uint64_t *d = now ? &o->now : &o->then;

			*d = (*d + mix(3, e[i].id)) | 1;
		}
}

static void
boxes_digest(struct objs *s, const struct model *m, const struct md_email *e,
    size_t n_e, const struct md_box *b, size_t n, bool now)
{
	struct counts c;

	for (size_t i = 0; i < n; i++) {
		struct obj *o;
		uint64_t h = 1;

		if (b[i].gone)
			continue;
		o = obj(s, b[i].id);
		for (const char *p = b[i].name; *p; p++)
			h = mix(h, (unsigned char)*p);
		h = mix(mix(h, b[i].parent), (uint64_t)b[i].role);
		h = mix(mix(h, b[i].sort), b[i].subscribed);
		*(now ? &o->named_now : &o->named_then) = h;
		count(m, e, n_e, b[i].id, trash_of(b, n), &c);
		h = mix(mix(h, c.total), c.unread);
		*(now ? &o->now : &o->then) =
		    mix(mix(h, c.threads), c.unread_threads);
	}
}

static void
told(struct objs *s, const struct store_change *c, size_t n, uint64_t since,
    bool once)
{
	for (size_t i = 0; i < n; i++) {
		size_t before = s->n;
		struct obj *o = obj(s, c[i].id);

		/* Created and destroyed in between: only over pages. */
		assert_true(s->n == before || !once);
		assert_true(!once || !o->told);
		assert_true(c[i].modseq > since);
		/* Between pages it may be hidden and shown again. */
		if (c[i].kind == STORE_CREATED && !once)
			o->told = o->then ? STORE_UPDATED + 1 :
			    STORE_CREATED + 1;
		else if (c[i].kind != STORE_UPDATED || !o->told)
			o->told = (int)c[i].kind + 1;
		o->counts_only = c[i].counts_only;
	}
}

static void
judge(const struct objs *s, bool once, bool boxes)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct obj *o = &s->o[i];

		if (!o->then && o->now)
			assert_int_equal(o->told, STORE_CREATED + 1);
		else if (o->then && !o->now)
			assert_int_equal(o->told, STORE_DESTROYED + 1);
		else if (o->then != o->now)
			assert_int_equal(o->told, STORE_UPDATED + 1);
		else if (o->then)
			assert_true(!o->told ||
			    o->told == STORE_UPDATED + 1);
		else
			assert_true(!once);
		if (boxes && once && o->then && o->now &&
		    o->named_then != o->named_now)
			assert_false(o->counts_only);
	}
}

static void
digests(struct objs *s, const struct model *m, const struct md_snap *p,
    enum store_type t)
{
	if (t == STORE_T_EMAIL) {
		emails_digest(s, p->e, p->n_e, false);
		emails_digest(s, m->e, m->n_e, true);
	} else if (t == STORE_T_THREAD) {
		threads_digest(s, p->e, p->n_e, false);
		threads_digest(s, m->e, m->n_e, true);
	} else {
		boxes_digest(s, m, p->e, p->n_e, p->b, p->n_b, false);
		boxes_digest(s, m, m->e, m->n_e, m->b, m->n_b, true);
	}
}

static void
compare_type(struct model *m, struct store *st, struct arena *a,
    const struct md_snap *p, enum store_type t)
{
	struct objs s = { NULL, 0, 0, 0 };
	struct store_change *c;
	uint64_t state = p->modseq, next;
	size_t n, max, pages = 0;
	bool more;

	digests(&s, m, p, t);
	assert_int_equal(store_changes(st, a, t, p->modseq, 0, &c, &n, &next,
	    &more), 0);
	assert_false(more);
	assert_int_equal(next, store_modseq(st));
	told(&s, c, n, p->modseq, true);
	judge(&s, true, t == STORE_T_MAILBOX);
	for (size_t i = 0; i < s.n; i++)
		s.o[i].told = 0;
	max = 1 + md_rnd(m, 5) + (n > 20 ? n / 5 : 0);
	do {
		assert_int_equal(store_changes(st, a, t, state, max, &c, &n,
		    &next, &more), 0);
		assert_true(n <= max && (n > 0 || !more));
		told(&s, c, n, p->modseq, false);
		state = next;
		assert_true(pages++ < 10000);
	} while (more);
	judge(&s, false, false);
	xfree(s.o);
}

static const struct md_email *
snap_by_uid(const struct md_snap *p, uint64_t mb, uint32_t uid)
{
	const struct md_in *in;

	for (size_t i = 0; i < p->n_e; i++)
		if ((in = in_of(&p->e[i], mb)) && in->uid == uid)
			return &p->e[i];
	return NULL;
}

static void
compare_vanished(struct model *m, struct store *st, struct arena *a,
    const struct md_snap *p, uint64_t mb)
{
	const struct md_in *in;
	uint32_t *uid;
	size_t n, j;

	assert_int_equal(store_vanished(st, a, mb, p->modseq, &uid, &n), 0);
	for (j = 0; j < n; j++) {
		assert_true(j == 0 || uid[j] > uid[j - 1]);
		assert_null(md_by_uid(m, mb, uid[j]));
	}
	for (size_t i = 0; i < p->n_e; i++) {
		if (!(in = in_of(&p->e[i], mb)) ||
		    md_by_uid(m, mb, in->uid))
			continue;
		for (j = 0; j < n && uid[j] != in->uid; j++)
			;
		assert_true(j < n);
	}
}

/* CHANGEDSINCE: exactly those with a greater modseq, and nothing is missed. */
static void
compare_since(struct model *m, struct store *st, const struct md_snap *p,
    uint64_t mb)
{
	struct store_msg *all, *some;
	size_t n_all, n, j = 0;

	assert_int_equal(store_msgs_load(st, mb, 1, UINT32_MAX, 0, &all,
	    &n_all), 0);
	assert_int_equal(store_msgs_load(st, mb, 1, UINT32_MAX, p->modseq,
	    &some, &n), 0);
	for (size_t i = 0; i < n_all; i++) {
		const struct md_email *e;
		const struct md_in *in;

		if (all[i].modseq > p->modseq) {
			assert_true(j < n && some[j].uid == all[i].uid &&
			    some[j].modseq == all[i].modseq);
			j++;
			continue;
		}
		e = snap_by_uid(p, mb, all[i].uid);
		assert_non_null(e);
		in = in_of(e, mb);
		assert_int_equal(all[i].flags,
		    e->flags | (in->deleted ? STORE_DELETED : 0));
	}
	assert_int_equal(j, n);
	xfree(all);
	xfree(some);
	(void)m;
}

void
md_compare_changes(struct model *m, struct store *st, struct arena *a,
    bool some)
{
	size_t pick = m->n_snap ? md_rnd(m, (uint32_t)m->n_snap) : 0;

	for (size_t i = 0; i < m->n_snap; i++) {
		const struct md_snap *p = &m->snap[i];

		if (some && i != pick)
			continue;
		compare_type(m, st, a, p, STORE_T_EMAIL);
		compare_type(m, st, a, p, STORE_T_THREAD);
		compare_type(m, st, a, p, STORE_T_MAILBOX);
		for (size_t j = 0; j < p->n_b; j++)
			if (!p->b[j].gone && md_box(m, p->b[j].id)) {
				compare_vanished(m, st, a, p, p->b[j].id);
				compare_since(m, st, p, p->b[j].id);
			}
	}
}
