/* t/unit/test-store-acl.c - rights on mailboxes, hints of shares */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

static unsigned
rights(struct store *st, uint64_t mailbox, const char *user)
{
	unsigned r;

	assert_int_equal(store_rights(st, mailbox, user, &r), 0);
	return r;
}

static unsigned
letters(const char *s)
{
	unsigned r;

	assert_int_equal(store_rights_from(S(s), &r), 0);
	return r;
}

static void
set(struct store *st, uint64_t mailbox, const char *who, const char *s)
{
	assert_int_equal(store_acl_set(st, mailbox, S(who), STORE_ACL_SET,
	    letters(s)), 0);
}

static void
test_text(void **state)
{
	char buf[STORE_RIGHTS_TEXT];
	unsigned r;

	(void)state;
	assert_string_equal(store_rights_text(STORE_RIGHTS_ALL, true, buf),
	    "lrswipkxteancd");
	assert_string_equal(store_rights_text(letters("kr"), true, buf),
	    "rkc");
	assert_string_equal(store_rights_text(letters("kr"), false, buf),
	    "rk");
	assert_string_equal(store_rights_text(letters("lrswida"), true, buf),
	    "lrswitead");
	assert_int_equal(letters("c"), letters("kx"));
	assert_int_equal(letters(""), 0);
	assert_int_equal(store_rights_from(S("lR"), &r), -1);
	assert_int_equal(store_rights_from(S("0"), &r), -1);
	assert_int_equal(store_rights_from(slice_make("\0", 1), &r), -1);
}

static void
test_rights(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	uint64_t m = make(st, "shared");

	assert_int_equal(rights(st, m, store_account_name(st)),
	    STORE_RIGHTS_ALL);
	assert_int_equal(rights(st, m, "bob"), 0);
	set(st, m, "bob", "lr");
	set(st, m, "anyone", "p");
	set(st, m, "carl", "a");
	set(st, m, "-carl", "p");
	/* The owner can't lock himself out. */
	set(st, m, "-anyone", "x");
	assert_int_equal(rights(st, m, store_account_name(st)),
	    STORE_RIGHTS_ALL);
	assert_int_equal(rights(st, m, "bob"), letters("lrp"));
	assert_int_equal(rights(st, m, "carl"), letters("a"));
	assert_int_equal(rights(st, m, "dora"), letters("p"));
	assert_int_equal(store_acl_set(st, m, S("bob"), STORE_ACL_ADD,
	    letters("rx")), 0);
	assert_int_equal(rights(st, m, "bob"), letters("lrp"));
	assert_int_equal(store_acl_set(st, m, S("-anyone"), STORE_ACL_SET, 0),
	    0);
	assert_int_equal(rights(st, m, "bob"), letters("lrpx"));
	assert_int_equal(store_acl_set(st, m, S("bob"), STORE_ACL_DEL,
	    letters("lrs")), 0);
	assert_int_equal(rights(st, m, "bob"), letters("px"));
	assert_int_equal(store_acl_set(st, m, S("a/b"), STORE_ACL_SET, 1),
	    STORE_E_INVALID);
	assert_int_equal(store_acl_set(st, m, S("-"), STORE_ACL_SET, 1),
	    STORE_E_INVALID);
	assert_int_equal(store_acl_set(st, m, S("bob"), STORE_ACL_SET, 0x1000),
	    STORE_E_INVALID);
	assert_int_equal(store_acl_set(st, m + 1, S("bob"), STORE_ACL_SET, 1),
	    STORE_E_NOTFOUND);
	fixture_check(st);
	store_close(&st);
}

