/* t/unit/test-store-vacation.c - the vacation response, and who got it */
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
enum { ALL = 63, DAY = 86400 };

static uint64_t
state_of(struct store *st)
{
	uint64_t m;

	assert_int_equal(store_type_modseq(st, STORE_T_VACATION, &m), 0);
	return m;
}

static void
test_set(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_vacation v, w;
	struct arena *a = arena_new(0);
	uint64_t before;

	assert_int_equal(state_of(st), 0);
	assert_int_equal(store_vacation_get(st, a, &v), 0);
	assert_false(v.enabled || v.has_from || v.has_to);
	assert_null(v.subject.p);
	v = (struct store_vacation){ .enabled = true, .has_from = true,
		.from = -5, .subject = S("Away"), .html = S("") };
	assert_int_equal(store_vacation_set(st, &v, ALL), 0);
	assert_int_equal(state_of(st), store_modseq(st));
	assert_int_equal(store_vacation_get(st, a, &w), 0);
	assert_true(w.enabled && w.has_from && !w.has_to);
	assert_int_equal(w.from, -5);
	assert_true(slice_eq(w.subject, S("Away")));
	assert_null(w.text.p);
	assert_non_null(w.html.p);
	assert_int_equal(w.html.n, 0);
	v = (struct store_vacation){ .text = S("text") };
	assert_int_equal(store_vacation_set(st, &v, STORE_VACATION_TEXT |
	    STORE_VACATION_FROM), 0);
	assert_int_equal(store_vacation_get(st, a, &w), 0);
	assert_true(w.enabled && !w.has_from);
	assert_true(slice_eq(w.subject, S("Away")));
	assert_true(slice_eq(w.text, S("text")));
	before = store_modseq(st);
	assert_int_equal(store_vacation_set(st, &v, 0), 0);
	assert_int_equal(store_modseq(st), before);
	v.text = slice_make(arena_alloc(a, 70000), 70000);
	assert_int_equal(store_vacation_set(st, &v, STORE_VACATION_TEXT),
	    STORE_E_TOOBIG);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_claim(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_vacation v = { .enabled = true };
	uint64_t s;
	int64_t t = 1000 * DAY;

	assert_int_equal(store_vacation_set(st, &v, 1), 0);
	s = state_of(st);
	assert_int_equal(store_vacation_claim(st, S("bob@x"), t, DAY), 1);
	assert_int_equal(store_vacation_claim(st, S("bob@x"), t, DAY), 0);
	assert_int_equal(store_vacation_claim(st, S("BOB@X"), t + DAY - 1,
	    DAY), 0);
	assert_int_equal(store_vacation_claim(st, S("eve@x"), t + 5, DAY), 1);
	assert_int_equal(store_vacation_claim(st, S("bob@x"), t + DAY, DAY),
	    1);
	assert_int_equal(store_vacation_claim(st, S("bob@x"), t + DAY + 5,
	    DAY), 0);
	/* a clock that was wrong */
	assert_int_equal(store_vacation_claim(st, S("bob@x"), t, DAY), 1);
	assert_int_equal(state_of(st), s);
	/* another response */
	assert_int_equal(store_vacation_set(st, &v, 1), 0);
	assert_int_equal(store_vacation_claim(st, S("bob@x"), t, DAY), 1);
	fixture_check(st);
	store_close(&st);
}

static size_t
rows(struct store *st)
{
	struct row_key from = row_key_kind(ROW_K_VACATION);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct slice key, val;
	struct kv_txn *t;
	size_t n = 0;

	assert_int_equal(kv_begin(st->kv, KV_RO, &t), 0);
	assert_int_equal(kv_scan_open(t, row_key(&from), row_key(&to), 0, &s),
	    0);
	while (kv_scan_next(s, &key, &val) > 0)
		n++;
	kv_scan_close(&s);
	kv_abort(&t);
	return n;
}

/* Those who are remembered don't grow for ever. */
static void
test_bounds(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	int64_t t = 1000 * DAY;
	char name[32];

	for (int i = 0; i < 1010; i++) {
		snprintf(name, sizeof(name), "s%d@x", i);
		assert_int_equal(store_vacation_claim(st, S(name), t + i,
		    DAY), 1);
	}
	assert_int_equal(rows(st), 1000);
	/* the oldest were forgotten */
	assert_int_equal(store_vacation_claim(st, S("s10@x"), t + 1010, DAY),
	    0);
	assert_int_equal(store_vacation_claim(st, S("s9@x"), t + 1010, DAY),
	    1);
	assert_int_equal(store_vacation_claim(st, S("new@x"), t + 3 * DAY,
	    DAY), 1);
	assert_int_equal(rows(st), 1);
	fixture_check(st);
	store_close(&st);
}

static void
test_repair(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	struct store_vacation v = { .enabled = true, .text = S("t") };
	struct arena *a = arena_new(0);
	struct row_key k = vacation_key(S("eve@x"));
	uint64_t modseq;
	struct kv_txn *t;

	assert_int_equal(store_vacation_set(st, &v, ALL), 0);
	assert_int_equal(store_vacation_claim(st, S("bob@x"), DAY, DAY), 1);
	if (strcmp(f->engine, "bdb") != 0) {
		store_close(&st);
		arena_free(&a);
		return;
	}
	assert_int_equal(kv_begin(st->kv, KV_RW, &t), 0);
	assert_int_equal(kv_put(t, row_key(&k), S("\1x")), 0);
	assert_int_equal(kv_commit(&t, &modseq), 0);
	fixture_repair(f, &st, 1);
	assert_int_equal(store_vacation_get(st, a, &v), 0);
	assert_true(v.enabled && slice_eq(v.text, S("t")));
	assert_int_equal(store_vacation_claim(st, S("bob@x"), DAY, DAY), 0);
	assert_int_equal(store_vacation_claim(st, S("eve@x"), DAY, DAY), 1);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_set), cmocka_unit_test(test_claim),
	cmocka_unit_test(test_bounds), cmocka_unit_test(test_repair),
};

int
main(int argc, char **argv)
{
	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
