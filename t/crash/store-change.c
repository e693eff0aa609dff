/* t/crash/store-change.c - random changes whose outcome is promised */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libbase/arena.h"
#include "libbase/xalloc.h"
#include "t/crash/store-crash.h"

/* ---- a change, from its promise to its acknowledgement ------------------ */

static struct worker *
me(const struct job *j)
{
	return &ss->w[j->w];
}

static const struct model *
now(const struct job *j)
{
	return &me(j)->m[me(j)->state & 1];
}

/* How it will be, to be filled in. */
static struct model *
next(const struct job *j)
{
	int s = me(j)->state & 1;

	me(j)->m[!s] = me(j)->m[s];
	return &me(j)->m[!s];
}

static void
attempt(const struct job *j)
{
	me(j)->state |= 2;
	disk_fail(j->failing);
}

/* modseq 0: the change has none of its own, or it isn't known. */
static void
acked(struct job *j, uint64_t modseq)
{
	if (modseq > 0 && modseq < MODSEQS) {
		if (ss->modseq_used[modseq]++ != 0)
			crash_fault("worker %d: modseq %llu was given before",
			    j->w, (unsigned long long)modseq);
		if (modseq <= me(j)->acked_modseq)
			crash_fault("worker %d: modseq %llu after %llu", j->w,
			    (unsigned long long)modseq, (unsigned long long)
			    me(j)->acked_modseq);
		me(j)->acked_modseq = modseq;
	}
	sh->commits++;
}

/* What came of it. */
static bool
outcome(struct job *j, int rc, uint64_t modseq, const char *what)
{
	int s = me(j)->state & 1;

	disk_fail(false);
	snprintf(me(j)->said[me(j)->n_said++ % 8], 160,
	    "pid %d: %s: %d, modseq %llu, now %llu%s%s", (int)getpid(), what,
	    rc, (unsigned long long)modseq,
	    (unsigned long long)store_modseq(j->st), rc < 0 ? ": " : "",
	    rc < 0 ? store_errmsg(j->st) : "");
	switch (rc) {
	case 0:
		me(j)->state = !s;
		acked(j, modseq);
		store_learn(j, &me(j)->m[!s]);
		return true;
	case STORE_E_IO:
	case STORE_E_NOSPACE:
	case STORE_E_BUSY:
		me(j)->state = s;
		sh->failed_calls++;
		return false;
	case STORE_E_UNKNOWN:
	case STORE_E_FENCED:
		/* The next process sees what happened. */
		_exit(3);
	default:
		crash_fault("worker %d: %s: %d %s", j->w, what, rc,
		    store_errmsg(j->st));
		_exit(3);
	}
}

/* ---- choosing ----------------------------------------------------------- */

static bool
box_there(const struct model *m, int place)
{
	return place == COMMON || m->box[place].there;
}

static int
random_place(const struct model *m)
{
	int p = (int)crash_rand(PLACES);

	return box_there(m, p) ? p : COMMON;
}

/* Up to max messages that are in the place (and not in `without`, -1: any), by
 * UID. */
static size_t
choose(const struct model *m, int place, int without, size_t max, size_t *i_r)
{
	size_t n = 0, first = crash_rand(MSGS);

	for (size_t k = 0; k < MSGS && n < max; k++) {
		const struct m_msg *g = &m->msg[(first + k) % MSGS];

		if (g->content != 0 && g->uid[place] != 0 &&
		    g->uid[place] != UID_UNKNOWN &&
		    (without < 0 || g->uid[without] == 0))
			i_r[n++] = (first + k) % MSGS;
	}
	for (size_t a = 1; a < n; a++)
		for (size_t b = a; b > 0 && m->msg[i_r[b]].uid[place] <
		    m->msg[i_r[b - 1]].uid[place]; b--) {
			size_t t = i_r[b];

			i_r[b] = i_r[b - 1];
			i_r[b - 1] = t;
		}
	return n;
}

static void
uids_of(const struct model *m, int place, const size_t *i, size_t n,
    uint32_t *uid)
{
	for (size_t k = 0; k < n; k++)
		uid[k] = m->msg[i[k]].uid[place];
}

static uint64_t
random_flags(const struct job *j)
{
	uint64_t f = crash_rand(32) & (STORE_SEEN | STORE_ANSWERED |
		STORE_FLAGGED | STORE_DRAFT);

	return f | (crash_rand(2) == 0 ? ss->keyword[j->w] : 0);
}

static void
leave(struct m_msg *g, int place)
{
	bool any = false;

	g->uid[place] = 0;
	g->deleted[place] = false;
	for (int p = 0; p < PLACES; p++)
		any |= g->uid[p] != 0;
	if (!any)
		g->content = 0;
}