static void
test_list(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	struct arena *a = arena_new(0);
	uint64_t m = make(st, "shared"), before;
	struct store_mailbox mb;
	struct store_acl *v;
	char who[32];
	size_t n;

	assert_int_equal(store_acl_get(st, a, m, &v, &n), 0);
	assert_int_equal(n, 0);
	for (int i = STORE_ACL_MAX; i > 0; i--) {
		snprintf(who, sizeof(who), "u%03d", i);
		set(st, m, who, "lr");
	}
	assert_int_equal(store_acl_set(st, m, S("v"), STORE_ACL_SET, 1),
	    STORE_E_LIMIT);
	assert_int_equal(store_acl_get(st, a, m, &v, &n), 0);
	assert_int_equal(n, STORE_ACL_MAX);
	for (size_t i = 0; i < n; i++) {
		snprintf(who, sizeof(who), "u%03zu", i + 1);
		assert_true(slice_eq(v[i].who, S(who)));
		assert_int_equal(v[i].rights, letters("lr"));
	}
	/* What changes nothing is no change; what does is told. */
	before = store_modseq(st);
	set(st, m, "u001", "lr");
	assert_int_equal(store_modseq(st), before);
	set(st, m, "u001", "");
	assert_true(store_modseq(st) > before);
	assert_int_equal(store_mailbox_get(st, a, m, &mb), 0);
	assert_int_equal(mb.changed, store_modseq(st));
	assert_int_equal(store_acl_get(st, a, m, &v, &n), 0);
	assert_int_equal(n, STORE_ACL_MAX - 1);
	assert_true(slice_eq(v[0].who, S("u002")));
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_tree(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	struct arena *a = arena_new(0);
	uint64_t m = make(st, "top"), below, again;
	struct row_key k;
	struct kv_txn *t;
	struct slice v;

	set(st, m, "bob", "lrk");
	below = make(st, "top/a/b");
	assert_int_equal(rights(st, below, "bob"), letters("lrk"));
	/* A copy from then on. */
	set(st, m, "bob", "l");
	assert_int_equal(rights(st, below, "bob"), letters("lrk"));
	assert_int_equal(store_mailbox_rename(st, below, S("else")), 0);
	assert_int_equal(rights(st, below, "bob"), letters("lrk"));
	assert_int_equal(store_mailbox_destroy(st, below, true), 0);
	k = row_key_u64(ROW_K_ACL, below);
	assert_int_equal(ro_begin(st, &t), 0);
	assert_int_equal(kv_get(t, a, row_key(&k), &v), STORE_E_NOTFOUND);
	ro_end(st);
	again = make(st, "else");
	assert_int_equal(rights(st, again, "bob"), 0);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
shares_are(struct store *st, struct arena *a, size_t n, const char *first)
{
	const char **v;
	size_t got;

	assert_int_equal(store_shares(st, a, &v, &got), 0);
	assert_int_equal(got, store_conf_files(st->cf) ? n : 0);
	if (got > 0)
		assert_string_equal(v[0], first);
}

static void
test_shares(void **state)
{
	struct fixture *f = *state;
	struct store *x = fixture_account(f, "x1"), *y;
	struct arena *a = arena_new(0);
	char xn[STORE_ACCOUNT_MAX + 1], yn[STORE_ACCOUNT_MAX + 1];
	uint64_t m = make(x, "shared"), o = make(x, "other");

	y = fixture_account(f, "x2");
	snprintf(xn, sizeof(xn), "%s", store_account_name(x));
	snprintf(yn, sizeof(yn), "%s", store_account_name(y));
	shares_are(y, a, 0, NULL);
	set(x, m, yn, "lr");
	set(x, o, yn, "l");
	set(x, o, "anyone", "l");
	set(x, m, "-someone", "l");
	shares_are(y, a, 1, xn);
	shares_are(x, a, 0, NULL);
	/* A hint goes when nothing is behind it, not sooner. */
	set(x, m, yn, "");
	store_shares_review(x, yn);
	set(x, o, "anyone", "");
	store_shares_review(x, "anyone");
	shares_are(y, a, 1, xn);
	set(x, o, yn, "");
	shares_are(y, a, 1, xn);
	store_shares_review(x, yn);
	shares_are(y, a, 0, NULL);
	/* Lost ones can be made anew. */
	set(x, o, yn, "l");
	store_shares_forget(y, xn);
	shares_are(y, a, 0, NULL);
	assert_int_equal(store_shares_renew(x), 0);
	shares_are(y, a, 1, xn);
	arena_free(&a);
	store_close(&x);
	store_close(&y);
}

static void
test_repair(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	uint64_t m = make(st, "shared"), n = make(st, "damaged"), modseq;
	struct row_key k = row_key_u64(ROW_K_ACL, n);
	struct kv_txn *t;

	if (strcmp(f->engine, "bdb") != 0) {
		store_close(&st);
		return;
	}
	set(st, m, "bob", "lr");
	set(st, n, "bob", "lr");
	assert_int_equal(kv_begin(st->kv, KV_RW, &t), 0);
	assert_int_equal(kv_put(t, row_key(&k), S("\1\1")), 0);
	k = row_key_u64(ROW_K_ACL, n + 77);
	assert_int_equal(kv_put(t, row_key(&k), slice_make("\1\1\1b\1", 5)),
	    0);
	assert_int_equal(kv_commit(&t, &modseq), 0);
	fixture_repair(f, &st, 2);
	assert_int_equal(rights(st, m, "bob"), letters("lr"));
	assert_int_equal(rights(st, n, "bob"), 0);
	fixture_check(st);
	store_close(&st);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_text), cmocka_unit_test(test_rights),
	cmocka_unit_test(test_list), cmocka_unit_test(test_tree),
	cmocka_unit_test(test_shares), cmocka_unit_test(test_repair),
};

int
main(int argc, char **argv)
{
	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
