/* t/unit/test-rows.c - rows as octets: round trips, order of keys, refusals */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libstore/rows.h"

static struct arena *arena;
static struct buf out;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	buf_init(&out, ROW_BUF_MAX);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	buf_release(&out);
	return 0;
}

/* No prefix of a value may pass for one, nor one with more behind it. */
static void
refuses(int (*get)(struct slice v))
{
	struct slice v = buf_slice(&out);
	char *copy = arena_strndup(arena, v.p, v.n + 0);

	assert_int_equal(get(v), 0);
	for (size_t n = 0; n < v.n; n++) {
		/* A copy of just that length, for the sanitizer. */
		char *p = arena_strndup(arena, v.p, n);

		assert_int_equal(get(slice_make(p, n)), STORE_E_CORRUPT);
	}
	assert_int_equal(get(slice_make(copy, v.n + 1)), STORE_E_CORRUPT);
	copy[0] = 0;
	assert_int_equal(get(slice_make(copy, v.n)), STORE_E_CORRUPT);
	copy[0] = ROW_VERSION + 1;
	assert_int_equal(get(slice_make(copy, v.n)), STORE_E_VERSION);
}

/* ---- keys -------------------------------------------------------------- */

static void
test_key_order(void **state)
{
	static const uint64_t n[] = {
		0, 1, 255, 256, 65535, UINT32_MAX, UINT64_C(1) << 32,
		UINT64_MAX - 1, UINT64_MAX
	};
	enum { N = sizeof(n) / sizeof(n[0]) };

	(void)state;
	for (size_t i = 0; i < N; i++)
		for (size_t j = 0; j < N; j++) {
			struct row_key a = row_key_u64(ROW_K_EMAIL, n[i]);
			struct row_key b = row_key_u64(ROW_K_EMAIL, n[j]);
			int c = slice_cmp(row_key(&a), row_key(&b));

			assert_true(i < j ? c < 0 : i > j ? c > 0 : c == 0);
		}
}

static void
test_key_after(void **state)
{
	struct row_key k = row_key_u64(ROW_K_HOT, UINT64_MAX), a;
	struct row_key in = row_key_u64_u32(ROW_K_HOT, UINT64_MAX, UINT32_MAX);

	(void)state;
	a = row_key_after(k);
	assert_true(slice_cmp(row_key(&in), row_key(&a)) < 0);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.b[0], ROW_K_HOT + 1);
	k = row_key_u64(ROW_K_HOT, 7);
	a = row_key_after(k);
	in = row_key_u64_u32(ROW_K_HOT, 7, UINT32_MAX);
	assert_true(slice_cmp(row_key(&in), row_key(&a)) < 0);
	in = row_key_u64_u32(ROW_K_HOT, 8, 0);
	assert_true(slice_cmp(row_key(&in), row_key(&a)) > 0);
	k.n = 0;
	assert_int_equal(row_key_after(k).n, 0);
}

static void
test_key_split(void **state)
{
	struct row_key k = row_key_u64_u32(ROW_K_HOT, 5, 6);
	uint64_t a, b;
	uint32_t c;

	(void)state;
	assert_true(row_key_get_u64_u32(row_key(&k), ROW_K_HOT, &a, &c));
	assert_int_equal(a, 5);
	assert_int_equal(c, 6);
	assert_false(row_key_get_u64_u32(row_key(&k), ROW_K_COLD, &a, &c));
	assert_false(row_key_get_u64(row_key(&k), ROW_K_HOT, &a));
	k.n--;
	assert_false(row_key_get_u64_u32(row_key(&k), ROW_K_HOT, &a, &c));
	k = row_key_changed(1, 2, 3);
	assert_true(row_key_get_changed(row_key(&k), &a, &b, &c));
	assert_true(a == 1 && b == 2 && c == 3);
}

/* ---- values ------------------------------------------------------------ */

static int
get_head(struct slice v)
{
	struct row_head h;

	return row_head_get(v, &h);
}

static void
test_head(void **state)
{
	struct row_head h, g;

	(void)state;
	memset(&h, 0x5a, sizeof(h));
	memset(&g, 0, sizeof(g));
	assert_int_equal(row_head_put(&out, &h), 0);
	assert_int_equal(row_head_get(buf_slice(&out), &g), 0);
	assert_int_equal(g.account, h.account);
	assert_int_equal(g.txn[ROW_TXN_RING - 1], h.txn[0]);
	assert_int_equal(g.uidvalidity, h.uidvalidity);
	assert_int_equal(g.trash, h.trash);
	refuses(get_head);
}

