/* t/unit/test-store-subscription.c - names that outlive their mailboxes */
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

static uint64_t
make(struct store *st, const char *path)
{
	uint64_t id;

	assert_int_equal(store_mailbox_create_path(st, S(path),
	    STORE_ROLE_NONE, &id), 0);
	return id;
}

static int
subscribe(struct store *st, const char *path, bool on)
{
	return store_subscribe(st, S(path), on);
}

static bool
has(struct store *st, const char *path)
{
	struct arena *a = arena_new(0);
	struct store_mailbox mb;
	bool on;

	assert_int_equal(store_mailbox_find(st, a, S(path), &mb), 0);
	on = mb.subscribed;
	arena_free(&a);
	return on;
}

static bool
kept(struct store *st, const char *path, size_t n_all)
{
	struct arena *a = arena_new(0);
	struct slice *p;
	bool found = false;
	size_t n;

	assert_int_equal(store_subscriptions(st, a, &p, &n), 0);
	assert_int_equal(n, n_all);
	for (size_t i = 0; i < n; i++)
		found = found || slice_eq(p[i], S(path));
	arena_free(&a);
	return found;
}

static void
test_delete(void **state)
{
	struct store *st = fixture_account(*state, "x");
	uint64_t id = make(st, "inbox/a");

	assert_int_equal(subscribe(st, "nothing", true), STORE_E_NOTFOUND);
	assert_int_equal(subscribe(st, "nothing", false), STORE_E_NOTFOUND);
	assert_int_equal(subscribe(st, "a//b", true), STORE_E_NOTFOUND);
	/* Not subscribed: nothing stays. */
	assert_int_equal(store_mailbox_delete(st, id), 0);
	assert_false(kept(st, "INBOX/a", 0));
	id = make(st, "INBOX/a");
	assert_int_equal(subscribe(st, "INBOX/a", true), 0);
	assert_true(has(st, "INBOX/a"));
	assert_int_equal(store_mailbox_delete(st, id), 0);
	assert_true(kept(st, "INBOX/a", 1));
	fixture_check(st);
	assert_int_equal(subscribe(st, "Inbox/a", true), 0);
	assert_true(kept(st, "INBOX/a", 1));
	/* Who takes the name has the subscription. */
	id = make(st, "inbox/a/b");
	assert_true(has(st, "INBOX/a"));
	assert_false(has(st, "INBOX/a/b"));
	assert_false(kept(st, "", 0));
	/* JMAP's way of destroying takes it along. */
	assert_int_equal(subscribe(st, "inbox/a/b", true), 0);
	assert_int_equal(store_mailbox_destroy(st, id, true), 0);
	assert_false(kept(st, "", 0));
	make(st, "inbox/a/b");
	assert_false(has(st, "inbox/a/b"));
	fixture_check(st);
	store_close(&st);
}

static void
test_unsubscribe(void **state)
{
	struct store *st = fixture_account(*state, "x");
	struct store_mailbox_set s = {
		.set_name = true, .name = S("b"), .set_subscribed = true
	};
	uint64_t id = make(st, "a");

	assert_int_equal(subscribe(st, "a", true), 0);
	assert_int_equal(store_mailbox_delete(st, id), 0);
	assert_int_equal(subscribe(st, "a", false), 0);
	assert_int_equal(subscribe(st, "a", false), STORE_E_NOTFOUND);
	assert_false(kept(st, "", 0));
	id = make(st, "b");
	assert_int_equal(subscribe(st, "b", true), 0);
	assert_int_equal(store_mailbox_delete(st, id), 0);
	/* What a creation says counts more. */
	assert_int_equal(store_mailbox_create(st, &s, &id), 0);
	assert_false(has(st, "b"));
	assert_false(kept(st, "", 0));
	assert_int_equal(subscribe(st, "b", true), 0);
	assert_int_equal(store_mailbox_delete(st, id), 0);
	/* A mailbox that is renamed to it. */
	id = make(st, "c");
	s.set_subscribed = false;
	assert_int_equal(store_mailbox_update(st, id, &s), 0);
	assert_true(has(st, "b"));
	assert_false(kept(st, "", 0));
	fixture_check(st);
	store_close(&st);
}

