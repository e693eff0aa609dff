/* t/unit/test-store-submission.c - submissions and the outbox */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "libstore/store-int.h"
#include "t/unit/store-fixture.h"

#define S(s) slice_str(s)
#define MESSAGE "From: a@x\r\nSubject: s\r\n\r\nbody\r\n"

static struct store_added
deliver(struct store *st)
{
	struct store_spool *sp = store_spool_new(st->cf, true, 0);
	struct store_mailbox inbox;
	struct store_added added;
	struct store_new v = { .spool = sp, .n_mailboxes = 1 };
	struct arena *a = arena_new(0);

	assert_int_equal(store_mailbox_find(st, a, S("INBOX"), &inbox), 0);
	v.mailboxes = &inbox.id;
	assert_int_equal(store_spool_add(sp, MESSAGE, strlen(MESSAGE)), 0);
	assert_int_equal(store_spool_done(sp), 0);
	assert_int_equal(store_email_add(st, &v, 1, &added, NULL), 0);
	store_spool_free(&sp);
	arena_free(&a);
	return added;
}

static void
destroy_email(struct store *st, uint64_t id)
{
	struct store_email_set s = { .id = id, .destroy = true };
	int rc;

	assert_int_equal(store_email_change(st, &s, 1, &rc, NULL), 0);
	assert_int_equal(rc, 0);
}

static uint64_t
submit(struct store *st, const struct store_added *e, int64_t when)
{
	struct store_param p[2] = { { S("HOLDFOR"), S("60") },
		{ S("SMTPUTF8"), { NULL, 0 } } };
	struct store_rcpt r[2] = {
		{ .to = { .email = S("b@x") }, .reply = S("250 2.0.0 Waiting") },
		{ .to = { .email = S("c@x") } }
	};
	struct store_submission v = { .identity = 5, .email = e->email,
		.thread = e->thread, .blob = e->blob, .send_at = when,
		.next_try = when, .from = { S("a@x"), p, 2 }, .rcpt = r,
		.n_rcpt = 2 };
	uint64_t id = 0;

	assert_int_equal(store_submission_create(st, &v, &id), 0);
	return id;
}

static struct store_submission
get(struct store *st, struct arena *a, uint64_t id)
{
	struct store_submission v;

	assert_int_equal(store_submission_get(st, a, id, &v), 0);
	return v;
}

static int
find(void *arg, const char *account)
{
	return strcmp(arg, account) == 0;
}

/* Is the account in the outbox, with something due at now? */
static bool
in_outbox(struct store *st, int64_t now)
{
	int rc = store_outbox_each(st->cf, now, find, st->name);

	assert_true(rc >= 0);
	return rc == 1;
}

static void
test_states(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_added e = deliver(st);
	struct arena *a = arena_new(0);
	struct store_submission v;
	uint64_t id, modseq;

	id = submit(st, &e, 1000);
	v = get(st, a, id);
	assert_int_equal(v.undo, STORE_UNDO_PENDING);
	assert_int_equal(v.phase, STORE_PHASE_WAITING);
	assert_int_equal(v.identity, 5);
	assert_int_equal(v.email, e.email);
	assert_int_equal(v.thread, e.thread);
	assert_memory_equal(v.blob.h, e.blob.h, sizeof(v.blob.h));
	assert_int_equal(v.send_at, 1000);
	assert_int_equal(v.from.n_param, 2);
	assert_true(slice_eq(v.from.param[0].value, S("60")));
	assert_null(v.from.param[1].value.p);
	assert_int_equal(v.n_rcpt, 2);
	assert_true(slice_eq(v.rcpt[0].to.email, S("b@x")));
	assert_true(slice_eq(v.rcpt[0].reply, S("250 2.0.0 Waiting")));
	fixture_check(st);

	assert_int_equal(store_submission_destroy(st, id), STORE_E_DENIED);
	assert_int_equal(store_submission_cancel(st, id), 0);
	modseq = store_modseq(st);
	assert_int_equal(store_submission_cancel(st, id), 0);
	assert_int_equal(store_modseq(st), modseq);
	assert_int_equal(get(st, a, id).undo, STORE_UNDO_CANCELED);
	fixture_check(st);
	assert_int_equal(store_submission_destroy(st, id), 0);
	assert_int_equal(store_submission_get(st, a, id, &v),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_submission_cancel(st, id), STORE_E_NOTFOUND);

	arena_free(&a);
	store_close(&st);
}