static int
get_mailbox(struct slice v)
{
	struct row_mailbox m;

	return row_mailbox_get(v, &m);
}

static void
test_mailbox(void **state)
{
	struct row_mailbox m = {
		.parent = 1, .role = 2, .subscribed = true, .sort_order = 3,
		.uidvalidity = 4, .uidnext = UINT32_MAX, .highestmodseq = 5,
		.created = 6, .changed = 7, .counted = 8, .total = 9,
		.unread = 10, .unseen = 11, .deleted = 12, .threads = 13,
		.unread_threads = 14, .size = UINT64_MAX, .deleted_size = 15,
		.name = SLICE_LIT("Entw\xc3\xbcrfe")
	}, g;
	char longest[ROW_NAME_MAX + 1];

	(void)state;
	assert_int_equal(row_mailbox_put(&out, &m), 0);
	assert_int_equal(row_mailbox_get(buf_slice(&out), &g), 0);
	assert_true(slice_eq(m.name, g.name));
	assert_true(g.parent == 1 && g.role == 2 && g.subscribed &&
	    g.sort_order == 3 && g.uidvalidity == 4 &&
	    g.uidnext == UINT32_MAX && g.highestmodseq == 5 &&
	    g.created == 6 && g.changed == 7 && g.counted == 8 &&
	    g.total == 9 && g.unread == 10 && g.unseen == 11 &&
	    g.deleted == 12 && g.threads == 13 && g.unread_threads == 14 &&
	    g.size == UINT64_MAX && g.deleted_size == 15);
	refuses(get_mailbox);
	m.name = SLICE_LIT("");
	row_mailbox_put(&out, &m);
	assert_int_equal(get_mailbox(buf_slice(&out)), STORE_E_CORRUPT);
	memset(longest, 'x', sizeof(longest));
	m.name = slice_make(longest, sizeof(longest));
	row_mailbox_put(&out, &m);
	assert_int_equal(get_mailbox(buf_slice(&out)), STORE_E_CORRUPT);
}

static int
get_email(struct slice v)
{
	struct row_email e;

	return row_email_get(v, arena, &e);
}

static void
test_email(void **state)
{
	struct row_in in[2] = { { 7, 8 }, { 9, 10 } };
	uint64_t hash[3] = { 11, 12, UINT64_MAX };
	struct row_email e = {
		.blob = "blob", .ref = "ref", .thread = 1, .size = 2,
		.received = -3, .modseq = 4, .in = in, .n_in = 2,
		.hash = hash, .n_hash = 3
	}, g;

	(void)state;
	assert_int_equal(row_email_put(&out, &e), 0);
	assert_int_equal(row_email_get(buf_slice(&out), arena, &g), 0);
	assert_memory_equal(e.blob, g.blob, sizeof(e.blob));
	assert_memory_equal(e.ref, g.ref, sizeof(e.ref));
	assert_true(g.thread == 1 && g.size == 2 && g.received == -3 &&
	    g.modseq == 4 && g.n_in == 2 && g.n_hash == 3);
	assert_true(g.in[1].mailbox == 9 && g.in[1].uid == 10);
	assert_int_equal(g.hash[2], UINT64_MAX);
	refuses(get_email);
	e.n_in = 0;
	row_email_put(&out, &e);
	assert_int_equal(get_email(buf_slice(&out)), STORE_E_CORRUPT);
}

static int
get_thread(struct slice v)
{
	struct row_thread t;

	return row_thread_get(v, arena, &t);
}

