/* t/unit/test-store-mail.c - mail comes in, is flagged, copied, expunged */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/xalloc.h"
#include "t/unit/store-world.h"

/* ---- bringing mail in -------------------------------------------------- */

static void
test_spool(void **state)
{
	static const struct { const char *in, *out; } t[] = {
		{ "", "" }, { "a", "a" }, { "a\n", "a\r\n" },
		{ "a\r\n", "a\r\n" }, { "a\r", "a\r\n" },
		{ "a\rb\nc\r\nd", "a\r\nb\r\nc\r\nd" },
		{ "\n\n", "\r\n\r\n" }, { "\r\r\n", "\r\n\r\n" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		for (size_t cut = 0; cut <= strlen(t[i].in); cut++) {
			struct store_spool *sp = store_spool_new(&f->conf,
			    true, 0);

			assert_int_equal(store_spool_add(sp, t[i].in, cut), 0);
			assert_int_equal(store_spool_add(sp, t[i].in + cut,
			    strlen(t[i].in) - cut), 0);
			assert_int_equal(store_spool_done(sp), 0);
			assert_true(slice_eq(store_spool_octets(sp),
			    S(t[i].out)));
			assert_int_equal(store_spool_size(sp),
			    strlen(t[i].out));
			assert_int_equal(store_spool_add(sp, "x", 1),
			    STORE_E_INVALID);
			store_spool_free(&sp);
			assert_null(sp);
		}
}

static void
test_spool_max(void **state)
{
	struct fixture *f = *state;
	struct store_spool *sp = store_spool_new(&f->conf, false, 10);

	assert_int_equal(store_spool_add(sp, "0123456789", 10), 0);
	assert_int_equal(store_spool_add(sp, "x", 1), STORE_E_TOOBIG);
	assert_int_equal(store_spool_add(sp, "", 0), STORE_E_TOOBIG);
	assert_int_equal(store_spool_done(sp), STORE_E_TOOBIG);
	store_spool_free(&sp);
	/* A line end that grows counts as it is stored. */
	sp = store_spool_new(&f->conf, true, 3);
	assert_int_equal(store_spool_add(sp, "ab\n", 3), STORE_E_TOOBIG);
	store_spool_free(&sp);
	f->conf.max_message = 5;
	sp = store_spool_new(&f->conf, false, 0);
	assert_int_equal(store_spool_add(sp, "012345", 6), STORE_E_TOOBIG);
	store_spool_free(&sp);
}

/* Over what is kept in memory, in odd pieces. */
static void
test_big(void **state)
{
	struct world w = world(state);
	struct store_spool *sp = store_spool_new(&w.f->conf, true, 0);
	struct store_new v = { .spool = sp, .mailboxes = &w.inbox,
	    .n_mailboxes = 1, .received_at = INT64_MIN };
	size_t n = 1500000, k;
	char *text = xmalloc(n), piece[100];
	struct store_added r;
	struct store_blob *b;
	struct slice all;

	for (size_t i = 0; i < n; i++)
		text[i] = i % 70 == 69 ? '\n' : (char)(' ' + i * i % 90);
	memcpy(text, "Subject: big\n\n", 14);
	for (size_t i = 0; i < n; i += k) {
		k = 1 + i % 7000 < n - i ? 1 + i % 7000 : n - i;
		assert_int_equal(store_spool_add(sp, text + i, k), 0);
	}
	assert_int_equal(store_spool_done(sp), 0);
	assert_int_equal(store_email_add(w.st, &v, 1, &r, NULL), 0);
	assert_true(r.size > n && r.size == store_spool_size(sp));
	assert_int_equal(store_blob_open(w.st, &r.blob, &b), 0);
	assert_int_equal(store_blob_size(b), r.size);
	assert_int_equal(store_blob_octets(b, &all), 0);
	assert_true(slice_eq(all, store_spool_octets(sp)));
	assert_int_equal(store_blob_read(b, 1000000, piece, 100), 0);
	assert_memory_equal(piece, all.p + 1000000, 100);
	assert_int_equal(store_blob_read(b, r.size - 50, piece, 51),
	    STORE_E_INVALID);
	store_blob_close(&b);
	assert_null(b);
	store_spool_free(&sp);
	xfree(text);
	world_end(&w);
}

static void
test_add_refused(void **state)
{
	struct world w = world(state);
	uint64_t two[2] = { w.inbox, w.inbox }, none = 99, before;
	struct store_new v = { .mailboxes = two, .n_mailboxes = 1 };
	struct store_added r[2];
	struct store_blobid nowhere = { { 1, 2, 3 } };
	struct store_new both[2];

	before = store_modseq(w.st);
	assert_int_equal(store_email_add(w.st, &v, 1, r, NULL),
	    STORE_E_INVALID);		/* nothing to add */
	v.spool = spool(&w, "a\r\n");
	v.n_mailboxes = 0;
	assert_int_equal(store_email_add(w.st, &v, 1, r, NULL),
	    STORE_E_INVALID);
	v.n_mailboxes = 2;
	assert_int_equal(store_email_add(w.st, &v, 1, r, NULL),
	    STORE_E_INVALID);		/* the same twice */
	v.mailboxes = &none;
	v.n_mailboxes = 1;
	assert_int_equal(store_email_add(w.st, &v, 1, r, NULL),
	    STORE_E_NOTFOUND);
	v.mailboxes = two;
	v.flags = UINT64_C(1) << 40;	/* no such keyword */
	assert_int_equal(store_email_add(w.st, &v, 1, r, NULL),
	    STORE_E_INVALID);
	v.flags = 0x20;
	assert_int_equal(store_email_add(w.st, &v, 1, r, NULL),
	    STORE_E_INVALID);
	v.flags = 0;
	/* All or none. */
	both[0] = v;
	both[1] = v;
	both[1].mailboxes = &none;
	assert_int_equal(store_email_add(w.st, both, 2, r, NULL),
	    STORE_E_NOTFOUND);
	store_spool_free(&v.spool);
	v.blob = &nowhere;
	assert_int_equal(store_email_add(w.st, &v, 1, r, NULL),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_modseq(w.st), before);
	assert_int_equal(box(&w, w.inbox).total, 0);
	world_end(&w);
}

static void
test_dedup(void **state)
{
	struct world w = world(state);
	struct store_added a, b;
	struct store_usage u;

	assert_int_equal(add_to(&w, "Subject: x\n\nsame\n", &w.inbox, 1, 0,
	    &a), 0);
	assert_int_equal(add_to(&w, "Subject: x\r\n\r\nsame\r\n", &w.box, 1, 0,
	    &b), 0);
	assert_memory_equal(&a.blob, &b.blob, sizeof(a.blob));
	assert_memory_equal(email(&w, a.email).ref, email(&w, b.email).ref,
	    16);
	assert_int_not_equal(a.email, b.email);
	assert_int_equal(store_usage(w.st, &u), 0);
	assert_int_equal(u.messages, 2);
	assert_int_equal(u.size, 2 * a.size);
	world_end(&w);
}

static void
test_quota(void **state)
{
	struct world w = world(state);
	struct store_added r = add(&w, 1, 0), r2;
	struct store_usage u;
	struct store_pair *p;
	uint32_t uid = 1;
	size_t n;

	assert_int_equal(store_quota_set(w.st, r.size * 2, 0), 0);
	assert_int_equal(store_usage(w.st, &u), 0);
	assert_int_equal(u.size_limit, r.size * 2);
	r2 = add(&w, 2, 0);
	assert_int_equal(add_to(&w, "x\r\n", &w.inbox, 1, 0, &r),
	    STORE_E_QUOTA);
	/* One Email in two mailboxes counts once; a second one doesn't. */
	assert_int_equal(store_msgs_copy(w.st, w.a, w.inbox, &uid, 1, w.box,
	    false, &p, &n, NULL), 0);
	assert_int_equal(store_msgs_copy(w.st, w.a, w.inbox, &uid, 1, w.box,
	    false, &p, &n, NULL), STORE_E_QUOTA);
	assert_int_equal(store_msgs_copy(w.st, w.a, w.inbox, &uid, 1, w.box,
	    true, &p, &n, NULL), 0);
	assert_int_equal(store_quota_set(w.st, 0, 3), 0);
	assert_int_equal(add_to(&w, "x\r\n", &w.inbox, 1, 0, &r),
	    STORE_E_QUOTA);
	uid = r2.uid;
	assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, &uid, 1, NULL),
	    0);
	assert_int_equal(add_to(&w, "x\r\n", &w.inbox, 1, 0, &r), 0);
	world_end(&w);
}

