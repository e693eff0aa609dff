/*
 * t/unit/test-store-random.c - random work on an account, compared with a model
 *
 * Usage: test-store-random [ENGINE [SEED [OPERATIONS]]].
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "t/unit/store-fixture.h"
#include "t/unit/store-model.h"

enum { UIDS = 4096 };

static struct model md;
static struct store *st, *other;	/* two handles on the account */
static struct store_conf conf;
static struct arena *arena;
static uint64_t keyword[3];
static unsigned operations = 2000;
static uint64_t seed;
static char account[100];
static int serial;

static uint64_t
any_flags(void)
{
	static const uint64_t f[] = {
		STORE_SEEN, STORE_ANSWERED, STORE_FLAGGED, STORE_DRAFT
	};
	uint64_t v = 0;

	for (int i = 0; i < 4; i++)
		if (md_rnd(&md, 3) == 0)
			v |= f[i];
	for (int i = 0; i < 3; i++)
		if (md_rnd(&md, 8) == 0)
			v |= keyword[i];
	return v;
}

/* A few different mailboxes. */
static size_t
any_boxes(uint64_t *id, size_t max)
{
	size_t n = 0, want = 1 + md_rnd(&md, 3) / 2 * md_rnd(&md, 3);

	for (size_t tries = 0; n < want && n < max && tries < 20; tries++) {
		struct md_box *b = md_box_any(&md);
		bool had = false;

		for (size_t i = 0; i < n; i++)
			had = had || id[i] == b->id;
		if (!had)
			id[n++] = b->id;
	}
	return n;
}

static struct store_spool *
spool_of(int content, bool message)
{
	const struct md_content *c = &md.c[content];
	struct store_spool *sp = store_spool_new(&conf, message, 0);

	assert_int_equal(store_spool_add(sp, c->text, c->n), 0);
	assert_int_equal(store_spool_done(sp), 0);
	return sp;
}

static void
added(const struct store_new *v, const struct store_added *r, int content)
{
	uint64_t thread = md_thread_for(&md, content);
	struct md_email *e;

	assert_int_equal(r->thread, thread ? thread : r->email);
	assert_int_equal(r->size, md.c[content].n);
	e = md_add(&md, r->email, r->thread, content,
	    v->flags & ~STORE_DELETED, v->received_at);
	for (size_t i = 0; i < v->n_mailboxes; i++) {
		uint32_t uid = md_join(&md, e, v->mailboxes[i],
		    (v->flags & STORE_DELETED) != 0);

		if (i == 0)
			assert_int_equal(r->uid, uid);
	}
}

static void
op_add(void)
{
	struct store_new v[3] = { 0 };
	struct store_added r[3];
	uint64_t boxes[3][3];
	int content[3];
	size_t n = 1 + md_rnd(&md, 3);
	uint64_t modseq;

	for (size_t i = 0; i < n; i++) {
		content[i] = (int)md_rnd(&md, MD_CONTENTS);
		v[i].spool = spool_of(content[i], true);
		v[i].n_mailboxes = any_boxes(boxes[i], 3);
		v[i].mailboxes = boxes[i];
		v[i].flags = any_flags() |
		    (md_rnd(&md, 6) ? 0 : STORE_DELETED);
		v[i].received_at = md_rnd(&md, 40);
	}
	assert_int_equal(store_email_add(st, v, n, r, &modseq), 0);
	assert_int_equal(modseq, store_modseq(st));
	for (size_t i = 0; i < n; i++) {
		added(&v[i], &r[i], content[i]);
		store_spool_free(&v[i].spool);
	}
}