static void
test_thread(void **state)
{
	static const struct { uint32_t emails, unread, trash, in; int rc; } t[] = {
		{ 3, 2, 1, 3, 0 }, { 3, 3, 3, 1, 0 },
		{ 0, 0, 0, 1, STORE_E_CORRUPT },
		{ 3, 4, 0, 1, STORE_E_CORRUPT },
		{ 3, 0, 4, 1, STORE_E_CORRUPT },
		{ 3, 0, 0, 4, STORE_E_CORRUPT },
		{ 3, 0, 0, 0, STORE_E_CORRUPT },
	};
	struct row_thread_in in[1];
	struct row_thread r, g;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		in[0] = (struct row_thread_in){ 5, t[i].in };
		r = (struct row_thread){ 9, t[i].emails, t[i].unread,
		    t[i].trash, in, 1 };
		assert_int_equal(row_thread_put(&out, &r), 0);
		assert_int_equal(get_thread(buf_slice(&out)), t[i].rc);
		if (t[i].rc < 0)
			continue;
		refuses(get_thread);
		row_thread_get(buf_slice(&out), arena, &g);
		assert_true(g.trash == 9 && g.emails == t[i].emails &&
		    g.unread == t[i].unread && g.unread_trash == t[i].trash &&
		    g.n_in == 1 && g.in[0].emails == t[i].in);
	}
}

static int
get_blob(struct slice v)
{
	struct row_blob b;

	return row_blob_get(v, &b);
}

static void
test_blob(void **state)
{
	static const struct { uint8_t marks; uint32_t n; int64_t due; int rc; }
	    t[] = {
		{ 0, 1, 0, 0 }, { 1, 0, 1000, 0 }, { 1, 7, 0, 0 },
		{ 2, 1, 0, STORE_E_CORRUPT }, { 0, 0, 0, STORE_E_CORRUPT },
		{ 0, 1, 1, STORE_E_CORRUPT }, { 0, 0, -1, STORE_E_CORRUPT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct row_blob b = { t[i].marks, "ref", 5, t[i].n, t[i].due };

		assert_int_equal(row_blob_put(&out, &b), 0);
		assert_int_equal(get_blob(buf_slice(&out)), t[i].rc);
		if (t[i].rc == 0)
			refuses(get_blob);
	}
}

static int
get_due(struct slice v)
{
	struct row_due d;

	return row_due_get(v, &d);
}

static int
get_u64(struct slice v)
{
	uint64_t n;

	return row_u64_get(v, &n);
}

static int
get_keywords(struct slice v)
{
	struct slice name[ROW_KEYWORDS];
	size_t n;

	return row_keywords_get(v, name, &n);
}

static void
test_small(void **state)
{
	struct row_due d = { ROW_DUE_DYING, "ref" };
	struct slice name[ROW_KEYWORDS + 1], got[ROW_KEYWORDS];
	size_t n;

	(void)state;
	row_due_put(&out, &d);
	refuses(get_due);
	d.state = 2;
	row_due_put(&out, &d);
	assert_int_equal(get_due(buf_slice(&out)), STORE_E_CORRUPT);
	row_u64_put(&out, 77);
	refuses(get_u64);
	for (n = 0; n <= ROW_KEYWORDS; n++)
		name[n] = SLICE_LIT("$forwarded");
	row_keywords_put(&out, name, 3);
	refuses(get_keywords);
	assert_int_equal(row_keywords_get(buf_slice(&out), got, &n), 0);
	assert_int_equal(n, 3);
	assert_true(slice_eq(got[2], name[2]));
	row_keywords_put(&out, name, ROW_KEYWORDS);
	assert_int_equal(get_keywords(buf_slice(&out)), 0);
	row_keywords_put(&out, name, ROW_KEYWORDS + 1);
	assert_int_equal(get_keywords(buf_slice(&out)), STORE_E_CORRUPT);
}

/* ---- tombstones -------------------------------------------------------- */

struct tombs {
	struct row_tomb t[3000];
	size_t n;
};

static int
tomb_note(void *arg, const struct row_tomb *t)
{
	struct tombs *l = arg;

	l->t[l->n++] = *t;
	if (t->path.n > 0)
		assert_true(slice_eq(t->path, SLICE_LIT("a/b/c")));
	return 0;
}

static void
tombs_round(const struct row_tomb *t, size_t n, size_t max, size_t parts)
{
	static struct tombs got;
	size_t at = 0, k = 0;
	int64_t when;

	got.n = 0;
	while (at < n) {
		at += row_tombs_put(&out, 12345, t + at, n - at, max);
		assert_true(out.n <= max);
		assert_int_equal(row_tombs_get(buf_slice(&out), &when,
		    tomb_note, &got), 0);
		assert_int_equal(when, 12345);
		k++;
	}
	assert_int_equal(got.n, n);
	assert_true(k >= parts);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(got.t[i].kind, t[i].kind);
		assert_int_equal(got.t[i].mailbox, t[i].mailbox);
		assert_int_equal(got.t[i].uid, t[i].uid);
		assert_int_equal(got.t[i].email, t[i].email);
		assert_int_equal(got.t[i].thread, t[i].thread);
		assert_int_equal(got.t[i].flags, t[i].flags);
		assert_int_equal(got.t[i].path.n, t[i].path.n);
	}
}