static int
replace_in(struct world *w, uint64_t from, uint32_t uid, const char *text,
    const uint64_t *to, struct store_added *r)
{
	struct store_new v = {
		.mailboxes = to, .n_mailboxes = 1, .received_at = 1000
	};
	int rc;

	v.spool = spool(w, text);
	rc = store_email_replace(w->st, &v, from, uid, r, NULL);
	store_spool_free(&v.spool);
	return rc;
}

static void
test_replace(void **state)
{
	struct world w = world(state);
	struct store_added r = add(&w, 1, STORE_DRAFT), n;
	struct store_mailbox mb;
	uint64_t before, nowhere = 77;

	/* The same mailbox; the same thread. */
	assert_int_equal(replace_in(&w, w.inbox, r.uid,
	    "Message-ID: <1@x>\r\nSubject: 1\r\n\r\nnew\r\n", &w.inbox, &n), 0);
	assert_true(n.thread == r.thread && n.email != r.email);
	assert_int_equal(n.uid, r.uid + 1);
	mb = box(&w, w.inbox);
	assert_int_equal(mb.total, 1);
	/* Another one, with the quota as full as it gets. */
	assert_int_equal(store_quota_set(w.st, n.size, 1), 0);
	assert_int_equal(replace_in(&w, w.inbox, n.uid, "Subject: x\r\n\r\n",
	    &w.box, &r), 0);
	assert_int_equal(box(&w, w.inbox).total, 0);
	assert_int_equal(box(&w, w.box).total, 1);
	/* What can't be done changes nothing. */
	before = store_modseq(w.st);
	assert_int_equal(replace_in(&w, w.box, r.uid, "Subject: much longer than "
	    "all that there was before, and than may be\r\n\r\nx\r\n", &w.box,
	    &n), STORE_E_QUOTA);
	assert_int_equal(replace_in(&w, w.box, r.uid + 1, "x\r\n", &w.box, &n),
	    STORE_E_NOTFOUND);
	assert_int_equal(replace_in(&w, w.box, r.uid, "x\r\n", &nowhere, &n),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_refresh(w.st), 0);
	assert_true(store_modseq(w.st) == before);
	assert_int_equal(box(&w, w.box).total, 1);
	world_end(&w);
}