static int
slot_free(const struct model *m)
{
	for (int i = 0; i < MSGS; i++)
		if (m->msg[i].content == 0)
			return i;
	return -1;
}

static uint64_t
content_new(struct job *j)
{
	return ++me(j)->contents * 16 + (uint64_t)j->w;
}

/* ---- bringing mail in --------------------------------------------------- */

static struct store_spool *
spool(struct job *j, uint64_t content)
{
	struct slice s = content_text(j->a, content);
	struct store_spool *sp = store_spool_new(&j->conf, true, 0);

	if (store_spool_add(sp, s.p, s.n) < 0 || store_spool_done(sp) < 0) {
		sh->failed_calls++;
		store_spool_free(&sp);
	}
	return sp;
}

/* Fills in a message that is to come, in the model and for the store. */
static void
new_message(struct job *j, struct model *m, int slot, uint64_t content,
    struct store_new *v)
{
	struct m_msg *g = &m->msg[slot];
	uint64_t *in = arena_alloc(j->a, PLACES * sizeof(*in));
	uint32_t mask = crash_rand(1 << PLACES);

	memset(g, 0, sizeof(*g));
	g->content = content;
	for (int p = 0; p < PLACES; p++)
		if ((mask & 1U << p) && box_there(m, p)) {
			in[v->n_mailboxes++] = place_id(m, p);
			g->uid[p] = UID_UNKNOWN;
		}
	if (v->n_mailboxes == 0) {
		in[v->n_mailboxes++] = ss->common;
		g->uid[COMMON] = UID_UNKNOWN;
	}
	v->mailboxes = in;
	v->flags = g->flags = random_flags(j);
	v->received_at = (int64_t)content;
}

static void
add_result(struct job *j, struct model *m, const int *slot, size_t n,
    const struct store_added *r, uint64_t modseq)
{
	for (size_t i = 0; i < n; i++) {
		m->msg[slot[i]].email = r[i].email;
		if (r[i].email >> 20 != modseq)
			crash_fault("worker %d: Email %llx of modseq %llu",
			    j->w, (unsigned long long)r[i].email,
			    (unsigned long long)modseq);
	}
}

static void
op_add(struct job *j)
{
	size_t want = crash_rand(5) == 0 ? 3 : 1, n = 0;
	struct model *m = next(j);
	struct store_new v[3] = { { .spool = NULL } };
	struct store_added r[3];
	uint64_t modseq = 0;
	int slot[3], rc = 0;

	while (n < want && (slot[n] = slot_free(m)) >= 0) {
		uint64_t content = content_new(j);

		if ((v[n].spool = spool(j, content)) == NULL)
			break;
		new_message(j, m, slot[n], content, &v[n]);
		n++;
	}
	if (n == want) {
		attempt(j);
		rc = store_email_add(j->st, v, n, r, &modseq);
		if (rc == 0)
			add_result(j, m, slot, n, r, modseq);
		(void)outcome(j, rc, modseq, "add");
	}
	for (size_t i = 0; i < n; i++)
		store_spool_free(&v[i].spool);
}

static void
op_upload(struct job *j)
{
	struct model *m = next(j);
	struct store_conf brief = j->conf;
	struct store_blobid id;
	struct store_spool *sp;
	bool keep = crash_rand(3) != 0;
	size_t i = 0;
	uint64_t content = content_new(j);

	brief.upload_ttl_s = 1;
	while (keep && i < UPLOADS && m->upload[i] != 0)
		i++;
	if (i == UPLOADS || (sp = spool(j, content)) == NULL)
		return;
	if (keep) {
		m->upload[i] = content;
		attempt(j);
		(void)outcome(j, store_upload(j->st, sp, &id), 0, "upload");
	} else {	/* one that may go soon */
		struct store *st;

		if (store_open(&brief, STORE_CRASH_ACCOUNT, &st) == 0) {
			(void)store_upload(st, sp, &id);
			store_close(&st);
		}
	}
	store_spool_free(&sp);
}

/* An upload becomes an Email. */
static void
op_import(struct job *j)
{
	struct model *m = next(j);
	int slot = slot_free(m), rc;
	struct store_new v = { .spool = NULL };
	struct store_added r;
	struct store_blobid id;
	struct store_spool *sp;
	uint64_t modseq = 0;
	size_t i = crash_rand(UPLOADS);

	if (slot < 0 || m->upload[i] == 0)
		return;
	if ((sp = spool(j, m->upload[i])) == NULL)
		return;
	rc = store_upload(j->st, sp, &id);	/* the same id as before */
	store_spool_free(&sp);
	if (rc < 0) {
		(void)outcome(j, rc, 0, "upload");
		return;
	}
	new_message(j, m, slot, m->upload[i], &v);
	m->upload[i] = 0;
	v.blob = &id;
	attempt(j);
	rc = store_email_add(j->st, &v, 1, &r, &modseq);
	if (rc == 0)
		add_result(j, m, &slot, 1, &r, modseq);
	(void)outcome(j, rc, modseq, "import");
}

