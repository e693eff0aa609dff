/* t/unit/test-store-identity.c - identities of an account */
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
make(struct store *st, const char *name, const char *email)
{
	struct store_identity v = { .name = S(name), .email = S(email) };
	uint64_t id = 0;

	assert_int_equal(store_identity_create(st, &v, &id), 0);
	return id;
}

/* "a@x (A)* b@x (B)": * after the default one. */
static const char *
all(struct store *st)
{
	static char text[4096];
	struct store_identity *v;
	struct arena *a = arena_new(0);
	size_t n, len = 0;

	assert_int_equal(store_identity_list(st, a, &v, &n), 0);
	text[0] = '\0';
	for (size_t i = 0; i < n && len < sizeof(text) - 100; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%.*s (%.*s)%s", i > 0 ? " " : "", (int)v[i].email.n,
		    v[i].email.p, (int)v[i].name.n, v[i].name.p,
		    v[i].is_default ? "*" : "");
	arena_free(&a);
	return text;
}

/* "+1 ~2 -3" with the numbers of ids in order of first mention. */
static const char *
changes(struct store *st, uint64_t since, size_t max, uint64_t *state_r)
{
	static char text[1024];
	struct store_change *c;
	struct arena *a = arena_new(0);
	size_t n, len = 0;
	bool more;
	int rc;

	text[0] = '\0';
	rc = store_changes(st, a, STORE_T_IDENTITY, since, max, &c, &n,
	    state_r, &more);
	if (rc < 0)
		snprintf(text, sizeof(text), "%d", rc);
	for (size_t i = 0; rc == 0 && i < n && len < 900; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "%s%c%llx", i > 0 ? " " : "", "+~-"[c[i].kind],
		    (unsigned long long)(c[i].id & 0xfffff) |
		    (unsigned long long)row_id_modseq(c[i].id) << 4);
	if (rc == 0 && more)
		snprintf(text + len, sizeof(text) - len, "...");
	arena_free(&a);
	return text;
}

static uint64_t
state_of(struct store *st)
{
	uint64_t m;

	assert_int_equal(store_type_modseq(st, STORE_T_IDENTITY, &m), 0);
	return m;
}