/* ---- flags, copies, expunges ------------------------------------------- */

static void
test_flags(void **state)
{
	static const struct {
		enum store_flag_op op;
		uint64_t in, out;
		bool changes;
	} t[] = {
		{ STORE_FLAG_ADD, STORE_SEEN, STORE_SEEN, true },
		{ STORE_FLAG_ADD, STORE_SEEN, STORE_SEEN, false },
		{ STORE_FLAG_ADD, STORE_FLAGGED, STORE_SEEN | STORE_FLAGGED,
		    true },
		{ STORE_FLAG_DEL, STORE_SEEN | STORE_DRAFT, STORE_FLAGGED,
		    true },
		{ STORE_FLAG_SET, STORE_DELETED, STORE_DELETED, true },
		{ STORE_FLAG_SET, STORE_DELETED, STORE_DELETED, false },
		{ STORE_FLAG_SET, 0, 0, true },
		{ STORE_FLAG_DEL, STORE_SEEN, 0, false },
	};
	struct world w = world(state);
	struct store_msg *m;
	size_t n;
	uint64_t before;

	add(&w, 1, 0);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		before = store_modseq(w.st);
		assert_int_equal(flag(&w, w.inbox, 1, t[i].op, t[i].in), 0);
		assert_int_equal(store_modseq(w.st), before + t[i].changes);
		assert_int_equal(store_msgs_load(w.st, w.inbox, 1, 1, 0, &m,
		    &n), 0);
		assert_int_equal(n, 1);
		assert_int_equal(m->flags, t[i].out);
		assert_int_equal(box(&w, w.inbox).highestmodseq, m->modseq);
		xfree(m);
	}
	assert_int_equal(flag(&w, w.inbox, 1, STORE_FLAG_ADD, 0x20),
	    STORE_E_INVALID);
	assert_int_equal(flag(&w, w.inbox, 1, STORE_FLAG_ADD,
	    UINT64_C(1) << 63), STORE_E_INVALID);
	assert_int_equal(flag(&w, 12345, 1, STORE_FLAG_ADD, STORE_SEEN),
	    STORE_E_NOTFOUND);
	assert_int_equal(flag(&w, w.inbox, 77, STORE_FLAG_ADD, STORE_SEEN), 0);
	world_end(&w);
}