static void
test_rename_tree(void **state)
{
	struct store *st = fixture_account(*state, "x");
	struct arena *ar = arena_new(0);
	struct store_mailbox mb;
	uint64_t id;

	make(st, "a/b/c");
	assert_int_equal(subscribe(st, "a", true), 0);
	assert_int_equal(subscribe(st, "a/b/c", true), 0);
	id = make(st, "n/b");
	assert_int_equal(subscribe(st, "n/b", true), 0);
	assert_int_equal(store_mailbox_delete(st, id), 0);
	assert_int_equal(store_mailbox_find(st, ar, S("n"), &mb), 0);
	assert_int_equal(store_mailbox_delete(st, mb.id), 0);
	assert_true(kept(st, "n/b", 1));
	assert_int_equal(store_mailbox_find(st, ar, S("a"), &mb), 0);
	assert_int_equal(store_mailbox_rename(st, mb.id, S("n")), 0);
	/* Old names stay, new ones are as the mailboxes were; n/b is taken. */
	assert_true(kept(st, "a", 2));
	assert_true(kept(st, "a/b/c", 2));
	assert_true(has(st, "n"));
	assert_true(has(st, "n/b"));
	assert_true(has(st, "n/b/c"));
	fixture_check(st);
	assert_int_equal(store_mailbox_rename(st, mb.id, S("a")), 0);
	assert_true(has(st, "a/b/c"));
	assert_true(kept(st, "n/b", 3));
	assert_false(kept(st, "a", 3));
	/* To its own name: nothing happens. */
	assert_int_equal(store_mailbox_rename(st, mb.id, S("a")),
	    STORE_E_EXISTS);
	assert_true(kept(st, "n", 3));
	fixture_check(st);
	arena_free(&ar);
	store_close(&st);
}

static void
put(struct kv_txn *t, struct row_key k, const char *p, size_t n)
{
	assert_int_equal(kv_put(t, row_key(&k), slice_make(p, n)), 0);
}

static void
test_repair(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x");
	struct kv_txn *t;
	uint64_t id, modseq;

	if (strcmp(f->engine, "bdb") != 0) {
		store_close(&st);
		return;
	}
	id = make(st, "gone/name");
	assert_int_equal(subscribe(st, "gone/name", true), 0);
	assert_int_equal(store_mailbox_delete(st, id), 0);
	assert_int_equal(kv_begin(st->kv, KV_RW, &t), 0);
	/* No text, another's key, no name, a mailbox that is there. */
	put(t, subscription_key(S("q")), "\1", 1);
	put(t, subscription_key(S("r")), "\1\1q", 3);
	put(t, subscription_key(S("a//b")), "\1\4a//b", 6);
	put(t, subscription_key(S("inbox")), "\1\5inbox", 7);
	put(t, subscription_key(S("gone")), "\1\4gone", 6);
	assert_int_equal(kv_commit(&t, &modseq), 0);
	fixture_repair(f, &st, 2);	/* one for all bad rows of a kind */
	assert_true(kept(st, "gone/name", 1));
	fixture_check(st);
	store_close(&st);
}

static void
test_limit(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x");
	struct kv_txn *t;
	uint64_t id, modseq;
	char v[16];

	/* Rows are put below the layer that meets conflicts. */
	if (strcmp(f->engine, "bdb") != 0) {
		store_close(&st);
		return;
	}
	assert_int_equal(kv_begin(st->kv, KV_RW, &t), 0);
	for (int i = 0; i < 999; i++) {
		snprintf(v, sizeof(v), "%c%cn%03d", 1, 4, i);
		put(t, subscription_key(S(v + 2)), v, 6);
	}
	assert_int_equal(kv_commit(&t, &modseq), 0);
	for (int i = 0; i < 2; i++) {
		const char *path = i == 0 ? "fits" : "doesn't";

		id = make(st, path);
		assert_int_equal(subscribe(st, path, true), 0);
		assert_int_equal(store_mailbox_delete(st, id), 0);
		assert_int_equal(kept(st, path, 1000), i == 0);
	}
	assert_int_equal(store_subscribe_name(st, S("more")), STORE_E_LIMIT);
	assert_int_equal(store_subscribe_name(st, S("fits")), 0);
	fixture_check(st);
	store_close(&st);
}

static void
test_name(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");

	assert_int_equal(store_subscribe_name(st, S("a//b")),
	    STORE_E_INVALID);
	assert_int_equal(store_subscribe_name(st, S("Other/a")), 0);
	assert_int_equal(store_subscribe_name(st, S("Other/a")), 0);
	assert_true(kept(st, "Other/a", 1));
	/* A mailbox of its own: as by store_subscribe(). */
	(void)make(st, "own");
	assert_int_equal(store_subscribe_name(st, S("own")), 0);
	assert_true(kept(st, "Other/a", 1));
	assert_int_equal(subscribe(st, "Other/a", false), 0);
	assert_false(kept(st, "Other/a", 0));
	fixture_check(st);
	store_close(&st);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_delete), cmocka_unit_test(test_unsubscribe),
	cmocka_unit_test(test_rename_tree), cmocka_unit_test(test_repair),
	cmocka_unit_test(test_limit), cmocka_unit_test(test_name),
};

int
main(int argc, char **argv)
{
	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