/* Upload, then import of the blob; or of the blob of an Email. */
static void
op_import(void)
{
	int content = (int)md_rnd(&md, MD_CONTENTS);
	struct store_spool *sp = spool_of(content, md_rnd(&md, 2));
	struct store_blobid blob;
	struct store_new v = { 0 };
	struct store_added r;
	uint64_t boxes[3];

	assert_int_equal(store_upload(st, sp, &blob), 0);
	store_spool_free(&sp);
	if (md_rnd(&md, 4) == 0)
		return;
	v.blob = &blob;
	v.mailboxes = boxes;
	v.n_mailboxes = any_boxes(boxes, 3);
	v.flags = any_flags();
	v.received_at = md_rnd(&md, 40);
	assert_int_equal(store_email_add(st, &v, 1, &r, NULL), 0);
	assert_memory_equal(r.blob.h, blob.h, sizeof(blob.h));
	added(&v, &r, content);
}

static void
op_flag(void)
{
	struct md_box *b = md_box_any(&md);
	enum store_flag_op op = (enum store_flag_op)md_rnd(&md, 3);
	uint64_t flags = any_flags() | (md_rnd(&md, 4) ? 0 : STORE_DELETED);
	uint64_t since = md_rnd(&md, 5) ? UINT64_MAX :
	    md_rnd(&md, (uint32_t)store_modseq(st) + 1);
	uint32_t uid[UIDS], *mod;
	size_t n = md_pick(&md, b->id, 1 + md_rnd(&md, 5), uid, UIDS - 1);
	size_t n_mod, k = 0;

	uid[n] = b->uidnext + 5;	/* one that isn't there */
	assert_int_equal(store_msgs_flag(st, arena, b->id, uid, n + 1, op,
	    flags, since, &mod, &n_mod, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		struct md_email *e = md_by_uid(&md, b->id, uid[i]);
		struct md_in *in = md_in(e, b->id);
		uint64_t f = e->flags | (in->deleted ? STORE_DELETED : 0);

		if (in->modseq > since) {
			assert_true(k < n_mod && mod[k] == uid[i]);
			k++;
			continue;
		}
		f = op == STORE_FLAG_SET ? flags : op == STORE_FLAG_ADD ?
		    f | flags : f & ~flags;
		e->flags = f & ~STORE_DELETED;
		in->deleted = (f & STORE_DELETED) != 0;
	}
	assert_int_equal(k, n_mod);
}

static void
copied(struct md_email *e, struct md_box *from, struct md_box *to, bool move)
{
	bool deleted = md_in(e, from->id)->deleted;

	if (md_in(e, to->id)) {
		struct md_email *c = md_add(&md, 0, e->thread, e->content,
		    e->flags, e->received);

		md_join(&md, c, to->id, deleted);
	} else {
		md_join(&md, e, to->id, deleted);
	}
	if (move)
		md_leave(e, from->id);
}

static int
learn_id(void *arg, const struct store_msg_info *m)
{
	*(uint64_t *)arg = m->email;
	return 0;
}

static void
op_copy(void)
{
	struct md_box *from = md_box_any(&md), *to = md_box_any(&md);
	bool move = md_rnd(&md, 2);
	uint32_t uid[UIDS], first = to->uidnext;
	size_t n = md_pick(&md, from->id, 1 + md_rnd(&md, 6), uid, 400);
	size_t n_pair, old = md.n_e;
	struct store_pair *p;

	if (md.n_e > MD_EMAILS - 2000)
		return;
	assert_int_equal(store_msgs_copy(st, arena, from->id, uid, n, to->id,
	    move, &p, &n_pair, NULL), 0);
	assert_int_equal(n_pair, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(p[i].from, uid[i]);
		assert_int_equal(p[i].to, first + i);
		copied(md_by_uid(&md, from->id, uid[i]), from, to, move);
	}
	/* Learn the ids of the new Emails. */
	for (size_t i = 0; i < md.n_e - old; i++) {
		struct md_email *e = &md.e[old + i];
		struct store_range r = { e->in[0].uid, e->in[0].uid };

		assert_int_equal(store_msg_scan(st, e->in[0].mb, &r, 1,
		    learn_id, &e->id), 0);
		assert_true(e->id != 0);
	}
}

static void
op_expunge(void)
{
	struct md_box *b = md_box_any(&md);
	bool all = md_rnd(&md, 2), any = md_rnd(&md, 3) == 0;
	uint32_t uid[UIDS], *gone = NULL;
	size_t n, n_gone = 0, want = 0;

	n = md_pick(&md, b->id, all ? 1 : 1 + md_rnd(&md, 4), uid, UIDS);
	if (any)
		assert_int_equal(store_msgs_remove(st, arena, b->id, uid,
		    n /= 2, NULL), 0);
	else
		assert_int_equal(store_msgs_expunge(st, arena, b->id,
		    all ? NULL : uid, n, &gone, &n_gone, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		struct md_email *e = md_by_uid(&md, b->id, uid[i]);

		if (!any && !md_in(e, b->id)->deleted)
			continue;
		if (!any)
			assert_int_equal(gone[want], uid[i]);
		want++;
		md_leave(e, b->id);
	}
	if (!any)
		assert_int_equal(n_gone, want);
}

/* INVALID where no mailbox would be left. */
static int
change_model(const struct store_email_set *s, struct md_email *e)
{
	struct md_in in[MD_IN];
	int n = e->n_in, left = 0;

	memcpy(in, e->in, sizeof(in));
	if (s->destroy) {
		e->n_in = 0;
		return 0;
	}
	for (int i = 0; i < n; i++)
		left += !s->set_mailboxes &&
		    (s->n_del == 0 || s->mailboxes_del[0] != in[i].mb);
	for (size_t i = 0; i < s->n_add; i++)
		left += s->set_mailboxes || !md_in(e, s->mailboxes_add[i]);
	if (left == 0)
		return STORE_E_INVALID;
	e->flags = s->set_flags ? s->flags_add :
	    (e->flags | s->flags_add) & ~s->flags_del;
	/* In the order in which the store gives UIDs. */
	for (size_t i = 0; i < s->n_add; i++)
		if (!md_in(e, s->mailboxes_add[i]))
			md_join(&md, e, s->mailboxes_add[i], false);
	for (int i = 0; i < n; i++) {
		bool keep = !s->set_mailboxes;

		for (size_t j = 0; j < s->n_add; j++)
			keep = keep || s->mailboxes_add[j] == in[i].mb;
		for (size_t j = 0; j < s->n_del; j++)
			keep = keep && s->mailboxes_del[j] != in[i].mb;
		if (!keep)
			md_leave(e, in[i].mb);
	}
	return 0;
}

static void
op_change(void)
{
	struct store_email_set s[4] = { 0 };
	uint64_t add[4][3], del[4][1];
	struct md_email *e[4];
	int rc[4];
	size_t n = 0;

	for (int tries = 0; n < 4 && tries < 12 && md.n_e > 0; tries++) {
		e[n] = &md.e[md.n_e - 1 - md_rnd(&md, md.n_e > 300 ? 300 :
		    (uint32_t)md.n_e)];
		if (e[n]->n_in == 0 || (n > 0 && e[n] == e[n - 1]) ||
		    (n > 1 && e[n] == e[n - 2]) || (n > 2 && e[n] == e[0]))
			continue;
		s[n].id = e[n]->id;
		s[n].destroy = md_rnd(&md, 5) == 0;
		s[n].set_flags = md_rnd(&md, 3) == 0;
		s[n].flags_add = any_flags();
		s[n].flags_del = s[n].set_flags ? 0 :
		    any_flags() & ~s[n].flags_add;
		s[n].set_mailboxes = md_rnd(&md, 3) == 0;
		s[n].mailboxes_add = add[n];
		s[n].n_add = s[n].set_mailboxes || md_rnd(&md, 3) == 0 ?
		    any_boxes(add[n], 3) : 0;
		s[n].mailboxes_del = del[n];
		if (!s[n].set_mailboxes)
			s[n].n_del = md_rnd(&md, 2);
		del[n][0] = e[n]->in[0].mb;
		for (size_t i = 0; i < s[n].n_add; i++)
			if (add[n][i] == del[n][0])
				s[n].n_del = 0;
		n++;
	}
	assert_int_equal(store_email_change(st, s, n, rc, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(rc[i], change_model(&s[i], e[i]));
	}
}

static void
op_box_create(void)
{
	struct store_mailbox_set s = { .set_name = true, .set_parent = true };
	struct md_box *b = &md.b[md.n_b];
	int rc;

	if (md.n_b == MD_BOXES || md_boxes(&md) > MD_IN - 4)
		return;
	memset(b, 0, sizeof(*b));
	snprintf(b->name, sizeof(b->name), "box %d", serial++);
	s.name = slice_str(b->name);
	s.parent = b->parent = md_rnd(&md, 2) ? 0 : md_box_any(&md)->id;
	if (md_rnd(&md, 3) == 0) {
		s.set_role = true;
		s.role = b->role = (enum store_role)(STORE_ROLE_ARCHIVE +
		    md_rnd(&md, STORE_ROLE_ALL - STORE_ROLE_ARCHIVE));
	}
	b->subscribed = true;
	b->uidnext = 1;
	rc = store_mailbox_create(st, &s, &b->id);
	for (size_t i = 0; i < md.n_b; i++)
		if (!md.b[i].gone && b->role && md.b[i].role == b->role) {
			assert_int_equal(rc, STORE_E_EXISTS);
			return;
		}
	assert_int_equal(rc, 0);
	md.n_b++;
}

/* The trash goes to and fro. */
static void
op_box_role(void)
{
	struct store_mailbox_set s = { .set_role = true };
	struct md_box *b = md_box_any(&md);

	for (size_t i = 0; i < md.n_b; i++)
		if (!md.b[i].gone && md.b[i].role == STORE_ROLE_TRASH) {
			assert_int_equal(store_mailbox_update(st, md.b[i].id,
			    &s), 0);
			md.b[i].role = STORE_ROLE_NONE;
		}
	if (b->role == STORE_ROLE_INBOX || md_rnd(&md, 4) == 0)
		return;
	s.role = STORE_ROLE_TRASH;
	assert_int_equal(store_mailbox_update(st, b->id, &s), 0);
	b->role = STORE_ROLE_TRASH;
}

static void
op_box_update(void)
{
	struct store_mailbox_set s = { .set_name = true, .set_sort = true };
	struct md_box *b = md_box_any(&md);

	if (b->role == STORE_ROLE_INBOX)
		return;
	snprintf(b->name, sizeof(b->name), "name %d", serial++);
	s.name = slice_str(b->name);
	s.sort_order = b->sort = md_rnd(&md, 5);
	s.set_subscribed = true;
	s.subscribed = b->subscribed = md_rnd(&md, 2);
	assert_int_equal(store_mailbox_update(st, b->id, &s), 0);
}

static void
op_box_destroy(void)
{
	struct md_box *b = md_box_any(&md);
	bool with_mail = md_rnd(&md, 3) > 0;
	size_t mail = 0;
	int rc = store_mailbox_destroy(st, b->id, with_mail);

	for (size_t i = 0; i < md.n_e; i++)
		mail += md_in(&md.e[i], b->id) != NULL;
	if (b->role == STORE_ROLE_INBOX) {
		assert_int_equal(rc, STORE_E_DENIED);
		return;
	}
	if (md_child(&md, b->id) || (mail > 0 && !with_mail)) {
		assert_int_equal(rc, md_child(&md, b->id) ?
		    STORE_E_HASCHILD : STORE_E_NOTEMPTY);
		return;
	}
	assert_int_equal(rc, 0);
	for (size_t i = 0; i < md.n_e; i++)
		if (md_in(&md.e[i], b->id))
			md_leave(&md.e[i], b->id);
	b->gone = true;
}

static void
op_idle(void)
{
	/* What was destroyed is kept, and still counts in threading, until the
	 * retention is over. */
	bool over = md_rnd(&md, 2) == 0;

	if (over)
		conf.clock_offset += conf.retention_s + 2;
	assert_true(store_idle(st, true) >= 0);
	if (over)
		md_swept(&md);
}

static void
op_reopen(void)
{
	char id[17];

	memcpy(id, store_account_id(st), sizeof(id));
	store_close(&st);
	assert_int_equal(store_open(&conf, account, &st), 0);
	assert_string_equal(id, store_account_id(st));
}

/* What was done through one handle is seen through the other. */
static void
swap_handles(void)
{
	struct store *was = st;
	bool behind;

	if (md_rnd(&md, 3) > 0)
		return;
	st = other;
	other = was;
	behind = store_modseq(st) != store_modseq(other);
	assert_int_equal(store_refresh(st), behind);
	assert_int_equal(store_modseq(st), store_modseq(other));
}

static void
fault(void *arg, const char *text)
{
	(void)arg;
	print_message("# fault: %s\n", text);
}

static void
check(void)
{
	size_t n;

	assert_int_equal(store_check(st, true, fault, NULL, &n), 0);
	assert_int_equal(n, 0);
}

static const struct {
	void (*fn)(void);
	unsigned weight;
} ops[] = {
	{ op_add, 12 }, { op_import, 3 }, { op_flag, 12 }, { op_copy, 8 },
	{ op_expunge, 8 }, { op_change, 10 }, { op_box_create, 2 },
	{ op_box_role, 2 }, { op_box_update, 1 }, { op_box_destroy, 1 },
	{ op_idle, 2 }, { op_reopen, 1 }
};

static void
op_any(void)
{
	unsigned total = 0, r;
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		total += ops[i].weight;
	r = md_rnd(&md, total);
	for (i = 0; r >= ops[i].weight; i++)
		r -= ops[i].weight;
	ops[i].fn();
}

static void
load_boxes(void)
{
	struct store_mailbox *mb;
	size_t n;

	assert_int_equal(store_mailbox_list(st, arena, &mb, &n), 0);
	for (size_t i = 0; i < n; i++) {
		struct md_box *b = &md.b[md.n_b++];

		b->id = mb[i].id;
		b->role = mb[i].role;
		memcpy(b->name, mb[i].name.p, mb[i].name.n);
		b->uidnext = 1;
		b->subscribed = true;
	}
}

static void
test_random(void **state)
{
	struct fixture *f = *state;

	conf = f->conf;
	conf.retention_s = 60;
	arena = arena_new(0);
	md_init(&md, seed);
	print_message("# engine %s seed %llu\n", f->engine,
	    (unsigned long long)seed);
	snprintf(account, sizeof(account), "%s", fixture_name(f, "random"));
	assert_int_equal(store_account_create(&conf, account), 0);
	assert_int_equal(store_open(&conf, account, &st), 0);
	assert_int_equal(store_open(&conf, account, &other), 0);
	load_boxes();
	for (int i = 0; i < 3; i++) {
		char name[] = "key0";

		name[3] = (char)('a' + i);
		assert_int_equal(store_keyword_bit(st, slice_str(name), true,
		    &keyword[i]), 0);
	}
	for (unsigned i = 0; i < operations; i++) {
		/* Now and then what is done is cut into many changes. */
		conf.change_max = md_rnd(&md, 4) ? 0 : md_rnd(&md, 4000);
		op_any();
		arena_reset(arena);
		swap_handles();
		md_compare(&md, st, arena);
		if (i % 8 == 0) {
			md_compare_changes(&md, st, arena, i % 64 != 0);
			md_remember(&md, st);
		}
		if (i % 50 == 0)
			check();
	}
	check();
	store_close(&st);
	store_close(&other);
	md_release(&md);
	arena_free(&arena);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random)
	};

	random_bytes(&seed, sizeof(seed));
	seed %= 1000000;
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	if (argc > 3)
		operations = (unsigned)strtoul(argv[3], NULL, 10);
	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