static void
test_tombs(void **state)
{
	static struct row_tomb t[3000];
	size_t n = sizeof(t) / sizeof(t[0]);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		t[i] = (struct row_tomb){
			.kind = i % 7 ? ROW_TOMB_DESTROYED : ROW_TOMB_REMOVED,
			.mailbox = 1 + i / 100,
			.uid = (uint32_t)(i * 3 + 1),
			.email = i % 2 ? UINT64_MAX - i : i,
			.thread = i * i, .flags = i << 40 | i
		};
		if (i % 50 == 49)
			t[i] = (struct row_tomb){ .kind = ROW_TOMB_MAILBOX,
			    .mailbox = i,
			    .path = i % 100 == 99 ? SLICE_LIT("a/b/c") :
				SLICE_LIT("") };
	}
	tombs_round(t, n, ROW_BUF_MAX, 1);
	tombs_round(t, n, 200, n / 20);
	tombs_round(t + 49, 1, 64, 1);
	for (size_t i = 0; i < n; i++)
		t[i] = (struct row_tomb){ .kind = ROW_TOMB_DESTROYED,
		    .mailbox = 5, .uid = (uint32_t)i + 1, .email = 1000 + i,
		    .thread = 1000 + i, .flags = i % 32 };
	tombs_round(t, n, ROW_BUF_MAX, 1);
	/* Neighbours are small: 10,000 fit into a row. */
	assert_true(out.n < n * 7);
}

static int
tomb_stop(void *arg, const struct row_tomb *t)
{
	(void)t;
	return ++*(int *)arg == 2 ? 42 : 0;
}

static void
test_tombs_bad(void **state)
{
	static const struct { const char *p; size_t n; int rc; } t[] = {
		{ "", 0, STORE_E_CORRUPT },
		{ "\2", 1, STORE_E_VERSION },
		{ "\1\0\0\0\0\0\0\0", 8, STORE_E_CORRUPT },
		{ "\1\0\0\0\0\0\0\0\0", 9, 0 },
		/* A kind that doesn't exist; no entries; a UID of 0. */
		{ "\1\0\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\1", 18,
		    STORE_E_CORRUPT },
		{ "\1\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\0", 19,
		    STORE_E_CORRUPT },
		{ "\1\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\1\0\0\0\0", 23,
		    STORE_E_CORRUPT },
		{ "\1\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\1\1\0\0\0", 23, 0 },
		{ "\1\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\1\1\0\0", 22,
		    STORE_E_CORRUPT },
		{ "\1\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\1\2\1\0\0\0", 23,
		    STORE_E_CORRUPT },
		/* A mailbox: its path is cut. */
		{ "\1\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\1\5a/b/c", 24, 0 },
		{ "\1\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\1\2a", 20,
		    STORE_E_CORRUPT },
	};
	struct row_tomb two[2] = {
		{ .kind = ROW_TOMB_REMOVED, .mailbox = 1, .uid = 1 },
		{ .kind = ROW_TOMB_REMOVED, .mailbox = 1, .uid = 2 }
	};
	static struct tombs got;
	int64_t when;
	int n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		got.n = 0;
		assert_int_equal(row_tombs_get(slice_make(t[i].p, t[i].n),
		    &when, tomb_note, &got), t[i].rc);
	}
	row_tombs_put(&out, 0, two, 2, ROW_BUF_MAX);
	assert_int_equal(row_tombs_get(buf_slice(&out), &when, tomb_stop, &n),
	    42);
}

/* ---- chunks ------------------------------------------------------------ */

static unsigned char hot[ROW_HOT_HEAD + 4 * ROW_HOT_SLOT];