/* By time, committed, put off, done. */
static void
test_sending(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_added e = deliver(st);
	struct arena *a = arena_new(0);
	struct store_submission v, *all;
	struct store_outbox *o;
	uint64_t id, other;
	size_t n;

	other = submit(st, &e, 3000);
	id = submit(st, &e, 2000);
	assert_int_equal(store_outbox_open(st, &o), 0);
	assert_int_equal(store_outbox_list(o, a, &all, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(all[0].id, id);
	assert_int_equal(all[1].id, other);
	assert_int_equal(store_outbox_commit(o, id), 0);
	assert_int_equal(store_submission_cancel(st, id), STORE_E_DENIED);
	assert_int_equal(get(st, a, id).phase, STORE_PHASE_COMMITTED);
	all[0].next_try = 5000;
	all[0].attempts = 1;
	all[0].rcpt[1].reply = S("451 4.3.0 Later");
	assert_int_equal(store_outbox_done(o, &all[0]), 0);
	v = get(st, a, id);
	assert_int_equal(v.undo, STORE_UNDO_PENDING);
	assert_int_equal(v.phase, STORE_PHASE_WAITING);
	assert_int_equal(v.next_try, 5000);
	assert_int_equal(v.send_at, 2000);
	assert_int_equal(v.attempts, 1);
	assert_true(slice_eq(v.rcpt[1].reply, S("451 4.3.0 Later")));
	/* some have it, some are to get it */
	v.undo = STORE_UNDO_FINAL;
	v.rcpt[0].delivered = STORE_DELIVERED_UNKNOWN;
	assert_int_equal(store_outbox_done(o, &v), 0);
	assert_int_equal(store_submission_cancel(st, id), STORE_E_DENIED);
	assert_int_equal(store_submission_destroy(st, id), STORE_E_DENIED);
	assert_int_equal(store_outbox_list(o, a, &all, &n), 0);
	assert_int_equal(n, 2);
	fixture_check(st);
	v.rcpt[1].delivered = STORE_DELIVERED_NO;
	assert_int_equal(store_outbox_done(o, &v), 0);
	v = get(st, a, id);
	assert_int_equal(v.undo, STORE_UNDO_FINAL);
	assert_int_equal(v.rcpt[0].delivered, STORE_DELIVERED_UNKNOWN);
	assert_int_equal(v.rcpt[1].delivered, STORE_DELIVERED_NO);
	assert_int_equal(store_submission_cancel(st, id), STORE_E_DENIED);
	assert_int_equal(store_submission_cancel(st, other), 0);
	assert_int_equal(store_outbox_commit(o, other), STORE_E_DENIED);
	assert_int_equal(store_outbox_list(o, a, &all, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_outbox_settle(o), 0);
	store_outbox_close(&o);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

/* The message stays as long as it is to be sent, whatever becomes of it. */
static void
test_content(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	struct store_added e = deliver(st);
	uint64_t id = submit(st, &e, 1000);
	struct store_blob *b;
	struct slice s;

	destroy_email(st, e.email);
	fixture_check(st);
	f->conf.clock_offset += 30 * 86400;
	for (int i = 0; i < 20 && store_idle(st, true) > 0; i++)
		;
	fixture_check(st);
	assert_int_equal(store_blob_open(st, &e.blob, &b), 0);
	assert_int_equal(store_blob_octets(b, &s), 0);
	assert_true(slice_eq(s, S(MESSAGE)));
	store_blob_close(&b);
	assert_int_equal(store_submission_cancel(st, id), 0);
	fixture_check(st);
	f->conf.clock_offset += 30 * 86400;
	for (int i = 0; i < 20 && store_idle(st, true) > 0; i++)
		;
	assert_int_equal(store_blob_open(st, &e.blob, &b), STORE_E_NOTFOUND);
	fixture_check(st);
	f->conf.clock_offset = 0;
	store_close(&st);
}

static void
test_limits(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_added e = deliver(st);
	static struct store_rcpt r[1001];
	struct store_submission v = { .blob = e.blob, .rcpt = r, .n_rcpt = 0,
		.from = { .email = S("") } }, *all;
	struct arena *a = arena_new(0);
	struct store_outbox *o;
	char address[255];
	uint64_t id, first;
	size_t n;

	memset(address, 'x', sizeof(address));
	for (size_t i = 0; i < 1001; i++)
		r[i] = (struct store_rcpt){ .to = { .email =
		    slice_make(address, 254) } };
	assert_int_equal(store_submission_create(st, &v, &id),
	    STORE_E_INVALID);
	v.n_rcpt = 1001;
	assert_int_equal(store_submission_create(st, &v, &id),
	    STORE_E_TOOBIG);
	v.n_rcpt = 500;
	assert_int_equal(store_submission_create(st, &v, &id),
	    STORE_E_TOOBIG);
	v.n_rcpt = 200;
	assert_int_equal(store_submission_create(st, &v, &id), 0);
	/* replies that don't fit are cut */
	v = get(st, a, id);
	for (size_t i = 0; i < 200; i++) {
		v.rcpt[i].reply = slice_make(arena_alloc(a, 600), 600);
		v.rcpt[i].delivered = STORE_DELIVERED_UNKNOWN;
	}
	v.undo = STORE_UNDO_FINAL;
	assert_int_equal(store_outbox_open(st, &o), 0);
	assert_int_equal(store_outbox_done(o, &v), 0);
	store_outbox_close(&o);
	assert_int_equal(get(st, a, id).rcpt[199].reply.n, 60);
	memset(v.blob.h, 7, sizeof(v.blob.h));
	v.n_rcpt = 1;
	assert_int_equal(store_submission_create(st, &v, &id),
	    STORE_E_NOTFOUND);

	/* what is done makes room, what is pending doesn't */
	first = submit(st, &e, 1);
	for (int i = 2; i < STORE_SUBMISSIONS_MAX; i++)
		(void)submit(st, &e, i);
	assert_int_equal(store_submission_list(st, a, &all, &n), 0);
	assert_int_equal(n, STORE_SUBMISSIONS_MAX);
	(void)submit(st, &e, 5000);
	v.blob = e.blob;
	assert_int_equal(store_submission_create(st, &v, &id), STORE_E_LIMIT);
	assert_int_equal(store_submission_cancel(st, first), 0);
	(void)submit(st, &e, 6000);
	assert_int_equal(store_submission_get(st, a, first, &v),
	    STORE_E_NOTFOUND);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_outbox(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1"), *st2;
	struct store_added e = deliver(st);
	struct arena *a = arena_new(0);
	struct store_outbox *o, *p;
	int64_t now = (int64_t)time(NULL);
	char name[STORE_ACCOUNT_MAX + 1];
	uint64_t id;

	if (!store_conf_files(&f->conf)) {
		store_close(&st);
		arena_free(&a);
		return;
	}
	snprintf(name, sizeof(name), "%s", store_account_name(st));
	assert_false(in_outbox(st, INT64_MAX));
	id = submit(st, &e, now + 5000);
	assert_true(in_outbox(st, INT64_MAX));
	assert_int_equal(store_outbox_open(st, &o), 0);
	assert_int_equal(store_outbox_open(st, &p), STORE_E_BUSY);
	assert_int_equal(store_outbox_settle(o), 0);
	assert_false(in_outbox(st, now + 4999));
	assert_true(in_outbox(st, now + 5000));
	/* an earlier one moves it forward, a later one doesn't move it back */
	(void)submit(st, &e, now + 300);
	assert_true(in_outbox(st, now + 300));
	(void)submit(st, &e, now + 9000);
	assert_true(in_outbox(st, now + 300));
	assert_false(in_outbox(st, now + 299));
	store_outbox_close(&o);

	/* one that is entered while nothing is found to do */
	assert_int_equal(store_open(&f->conf, name, &st2), 0);
	assert_int_equal(store_outbox_open(st2, &o), 0);
	assert_int_equal(store_submission_cancel(st, id), 0);
	assert_int_equal(store_outbox_settle(o), 0);
	assert_true(in_outbox(st, INT64_MAX));
	for (struct store_submission *v = NULL; ; v = NULL) {
		size_t n;

		assert_int_equal(store_outbox_list(o, a, &v, &n), 0);
		if (n == 0)
			break;
		assert_int_equal(store_submission_cancel(st, v[0].id), 0);
	}
	assert_int_equal(store_outbox_settle(o), 0);
	assert_false(in_outbox(st, INT64_MAX));
	(void)submit(st, &e, now);
	assert_true(in_outbox(st, INT64_MAX));
	/* the file was taken away: another lock is another file's */
	assert_int_equal(store_outbox_open(st, &p), 0);
	store_outbox_close(&p);
	store_outbox_close(&o);
	store_close(&st2);
	fixture_check(st);
	store_close(&st);
	assert_int_equal(store_account_delete(&f->conf, name), 0);
	assert_int_equal(store_outbox_each(&f->conf, INT64_MAX, find, name),
	    0);
	arena_free(&a);
}

static void
test_report(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_added e = deliver(st);
	struct arena *a = arena_new(0);
	struct store_rcpt told[2] = {
		{ .to = { .email = S("B@x") }, .reply = S("550 5.1.1 no"),
			.delivered = STORE_DELIVERED_NO },
		{ .to = { .email = S("c@x") }, .reply = S("x"),
			.delivered = STORE_DELIVERED_UNKNOWN }
	};
	struct store_blobid blob = { { 1 } };
	struct store_submission v;
	struct store_outbox *o;
	char envid[STORE_ENVID_TEXT], other[STORE_ENVID_TEXT];
	uint64_t id = submit(st, &e, 1000), got;

	store_submission_envid(st, id, envid);
	store_submission_envid(st, id + 1, other);
	assert_string_not_equal(envid, other);
	assert_int_equal(store_submission_from_envid(st, S(envid), &got), 0);
	assert_true(got == id);
	envid[strlen(envid) - 1] ^= 1;
	assert_int_equal(store_submission_from_envid(st, S(envid), &got),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_submission_from_envid(st, S("S1"), &got),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_submission_from_envid(st, S(""), &got),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_submission_from_envid(st, S("-"), &got),
	    STORE_E_NOTFOUND);
	/* of one that is still to be sent it can't tell */
	assert_int_equal(store_submission_report(st, id, told, 2, &blob), 0);
	v = get(st, a, id);
	assert_int_equal(v.rcpt[0].delivered, STORE_DELIVERED_QUEUED);
	assert_int_equal(v.n_dsn, 1);
	v.undo = STORE_UNDO_FINAL;
	v.rcpt[0].delivered = v.rcpt[1].delivered = STORE_DELIVERED_UNKNOWN;
	assert_int_equal(store_outbox_open(st, &o), 0);
	assert_int_equal(store_outbox_done(o, &v), 0);
	store_outbox_close(&o);
	/* the same once more is nothing new */
	assert_int_equal(store_submission_report(st, id, told, 2, &blob), 0);
	assert_int_equal(get(st, a, id).rcpt[0].delivered,
	    STORE_DELIVERED_UNKNOWN);
	blob.h[0] = 2;
	assert_int_equal(store_submission_report(st, id, told, 2, &blob), 0);
	v = get(st, a, id);
	assert_int_equal(v.rcpt[0].delivered, STORE_DELIVERED_NO);
	assert_true(slice_eq(v.rcpt[0].reply, S("550 5.1.1 no")));
	assert_int_equal(v.rcpt[1].delivered, STORE_DELIVERED_UNKNOWN);
	assert_int_equal(v.n_dsn, 2);
	assert_int_equal(v.dsn[1].h[0], 2);
	/* what is final stays */
	told[0].delivered = STORE_DELIVERED_YES;
	for (int i = 3; i <= 100; i++) {
		blob.h[0] = (unsigned char)i;
		assert_int_equal(store_submission_report(st, id, told, 2,
		    &blob), 0);
	}
	assert_int_equal(get(st, a, id).rcpt[0].delivered,
	    STORE_DELIVERED_NO);
	blob.h[0] = 101;
	assert_int_equal(store_submission_report(st, id, told, 2, &blob),
	    STORE_E_LIMIT);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_repair(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	struct store_added e = deliver(st);
	struct arena *a = arena_new(0);
	uint64_t one, two, modseq;
	struct row_key k;
	struct kv_txn *t;

	one = submit(st, &e, 1000);
	two = submit(st, &e, 1000);
	if (strcmp(f->engine, "bdb") != 0) {
		store_close(&st);
		arena_free(&a);
		return;
	}
	assert_int_equal(kv_begin(st->kv, KV_RW, &t), 0);
	k = row_key_u64(ROW_K_SUBMISSION, two);
	assert_int_equal(kv_put(t, row_key(&k), S("\1x")), 0);
	assert_int_equal(kv_commit(&t, &modseq), 0);
	/* the row, and the use of the blob that it stood for */
	fixture_repair(f, &st, 2);
	assert_int_equal(get(st, a, one).undo, STORE_UNDO_CANCELED);
	fixture_check(st);
	store_close(&st);
	arena_free(&a);
}

/* What is pending in a backup may have been sent since. */
static void
test_restore(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	struct store_added e = deliver(st);
	struct arena *a = arena_new(0);
	struct store_change *c;
	struct store_backed d;
	char name[STORE_ACCOUNT_MAX + 1], dir[128];
	struct store_backup b = { .dir = dir };
	struct store_restore r = { .dir = dir, .when = UINT64_MAX,
		.account = name, .replace = true };
	uint64_t id, final, since, to;
	struct store_outbox *o;
	struct store_submission v;
	bool more;
	size_t n;

	if (strcmp(f->engine, "bdb") != 0) {
		store_close(&st);
		arena_free(&a);
		return;
	}
	snprintf(name, sizeof(name), "%s", store_account_name(st));
	snprintf(dir, sizeof(dir), "%s/backup", f->dir);
	id = submit(st, &e, 1000);
	final = submit(st, &e, 1000);
	v = get(st, a, final);
	v.undo = STORE_UNDO_FINAL;
	v.rcpt[0].delivered = STORE_DELIVERED_UNKNOWN;
	assert_int_equal(store_outbox_open(st, &o), 0);
	assert_int_equal(store_outbox_done(o, &v), 0);
	assert_int_equal(store_backup(st, &b, &d), 0);
	v = get(st, a, id);
	v.undo = STORE_UNDO_FINAL;
	v.rcpt[0].delivered = v.rcpt[1].delivered = STORE_DELIVERED_UNKNOWN;
	assert_int_equal(store_outbox_done(o, &v), 0);
	store_outbox_close(&o);
	assert_int_equal(store_type_modseq(st, STORE_T_SUBMISSION, &since),
	    0);
	store_close(&st);
	assert_int_equal(store_restore(&f->conf, &r, &d, fixture_quiet, NULL),
	    0);
	assert_int_equal(store_open(&f->conf, name, &st), 0);
	assert_int_equal(get(st, a, id).undo, STORE_UNDO_CANCELED);
	/* some had it, nobody knows about the others */
	v = get(st, a, final);
	assert_int_equal(v.undo, STORE_UNDO_FINAL);
	assert_int_equal(v.rcpt[1].delivered, STORE_DELIVERED_UNKNOWN);
	/* clients have to look at all of it */
	assert_int_equal(store_changes(st, a, STORE_T_SUBMISSION, since, 0,
	    &c, &n, &to, &more), STORE_E_TOOOLD);
	assert_int_equal(store_changes(st, a, STORE_T_IDENTITY, since, 0,
	    &c, &n, &to, &more), STORE_E_TOOOLD);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_states), cmocka_unit_test(test_sending),
	cmocka_unit_test(test_content), cmocka_unit_test(test_report),
	cmocka_unit_test(test_limits), cmocka_unit_test(test_outbox),
	cmocka_unit_test(test_repair), cmocka_unit_test(test_restore),
};

int
main(int argc, char **argv)
{
	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