/* ---- flags, copies, and out --------------------------------------------- */

static void
op_flag(struct job *j)
{
	struct model *m = next(j);
	int place = random_place(m);
	enum store_flag_op op = (enum store_flag_op)crash_rand(3);
	uint64_t f = random_flags(j), modseq = 0;
	size_t i[4], n = choose(m, place, -1, crash_rand(4) + 1, i);
	bool changes = false;
	uint32_t uid[4];

	if (crash_rand(3) == 0)
		f |= STORE_DELETED;
	uids_of(m, place, i, n, uid);
	for (size_t k = 0; k < n; k++) {
		struct m_msg *g = &m->msg[i[k]];
		uint64_t old = g->flags |
		    (g->deleted[place] ? STORE_DELETED : 0), new;

		new = op == STORE_FLAG_SET ? f : op == STORE_FLAG_ADD ?
		    old | f : old & ~f;
		changes |= new != old;
		g->flags = new & ~STORE_DELETED;
		g->deleted[place] = (new & STORE_DELETED) != 0;
	}
	if (n == 0)
		return;
	attempt(j);
	(void)outcome(j, store_msgs_flag(j->st, j->a, place_id(m, place), uid, n,
		op, f, UINT64_MAX, NULL, NULL, &modseq),
	    changes ? modseq : 0, "flag");
}

/* Another's message in the common mailbox; the keyword isn't promised. */
static void
op_touch(struct job *j)
{
	uint64_t f = ss->keyword[WORKERS];
	struct store_msg *m;
	uint32_t uid;
	size_t n;

	if (store_msgs_load(j->st, ss->common, 1, UINT32_MAX, 0, &m, &n) == 0 &&
	    n > 0) {
		uid = m[crash_rand((uint32_t)n)].uid;
		if (store_msgs_flag(j->st, j->a, ss->common, &uid, 1,
			crash_rand(2) == 0 ? STORE_FLAG_ADD : STORE_FLAG_DEL, f,
			UINT64_MAX, NULL, NULL, NULL) == STORE_E_UNKNOWN)
			_exit(3);
	}
	xfree(m);
}

static void
op_copy(struct job *j, bool move)
{
	struct model *m = next(j);
	int from = random_place(m), to = random_place(m), rc;
	size_t i[4], n = choose(m, from, to, crash_rand(3) + 1, i), n_pairs;
	struct store_pair *pair;
	uint64_t modseq = 0;
	uint32_t uid[4];

	if (n == 0 || from == to)
		return;
	uids_of(m, from, i, n, uid);
	for (size_t k = 0; k < n; k++) {
		struct m_msg *g = &m->msg[i[k]];

		g->uid[to] = UID_UNKNOWN;
		g->deleted[to] = g->deleted[from];
		if (move)
			leave(g, from);
	}
	attempt(j);
	rc = store_msgs_copy(j->st, j->a, place_id(m, from), uid, n,
	    place_id(m, to), move, &pair, &n_pairs, &modseq);
	if (rc == 0 && n_pairs != n)
		crash_fault("worker %d: %zu copies of %zu", j->w, n_pairs, n);
	(void)outcome(j, rc, modseq, "copy");
}

static void
op_remove(struct job *j, bool expunge)
{
	struct model *m = next(j);
	int place = random_place(m);
	size_t i[4], n = choose(m, place, -1, crash_rand(4) + 1, i), gone = 0;
	size_t n_gone;
	uint64_t modseq = 0, id = place_id(m, place);
	uint32_t uid[4], *uids;
	int rc;

	uids_of(m, place, i, n, uid);
	for (size_t k = 0; k < n; k++)
		if (!expunge || m->msg[i[k]].deleted[place]) {
			leave(&m->msg[i[k]], place);
			gone++;
		}
	if (gone == 0)
		return;
	attempt(j);
	rc = expunge ? store_msgs_expunge(j->st, j->a, id, uid, n, &uids,
	    &n_gone, &modseq) :
	    store_msgs_remove(j->st, j->a, id, uid, n, &modseq);
	if (rc == 0 && expunge && n_gone != gone)
		crash_fault("worker %d: %zu expunged of %zu", j->w, n_gone,
		    gone);
	(void)outcome(j, rc, modseq, "remove");
}