static void
test_change(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_address list[2] = {
		{ S("Bob"), S("b@x") }, { { NULL, 0 }, S("c@x") }
	};
	struct store_identity v = { .name = S("A"), .email = S("a@x"),
		.text_signature = S("-- \nA"), .html_signature = S("<b>A</b>"),
		.reply_to = { true, list, 2 }, .bcc = { true, NULL, 0 } }, got;
	struct arena *a = arena_new(0);
	uint64_t id, before;

	assert_string_equal(all(st), "");
	assert_int_equal(state_of(st), 0);
	assert_int_equal(store_identity_create(st, &v, &id), 0);
	assert_int_equal(state_of(st), store_modseq(st));
	assert_int_equal(store_identity_get(st, a, id, &got), 0);
	assert_true(slice_eq(got.text_signature, v.text_signature));
	assert_true(slice_eq(got.html_signature, v.html_signature));
	assert_int_equal(got.reply_to.n, 2);
	assert_true(slice_eq(got.reply_to.a[0].name, S("Bob")));
	assert_null(got.reply_to.a[1].name.p);
	assert_true(slice_eq(got.reply_to.a[1].email, S("c@x")));
	assert_true(got.bcc.present);
	assert_int_equal(got.bcc.n, 0);
	assert_false(got.is_default);

	/* an update sets what it names */
	v = (struct store_identity){ .name = S("B"),
		.text_signature = S("gone") };
	assert_int_equal(store_identity_update(st, id, &v,
	    STORE_IDENTITY_NAME | STORE_IDENTITY_BCC), 0);
	assert_int_equal(store_identity_get(st, a, id, &got), 0);
	assert_true(slice_eq(got.name, S("B")));
	assert_true(slice_eq(got.email, S("a@x")));
	assert_true(slice_eq(got.text_signature, S("-- \nA")));
	assert_false(got.bcc.present);
	assert_true(got.reply_to.present);
	before = store_modseq(st);
	assert_int_equal(store_identity_update(st, id, &v, 0), 0);
	assert_int_equal(store_modseq(st), before);

	assert_int_equal(store_identity_destroy(st, id), 0);
	assert_int_equal(store_identity_destroy(st, id), STORE_E_NOTFOUND);
	assert_int_equal(store_identity_update(st, id, &v, 1),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_identity_get(st, a, id, &got),
	    STORE_E_NOTFOUND);
	assert_int_equal(store_identity_get(st, a, 12345, &got),
	    STORE_E_NOTFOUND);
	assert_string_equal(all(st), "");
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_limits(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_identity v = { .email = S("") };
	struct store_address list[101];
	struct arena *a = arena_new(0);
	uint64_t id;

	assert_int_equal(store_identity_create(st, &v, &id), STORE_E_INVALID);
	for (size_t i = 0; i < 101; i++)
		list[i] = (struct store_address){ { NULL, 0 }, S("a@x") };
	v = (struct store_identity){ .email = S("a@x"),
		.bcc = { true, list, 101 } };
	assert_int_equal(store_identity_create(st, &v, &id), STORE_E_INVALID);
	v.bcc.n = 100;
	assert_int_equal(store_identity_create(st, &v, &id), 0);
	v.bcc.n = 101;
	assert_int_equal(store_identity_update(st, id, &v,
	    STORE_IDENTITY_BCC), STORE_E_INVALID);
	v.bcc.n = 0;
	v.text_signature = slice_make(arena_alloc(a, 70000), 70000);
	assert_int_equal(store_identity_create(st, &v, &id), STORE_E_TOOBIG);
	v.text_signature.n = 60000;
	assert_int_equal(store_identity_create(st, &v, &id), 0);
	assert_int_equal(store_identity_destroy(st, id), 0);
	for (size_t i = 1; i < STORE_IDENTITIES_MAX; i++)
		make(st, "n", "a@x");
	v.text_signature.n = 0;
	assert_int_equal(store_identity_create(st, &v, &id), STORE_E_LIMIT);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_default(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_identity *v;
	struct arena *a = arena_new(0);
	uint64_t before;
	size_t n;

	assert_int_equal(store_identity_default(st, S("Al"), S("")),
	    STORE_E_INVALID);
	assert_int_equal(store_identity_default(st, S("Al"), S("a@x")), 0);
	before = store_modseq(st);
	assert_int_equal(store_identity_default(st, S("Bo"), S("A@X")), 0);
	assert_int_equal(store_modseq(st), before);
	assert_string_equal(all(st), "a@x (Al)*");
	make(st, "Al", "b@x");
	assert_int_equal(store_identity_list(st, a, &v, &n), 0);
	assert_int_equal(store_identity_destroy(st, v[0].id), STORE_E_DENIED);
	/* the account got another address */
	assert_int_equal(store_identity_default(st, S("Al"), S("c@x")), 0);
	assert_string_equal(all(st), "a@x (Al) b@x (Al) c@x (Al)*");
	assert_int_equal(store_identity_destroy(st, v[0].id), 0);
	assert_string_equal(all(st), "b@x (Al) c@x (Al)*");
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_changes(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_identity v = { .name = S("new") };
	uint64_t s0 = store_modseq(st), s1, s2, one, two, three, got;

	assert_string_equal(changes(st, 0, 0, &got), "");
	assert_string_equal(changes(st, s0, 0, &got), "");
	one = make(st, "1", "1@x");
	two = make(st, "2", "2@x");
	s1 = state_of(st);
	assert_string_equal(changes(st, s1, 0, &got), "");
	assert_string_equal(changes(st, s1 + 1, 0, &got), "-13");
	three = make(st, "3", "3@x");
	assert_int_equal(store_identity_update(st, one, &v, 1), 0);
	s2 = state_of(st);
	assert_int_equal(store_identity_destroy(st, two), 0);
	/* each change is one modseq, each of which made one id */
	assert_int_equal(row_id_modseq(one), s0 + 1);
	assert_int_equal(row_id_modseq(three), s0 + 3);
	assert_int_equal(s2, s0 + 4);
	{
		char want[200];

		snprintf(want, sizeof(want), "+%llx ~%llx -%llx",
		    (unsigned long long)(s0 + 3) << 4,
		    (unsigned long long)(s0 + 1) << 4,
		    (unsigned long long)(s0 + 2) << 4);
		assert_string_equal(changes(st, s1, 0, &got), want);
		snprintf(want, sizeof(want), "+%llx...",
		    (unsigned long long)(s0 + 3) << 4);
		assert_string_equal(changes(st, s1, 1, &got), want);
		snprintf(want, sizeof(want), "~%llx -%llx",
		    (unsigned long long)(s0 + 1) << 4,
		    (unsigned long long)(s0 + 2) << 4);
		assert_string_equal(changes(st, got, 0, &got), want);
		/* what came and went isn't told */
		snprintf(want, sizeof(want), "+%llx +%llx",
		    (unsigned long long)(s0 + 1) << 4,
		    (unsigned long long)(s0 + 3) << 4);
		assert_string_equal(changes(st, s0, 0, &got), want);
	}
	fixture_check(st);
	store_close(&st);
}

/* Marks of what is gone don't grow for ever. */
static void
test_marks(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	uint64_t since, got, id;
	struct row_objects sum;
	struct kv_txn *t;

	id = make(st, "first", "a@x");
	since = state_of(st);
	assert_int_equal(store_identity_destroy(st, id), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(store_identity_destroy(st,
		    make(st, "n", "a@x")), 0);
	assert_int_equal(kv_begin(st->kv, KV_RO, &t), 0);
	{
		struct arena *a = arena_new(0);

		assert_int_equal(objects_read(t, a, ROW_K_IDENTITY, &sum), 0);
		arena_free(&a);
	}
	kv_abort(&t);
	assert_int_equal(sum.n, 0);
	assert_int_equal(sum.gone, 500);
	assert_string_equal(changes(st, since, 0, &got), "-18");
	assert_string_equal(changes(st, sum.floor - 1, 0, &got), "-18");
	assert_string_equal(changes(st, sum.floor, 0, &got), "");
	fixture_check(st);
	store_close(&st);
}

static void
test_repair(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	uint64_t one = make(st, "1", "1@x"), two = make(st, "2", "2@x");
	uint64_t modseq, got, before;
	struct row_key k = row_key_kind(ROW_K_IDENTITY);
	struct kv_txn *t;
	size_t faults;

	assert_int_equal(store_identity_destroy(st, make(st, "3", "3@x")), 0);
	before = state_of(st);
	if (strcmp(f->engine, "bdb") != 0) {
		store_close(&st);
		return;
	}
	assert_int_equal(kv_begin(st->kv, KV_RW, &t), 0);
	assert_int_equal(kv_put(t, row_key(&k), slice_make("\1\1", 2)), 0);
	assert_int_equal(kv_commit(&t, &modseq), 0);
	assert_int_equal(store_check(st, false, NULL, NULL, &faults), 0);
	assert_int_equal(faults, 1);
	assert_int_equal(kv_begin(st->kv, KV_RW, &t), 0);
	k = row_key_u64(ROW_K_IDENTITY, two);
	assert_int_equal(kv_put(t, row_key(&k), S("\1x")), 0);
	assert_int_equal(kv_commit(&t, &modseq), 0);
	fixture_repair(f, &st, 1);
	assert_string_equal(all(st), "1@x (1)");
	assert_int_equal(store_identity_destroy(st, one), 0);
	assert_string_equal(changes(st, before, 0, &got), "-18");
	fixture_check(st);
	store_close(&st);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_change), cmocka_unit_test(test_limits),
	cmocka_unit_test(test_default), cmocka_unit_test(test_changes),
	cmocka_unit_test(test_marks), cmocka_unit_test(test_repair),
};

int
main(int argc, char **argv)
{
	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