static struct slice
hot_make(uint32_t used, uint32_t live, const uint32_t *uid)
{
	struct row_chunk c = { hot, 4, used, live, 9 };

	row_hot_put_head(hot, &c);
	for (uint32_t i = 0; i < used; i++) {
		struct row_hot h = { uid[i], (uint8_t)(i == 1 ? ROW_DEAD : 0),
		    i, i + 1 };

		row_hot_put_slot(hot, i, &h);
	}
	return slice_make((const char *)hot, sizeof(hot));
}

static void
test_hot(void **state)
{
	static const struct {
		uint32_t uid[4], used, live, first;
		int rc;
	} t[] = {
		{ { 3, 5, 6, 9 }, 4, 3, 3, 0 },
		{ { 3, 5, 6, 9 }, 3, 2, 1, 0 },
		{ { 3, 5, 6, 9 }, 4, 4, 3, STORE_E_CORRUPT },	/* live */
		{ { 3, 5, 6, 9 }, 4, 3, 4, STORE_E_CORRUPT },	/* first */
		{ { 3, 5, 6, 9 }, 4, 3, 0, STORE_E_CORRUPT },
		{ { 3, 3, 6, 9 }, 4, 3, 3, STORE_E_CORRUPT },	/* order */
		{ { 3, 7, 6, 9 }, 4, 3, 3, STORE_E_CORRUPT },
		{ { 3, 5, 6, 9 }, 0, 0, 3, STORE_E_CORRUPT },	/* empty */
		{ { 3, 5, 6, 9 }, 2, 1, 3, 0 },
	};
	struct row_chunk c;
	struct row_hot h;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct slice v = hot_make(t[i].used, t[i].live, t[i].uid);

		assert_int_equal(row_hot_check(v, t[i].first, &c), t[i].rc);
		if (t[i].rc < 0)
			continue;
		for (uint32_t j = 0; j < t[i].used; j++) {
			assert_int_equal(row_hot_find(&c, t[i].uid[j]), j);
			row_hot_slot(&c, j, &h);
			assert_true(h.uid == t[i].uid[j] && h.flags == j &&
			    h.modseq == j + 1);
		}
		assert_int_equal(row_hot_find(&c, 4), -1);
		for (size_t n = 0; n < v.n; n++)
			assert_int_equal(row_hot_check(slice_make(v.p, n),
			    t[i].first, &c), STORE_E_CORRUPT);
	}
	hot_make(4, 3, t[0].uid);
	hot[ROW_HOT_HEAD + 4] = 8;	/* a mark that doesn't exist */
	assert_int_equal(row_hot_check(slice_make((char *)hot, sizeof(hot)),
	    3, &c), STORE_E_CORRUPT);
	hot[0] = 2;
	assert_int_equal(row_hot_check(slice_make((char *)hot, sizeof(hot)),
	    3, &c), STORE_E_VERSION);
}

static void
test_cold(void **state)
{
	unsigned char p[ROW_COLD_HEAD + 2 * ROW_COLD_SLOT] = { 0 };
	struct row_cold d = { 1, 2, UINT64_MAX, -4, INT64_MAX, "ref" }, g;
	struct slice v = { (const char *)p, sizeof(p) };
	struct row_chunk c;

	(void)state;
	row_cold_put_head(p, 2);
	row_cold_put_slot(p, 1, &d);
	assert_int_equal(row_cold_check(v, &c), 0);
	assert_int_equal(c.cap, 2);
	row_cold_slot(&c, 1, &g);
	assert_true(g.email == 1 && g.thread == 2 && g.size == UINT64_MAX &&
	    g.received == -4 && g.saved == INT64_MAX);
	assert_memory_equal(g.ref, d.ref, sizeof(d.ref));
	for (size_t n = 0; n < v.n; n++)
		assert_int_equal(row_cold_check(slice_make(v.p, n), &c),
		    STORE_E_CORRUPT);
	row_cold_put_head(p, 0);
	assert_int_equal(row_cold_check(slice_make(v.p, ROW_COLD_HEAD), &c),
	    STORE_E_CORRUPT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_order),
		cmocka_unit_test(test_key_after),
		cmocka_unit_test(test_key_split),
		cmocka_unit_test_setup_teardown(test_head, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mailbox, setup, teardown),
		cmocka_unit_test_setup_teardown(test_email, setup, teardown),
		cmocka_unit_test_setup_teardown(test_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blob, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tombs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tombs_bad, setup,
		    teardown),
		cmocka_unit_test(test_hot),
		cmocka_unit_test(test_cold),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