/* One Email in two mailboxes: keywords together, \Deleted apart. */
static void
test_two_mailboxes(void **state)
{
	struct world w = world(state);
	uint64_t both[2] = { w.inbox, w.box };
	struct store_added r;
	struct store_msg *m;
	struct store_email e;
	size_t n;

	assert_int_equal(add_to(&w, "Subject: a\n\n", both, 2, STORE_FLAGGED,
	    &r), 0);
	assert_int_equal(flag(&w, w.inbox, 1, STORE_FLAG_ADD,
	    STORE_SEEN | STORE_DELETED), 0);
	assert_int_equal(store_msgs_load(w.st, w.box, 1, ALL & 0xffffffff, 0,
	    &m, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(m->flags, STORE_SEEN | STORE_FLAGGED);
	assert_int_equal(m->modseq, store_modseq(w.st));
	xfree(m);
	e = email(&w, r.email);
	assert_int_equal(e.n_in, 2);
	assert_int_equal(e.flags, STORE_SEEN | STORE_FLAGGED);
	assert_true(e.in[0].deleted && !e.in[1].deleted);
	assert_int_equal(box(&w, w.inbox).deleted, 1);
	assert_int_equal(box(&w, w.box).deleted, 0);
	assert_int_equal(box(&w, w.inbox).threads, 0);
	assert_int_equal(box(&w, w.box).threads, 1);
	assert_int_equal(store_msgs_expunge(w.st, w.a, w.inbox, NULL, 0, NULL,
	    NULL, NULL), 0);
	e = email(&w, r.email);
	assert_int_equal(e.n_in, 1);
	assert_int_equal(e.modseq, store_modseq(w.st));
	world_end(&w);
}

static void
test_unchanged_since(void **state)
{
	struct world w = world(state);
	uint32_t uid[3] = { 1, 2, 3 }, *mod;
	uint64_t since, modseq;
	size_t n;

	for (int i = 0; i < 3; i++)
		add(&w, i, 0);
	since = store_modseq(w.st);
	assert_int_equal(flag(&w, w.inbox, 2, STORE_FLAG_ADD, STORE_SEEN), 0);
	assert_int_equal(store_msgs_flag(w.st, w.a, w.inbox, uid, 3,
	    STORE_FLAG_ADD, STORE_FLAGGED, since, &mod, &n, &modseq), 0);
	assert_int_equal(n, 1);
	assert_int_equal(mod[0], 2);
	assert_int_equal(modseq, store_modseq(w.st));
	assert_int_equal(store_msgs_flag(w.st, w.a, w.inbox, uid, 3,
	    STORE_FLAG_ADD, STORE_DRAFT, 0, &mod, &n, &modseq), 0);
	assert_int_equal(n, 3);
	world_end(&w);
}

static void
test_copy_move(void **state)
{
	struct world w = world(state);
	uint32_t uid[4] = { 1, 2, 3, 9 };
	struct store_added r = add(&w, 1, STORE_SEEN | STORE_DELETED);
	struct store_pair *p;
	struct store_msg *m;
	size_t n;

	add(&w, 2, 0);
	add(&w, 3, 0);
	assert_int_equal(store_msgs_copy(w.st, w.a, w.inbox, uid, 4, w.box,
	    false, &p, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_true(p[0].from == 1 && p[0].to == 1 && p[2].from == 3 &&
	    p[2].to == 3);
	assert_int_equal(email(&w, r.email).n_in, 2);
	/* There already: another Email, in the same thread. */
	assert_int_equal(store_msgs_copy(w.st, w.a, w.inbox, uid, 1, w.box,
	    false, &p, &n, NULL), 0);
	assert_int_equal(p[0].to, 4);
	assert_int_equal(box(&w, w.box).total, 4);
	assert_int_equal(box(&w, w.box).threads, 2);
	assert_int_equal(store_msgs_load(w.st, w.box, 4, 4, 0, &m, &n), 0);
	assert_int_equal(m->flags, STORE_SEEN | STORE_DELETED);
	xfree(m);
	/* The Email stays when it moves. */
	assert_int_equal(store_msgs_copy(w.st, w.a, w.inbox, uid + 1, 1,
	    w.trash, true, &p, &n, NULL), 0);
	assert_int_equal(box(&w, w.inbox).total, 2);
	/* Within a mailbox: a new UID each. */
	assert_int_equal(store_msgs_copy(w.st, w.a, w.inbox, uid, 1, w.inbox,
	    true, &p, &n, NULL), 0);
	assert_int_equal(p[0].to, 4);
	assert_int_equal(box(&w, w.inbox).total, 2);
	assert_int_equal(store_msgs_copy(w.st, w.a, w.inbox, uid, 3, 999,
	    true, &p, &n, NULL), STORE_E_NOTFOUND);
	assert_int_equal(store_msgs_copy(w.st, w.a, 999, uid, 3, w.inbox,
	    true, &p, &n, NULL), STORE_E_NOTFOUND);
	world_end(&w);
}

static void
test_expunge(void **state)
{
	struct world w = world(state);
	uint32_t uid[3] = { 1, 2, 4 }, *gone;
	uint64_t since;
	size_t n;

	for (int i = 1; i <= 4; i++)
		add(&w, i, i % 2 ? 0 : STORE_DELETED);
	since = store_modseq(w.st);
	assert_int_equal(store_msgs_expunge(w.st, w.a, w.inbox, uid, 2, &gone,
	    &n, NULL), 0);
	assert_true(n == 1 && gone[0] == 2);
	assert_int_equal(store_msgs_expunge(w.st, w.a, w.inbox, NULL, 0, &gone,
	    &n, NULL), 0);
	assert_true(n == 1 && gone[0] == 4);
	assert_int_equal(store_msgs_expunge(w.st, w.a, w.inbox, NULL, 0, &gone,
	    &n, NULL), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, uid, 3, NULL),
	    0);
	assert_int_equal(store_vanished(w.st, w.a, w.inbox, since, &gone, &n),
	    0);
	assert_true(n == 3 && gone[0] == 1 && gone[1] == 2 && gone[2] == 4);
	assert_int_equal(store_vanished(w.st, w.a, w.inbox,
	    store_modseq(w.st), &gone, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_vanished(w.st, w.a, 999, 0, &gone, &n),
	    STORE_E_NOTFOUND);
	assert_int_equal(box(&w, w.inbox).total, 1);
	assert_int_equal(box(&w, w.inbox).uidnext, 5);
	world_end(&w);
}

/* Chunks fill, grow thin and vanish; UIDs are found in all of them. */
static void
test_chunks(void **state)
{
	struct world w = world(state);
	uint32_t uid[1000];
	struct store_msg *m;
	size_t n, k = 0;

	add_many(&w, w.inbox, 0, 700);
	for (uint32_t u = 1; u <= 700; u++)
		if (u % 3 || (u > 300 && u < 560))
			uid[k++] = u;
	assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, uid, k, NULL),
	    0);
	fixture_check(w.st);
	assert_int_equal(store_msgs_load(w.st, w.inbox, 1, UINT32_MAX, 0, &m,
	    &n), 0);
	assert_int_equal(n, 700 - k);
	for (size_t i = 0; i < n; i++)
		assert_true(m[i].uid % 3 == 0 &&
		    (m[i].uid <= 300 || m[i].uid >= 560));
	xfree(m);
	assert_int_equal(store_msgs_load(w.st, w.inbox, 290, 570, 0, &m, &n),
	    0);
	assert_true(n == 8 && m[0].uid == 291 && m[n - 1].uid == 570);
	xfree(m);
	assert_int_equal(store_msgs_load(w.st, w.inbox, 301, 559, 0, &m, &n),
	    0);
	assert_true(n == 0 && m == NULL);
	add_many(&w, w.inbox, 700, 10);
	assert_int_equal(flag(&w, w.inbox, 710, STORE_FLAG_ADD,
	    STORE_SEEN), 0);
	assert_int_equal(flag(&w, w.inbox, 3, STORE_FLAG_ADD, STORE_SEEN), 0);
	assert_int_equal(box(&w, w.inbox).unread, 700 - k + 10 - 2);
	for (uint32_t u = 0; u < 1000; u++)
		uid[u] = u + 1;
	assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, uid, 1000,
	    NULL), 0);
	assert_int_equal(box(&w, w.inbox).total, 0);
	fixture_check(w.st);
	add(&w, 5000, 0);
	assert_int_equal(box(&w, w.inbox).uidnext, 712);
	world_end(&w);
}

