/* t/unit/test-store-once.c - messages that a mailbox is given once only */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libstore/store-int.h"
#include "t/unit/store-fixture.h"

#define S(s) slice_str(s)
enum { DAY = 86400 };

static uint64_t
mailbox(struct store *st, const char *path)
{
	struct arena *a = arena_new(0);
	struct store_mailbox mb;

	assert_int_equal(store_mailbox_find(st, a, S(path), &mb), 0);
	arena_free(&a);
	return mb.id;
}

static uint32_t
total(struct store *st, uint64_t id)
{
	struct arena *a = arena_new(0);
	struct store_mailbox mb;

	assert_int_equal(store_mailbox_get(st, a, id, &mb), 0);
	arena_free(&a);
	return mb.total;
}

static int
give(struct fixture *f, struct store *st, uint64_t mb, const char *name,
    int64_t now)
{
	static const char text[] = "Subject: x\r\n\r\n";
	struct store_new new = { .mailboxes = &mb, .n_mailboxes = 1,
		.received_at = now, .once = S(name), .once_s = DAY };
	int rc;

	new.spool = store_spool_new(&f->conf, true, 0);
	assert_int_equal(store_spool_add(new.spool, text, sizeof(text) - 1), 0);
	assert_int_equal(store_spool_done(new.spool), 0);
	rc = store_email_add(st, &new, 1, NULL, NULL);
	store_spool_free(&new.spool);
	return rc;
}

static size_t
rows(struct store *st)
{
	struct row_key from = row_key_kind(ROW_K_ONCE);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	struct kv_txn *t;
	size_t n = 0;

	assert_int_equal(kv_begin(st->kv, KV_RO, &t), 0);
	assert_int_equal(kv_scan_open(t, row_key(&from), row_key(&to), 0, &s),
	    0);
	while (kv_scan_next(s, &key, &val) > 0)
		n += key.n > 1;
	kv_scan_close(&s);
	kv_abort(&t);
	return n;
}

static void
test_once(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	uint64_t in = mailbox(st, "INBOX"), other = 0, modseq;
	int64_t t = 1000 * DAY;

	assert_int_equal(store_mailbox_create_path(st, S("other"),
	    STORE_ROLE_NONE, &other), 0);
	assert_int_equal(give(f, st, in, "<a>", t), 0);
	modseq = store_modseq(st);
	assert_int_equal(give(f, st, in, "<a>", t), STORE_E_EXISTS);
	assert_int_equal(give(f, st, in, "<a>", t + DAY - 1), STORE_E_EXISTS);
	assert_int_equal(store_modseq(st), modseq);
	assert_int_equal(total(st, in), 1);
	/* not the same name, mailbox, time; no name */
	assert_int_equal(give(f, st, in, "<A>", t), 0);
	assert_int_equal(give(f, st, other, "<a>", t), 0);
	assert_int_equal(give(f, st, in, "<a>", t + DAY), 0);
	assert_int_equal(give(f, st, in, "<a>", t + DAY), STORE_E_EXISTS);
	assert_int_equal(give(f, st, in, "", t), 0);
	assert_int_equal(give(f, st, in, "", t), 0);
	/* a clock that was wrong */
	assert_int_equal(give(f, st, in, "<a>", t), 0);
	assert_int_equal(total(st, in), 6);
	assert_int_equal(rows(st), 3);
	fixture_check(st);
	store_close(&st);
}

/* They don't grow for ever, and the newest are known. */
static void
test_bounds(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	uint64_t in = mailbox(st, "INBOX");
	int64_t t = 1000 * DAY;
	char name[32];

	for (int i = 0; i < 1025; i++) {
		snprintf(name, sizeof(name), "<%d>", i);
		assert_int_equal(give(f, st, in, name, t + i), 0);
	}
	assert_int_equal(rows(st), 513);
	fixture_check(st);
	assert_int_equal(give(f, st, in, "<512>", t + 1025), STORE_E_EXISTS);
	assert_int_equal(give(f, st, in, "<511>", t + 1025), 0);
	for (int i = 0; i < 511; i++) {
		snprintf(name, sizeof(name), "<n%d>", i);
		assert_int_equal(give(f, st, in, name, t + 2 * DAY), 0);
	}
	assert_int_equal(rows(st), 511);
	fixture_check(st);
	store_close(&st);
}

static void
test_repair(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	uint64_t in = mailbox(st, "INBOX"), modseq;
	struct row_key k = once_key(in, S("<b>"));
	struct kv_txn *t;

	assert_int_equal(give(f, st, in, "<a>", DAY), 0);
	if (strcmp(f->engine, "bdb") != 0) {
		store_close(&st);
		return;
	}
	assert_int_equal(kv_begin(st->kv, KV_RW, &t), 0);
	assert_int_equal(kv_put(t, row_key(&k), S("\1x")), 0);
	assert_int_equal(kv_commit(&t, &modseq), 0);
	/* that row, and the count */
	fixture_repair(f, &st, 2);
	in = mailbox(st, "INBOX");
	assert_int_equal(give(f, st, in, "<a>", DAY), STORE_E_EXISTS);
	assert_int_equal(give(f, st, in, "<b>", DAY), 0);
	fixture_check(st);
	store_close(&st);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_once), cmocka_unit_test(test_bounds),
	cmocka_unit_test(test_repair),
};

int
main(int argc, char **argv)
{
	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