/* One Email's new memberships. */
static void
set_places(struct job *j, struct model *m, struct m_msg *g,
    struct store_email_set *s)
{
	uint64_t *in = arena_alloc(j->a, PLACES * sizeof(*in));

	s->set_mailboxes = true;
	for (int p = 0; p < PLACES; p++)
		if (box_there(m, p) && crash_rand(2) == 0)
			in[s->n_add++] = place_id(m, p);
	if (s->n_add == 0)
		in[s->n_add++] = ss->common;
	s->mailboxes_add = in;
	for (int p = 0; p < PLACES; p++) {
		bool is = false;

		for (size_t k = 0; k < s->n_add; k++)
			is |= box_there(m, p) && in[k] == place_id(m, p);
		if (is && g->uid[p] == 0)
			g->uid[p] = UID_UNKNOWN;
		if (!is) {
			g->uid[p] = 0;
			g->deleted[p] = false;
		}
	}
}

static void
op_change(struct job *j)
{
	struct model *m = next(j);
	struct store_email_set s[3] = { { .id = 0 } };
	size_t first = crash_rand(MSGS), want = crash_rand(3) + 1, n = 0;
	uint64_t modseq = 0;
	int rc, each[3];

	for (size_t k = 0; k < MSGS && n < want; k++) {
		struct m_msg *g = &m->msg[(first + k) % MSGS];

		if (g->content == 0 || g->email == 0)
			continue;
		s[n].id = g->email;
		if (crash_rand(5) == 0) {
			s[n].destroy = true;
			memset(g, 0, sizeof(*g));
		} else if (crash_rand(2) == 0)
			set_places(j, m, g, &s[n]);
		else {
			s[n].set_flags = true;
			s[n].flags_add = g->flags = random_flags(j);
		}
		n++;
	}
	if (n == 0)
		return;
	attempt(j);
	rc = store_email_change(j->st, s, n, each, &modseq);
	for (size_t k = 0; rc == 0 && k < n; k++)
		if (each[k] != 0)
			crash_fault("worker %d: Email %llx: %d; %s", j->w,
			    (unsigned long long)s[k].id, each[k],
			    store_errmsg(j->st));
	(void)outcome(j, rc, 0, "change");
}

/* ---- mailboxes ---------------------------------------------------------- */

static void
op_box(struct job *j)
{
	struct model *m = next(j);
	int p = (int)crash_rand(BOXES), rc;
	struct m_box *b = &m->box[p];
	struct store_mailbox_set s = { .set_name = true };
	char name[40];
	uint64_t id = b->id;

	if (b->there && crash_rand(4) == 0) {
		b->there = false;
		for (int i = 0; i < MSGS; i++)
			if (m->msg[i].content != 0 && m->msg[i].uid[p] != 0)
				leave(&m->msg[i], p);
		attempt(j);
		rc = store_mailbox_destroy(j->st, id, true);
		(void)outcome(j, rc, 0, "destroy");
		return;
	}
	/* Also a name that was there before. */
	if (b->there || b->serial == 0 || crash_rand(2) == 0)
		b->serial = ++me(j)->names;
	box_name(j->w, b->serial, name);
	s.name = slice_str(name);
	if (b->there) {
		attempt(j);
		rc = crash_rand(2) == 0 ? store_mailbox_update(j->st, id, &s) :
		    store_mailbox_rename(j->st, id, s.name);
	} else {
		b->there = true;
		b->old_validity = b->uidvalidity;
		b->uidvalidity = 0;
		b->id = 0;
		b->last_uid = 0;
		attempt(j);
		rc = store_mailbox_create(j->st, &s, &id);
		if (rc == 0)
			b->id = id;
	}
	(void)outcome(j, rc, 0, "mailbox");
}

static void
op_quota(struct job *j)
{
	struct model *m = next(j);

	m->quota = (UINT64_C(1) << 40) + crash_rand(100000);
	attempt(j);
	(void)outcome(j, store_quota_set(j->st, m->quota, 0), 0, "quota");
}

void
store_change(struct job *j)
{
	uint32_t what = crash_rand(40);
	bool full = slot_free(now(j)) < 0;

	if (full && what < 14)
		what = 24 + what;
	if (what < 12)
		op_add(j);
	else if (what < 13)
		op_upload(j);
	else if (what < 14)
		op_import(j);
	else if (what < 21)
		op_flag(j);
	else if (what < 22)
		op_touch(j);
	else if (what < 24)
		op_copy(j, true);
	else if (what < 26)
		op_copy(j, false);
	else if (what < 30)
		op_remove(j, true);
	else if (what < 32)
		op_remove(j, false);
	else if (what < 36)
		op_change(j);
	else if (what < 38)
		op_box(j);
	else if (j->w == 0)
		op_quota(j);
}