struct scanned {
	uint32_t uid[64];
	size_t n, stop;
};

static int
scan_one(void *arg, const struct store_msg_info *m)
{
	struct scanned *s = arg;

	s->uid[s->n++] = m->uid;
	return s->n == s->stop ? 7 : 0;
}

static void
test_scan(void **state)
{
	static const struct {
		struct store_range r[3];
		size_t n, stop;
		int rc;
		uint32_t want[10];
		size_t n_want;
	} t[] = {
		{ { { 1, 3 } }, 1, 0, 0, { 1, 3 }, 2 },
		{ { { 1, 1 }, { 3, 3 }, { 5, 9 } }, 3, 0, 0,
		    { 1, 3, 5, 7, 9 }, 5 },
		{ { { 2, 2 }, { 4, 4 } }, 2, 0, 0, { 0 }, 0 },
		{ { { 597, UINT32_MAX } }, 1, 0, 0, { 597, 599 }, 2 },
		{ { { 510, 520 }, { 590, 592 } }, 2, 0, 0,
		    { 511, 513, 515, 517, 519, 591 }, 6 },
		{ { { 1, UINT32_MAX } }, 1, 3, 7, { 1, 3, 5 }, 3 },
		{ { { 700, 800 } }, 1, 0, 0, { 0 }, 0 },
		{ { { 9, 3 } }, 1, 0, 0, { 0 }, 0 },
		{ { { 0, 0 } }, 0, 0, 0, { 0 }, 0 },
	};
	struct world w = world(state);
	struct scanned s;
	uint32_t uid;

	add_many(&w, w.inbox, 0, 600);
	for (uid = 2; uid <= 600; uid += 2)
		assert_int_equal(flag(&w, w.inbox, uid, STORE_FLAG_ADD,
		    uid % 8 ? STORE_DELETED : 0), 0);
	for (uid = 8; uid <= 600; uid += 8)
		assert_int_equal(store_msgs_remove(w.st, w.a, w.inbox, &uid, 1,
		    NULL), 0);
	assert_int_equal(store_msgs_expunge(w.st, w.a, w.inbox, NULL, 0, NULL,
	    NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		s = (struct scanned){ .stop = t[i].stop };
		assert_int_equal(store_msg_scan(w.st, w.inbox, t[i].r, t[i].n,
		    scan_one, &s), t[i].rc);
		assert_int_equal(s.n, t[i].n_want);
		assert_memory_equal(s.uid, t[i].want, s.n * sizeof(uint32_t));
	}
	assert_int_equal(store_msg_scan(w.st, 999, t[0].r, 1, scan_one, &s),
	    STORE_E_NOTFOUND);
	world_end(&w);
}

/* Destroying a mailbox, renaming the inbox: what is more than one change. */
static void
test_whole_mailbox(void **state)
{
	struct world w = world(state);
	struct store_mailbox mb;
	struct store_usage u;
	uint32_t *uid;
	size_t n;
	uint64_t since;

	add_many(&w, w.inbox, 0, 300);
	since = store_modseq(w.st);
	assert_int_equal(store_mailbox_rename(w.st, w.inbox, S("old/mail")),
	    0);
	assert_int_equal(box(&w, w.inbox).total, 0);
	assert_int_equal(store_vanished(w.st, w.a, w.inbox, since, &uid, &n),
	    0);
	assert_int_equal(n, 300);
	assert_int_equal(store_mailbox_find(w.st, w.a, S("old/mail"), &mb), 0);
	assert_int_equal(mb.total, 300);
	assert_int_equal(store_mailbox_rename(w.st, w.inbox, S("old/mail")),
	    STORE_E_EXISTS);
	assert_int_equal(store_mailbox_destroy(w.st, mb.id, false),
	    STORE_E_NOTEMPTY);
	assert_int_equal(store_mailbox_destroy(w.st, mb.id, true), 0);
	assert_int_equal(store_usage(w.st, &u), 0);
	assert_int_equal(u.messages, 0);
	assert_int_equal(u.size, 0);
	assert_int_equal(store_msgs_load(w.st, mb.id, 1, 10, 0,
	    &(struct store_msg *){ NULL }, &n), STORE_E_NOTFOUND);
	world_end(&w);
}

/* ---- many, at once and in parallel ------------------------------------- */

static void
mark(struct world *w, uint64_t mb, const uint32_t *uid, size_t n,
    uint64_t flags)
{
	assert_int_equal(store_msgs_flag(w->st, w->a, mb, uid, n,
	    STORE_FLAG_ADD, flags, ALL, NULL, NULL, NULL), 0);
}

/* More than a transaction holds; ten thousand are one change. */
static void
test_large(void **state)
{
	uint32_t big = getenv("CULVER_LONG") ? 150000 : 12000, n = 0;
	uint32_t *uid = xcalloc(big, sizeof(*uid));
	struct world w = world(state);
	struct store_mailbox mb;
	struct store_pair *p;
	uint64_t before;
	size_t n_pair;

	for (uint32_t i = 0; i < big; i += 3000)
		add_many(&w, w.inbox, (int)i, 3000);
	for (uint32_t u = 1; u <= big; u += 3)
		uid[n++] = u;
	mark(&w, w.inbox, uid, n, STORE_FLAGGED);
	for (uint32_t u = 0; u < big; u++)
		uid[u] = u + 1;
	mark(&w, w.inbox, uid, big, STORE_ANSWERED);
	before = store_modseq(w.st);
	mark(&w, w.inbox, uid, 10000, STORE_SEEN | STORE_DELETED);
	assert_int_equal(store_modseq(w.st), before + 1);
	assert_int_equal(store_msgs_copy(w.st, w.a, w.inbox, uid, 10000,
	    w.box, false, &p, &n_pair, NULL), 0);
	assert_int_equal(n_pair, 10000);
	assert_int_equal(store_modseq(w.st), before + 2);
	assert_int_equal(store_msgs_expunge(w.st, w.a, w.inbox, NULL, 0, NULL,
	    NULL, NULL), 0);
	assert_int_equal(store_modseq(w.st), before + 3);
	assert_int_equal(box(&w, w.inbox).total, big - 10000);
	assert_int_equal(store_msgs_copy(w.st, w.a, w.inbox, uid, big, w.box,
	    false, &p, &n_pair, NULL), 0);
	assert_int_equal(n_pair, big - 10000);
	assert_int_equal(store_mailbox_rename(w.st, w.inbox, S("old")), 0);
	assert_int_equal(store_mailbox_find(w.st, w.a, S("old"), &mb), 0);
	assert_int_equal(mb.total, big - 10000);
	assert_true(store_idle(w.st, false) >= 0);
	assert_int_equal(store_mailbox_destroy(w.st, w.box, true), 0);
	assert_int_equal(store_mailbox_destroy(w.st, mb.id, true), 0);
	assert_true(store_idle(w.st, true) >= 0);
	xfree(uid);
	world_end(&w);
}

/* What one of several processes does to the account. */
static void
writer(struct fixture *f, uint64_t inbox, uint64_t to, int k)
{
	struct world w = { .f = f, .a = arena_new(0), .inbox = inbox };

	/* The others may commit more than the ring of transaction ids holds
	 * before an unknown end is looked up: then it ends the session. */
	f->conf.chaos_kinds = KV_CHAOS_CONFLICT;
	if (store_open(&f->conf, fixture_name(f, "x"), &w.st) != 0)
		_exit(1);
	for (int i = 0; i < 25; i++) {
		uint32_t uid[40];

		for (uint32_t u = 0; u < 40; u++)
			uid[u] = u * 3 + 1 + (uint32_t)i % 3;
		add(&w, k * 1000 + i, i % 2 ? STORE_SEEN : 0);
		mark(&w, inbox, uid, 40, STORE_FLAGGED << (k % 2));
		if (i % 5 == 4 && store_msgs_copy(w.st, w.a, inbox, uid, 7,
		    to, k == 0, NULL, NULL, NULL) != 0)
			_exit(1);
		if (i % 8 == 7 && store_msgs_remove(w.st, w.a, inbox, uid + 20,
		    5, NULL) != 0)
			_exit(1);
		if (i % 10 == 9 && store_idle(w.st, true) < 0)
			_exit(1);
	}
	store_close(&w.st);
	_exit(0);
}

static void
test_parallel(void **state)
{
	struct fixture *f = *state;
	struct world w = world(state);
	pid_t pid[3];
	int status;

	if (strstr(f->engine, "mem")) {	/* a process has its own */
		world_end(&w);
		return;
	}
	for (int k = 0; k < 3; k++)
		if ((pid[k] = fork()) == 0)
			writer(f, w.inbox, w.box, k);
	for (int k = 0; k < 3; k++) {
		assert_true(pid[k] > 0);
		assert_int_equal(waitpid(pid[k], &status, 0), pid[k]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(store_refresh(w.st), 1);
	assert_int_equal(box(&w, w.inbox).uidnext, 76);
	world_end(&w);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spool),
		cmocka_unit_test(test_spool_max),
		cmocka_unit_test(test_big),
		cmocka_unit_test(test_add_refused),
		cmocka_unit_test(test_dedup),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_replace),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_two_mailboxes),
		cmocka_unit_test(test_unchanged_since),
		cmocka_unit_test(test_copy_move),
		cmocka_unit_test(test_expunge),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_whole_mailbox),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_parallel),
	};

	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
