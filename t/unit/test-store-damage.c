/*
 * t/unit/test-store-damage.c - accounts with rows that contradict each other
 *
 * store_check() finds what is planted, and whatever octets the rows have,
 * everything returns.  Usage: test-store-damage [SEED [TIMES]].
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/rows.h"
#include "t/unit/store-world.h"

static uint64_t seed;
static unsigned times = 400;

static uint32_t
rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 20) % n);
}

/* A little of everything that makes rows. */
static void
fill(struct world *w)
{
	uint64_t both[2] = { w->inbox, w->box }, bit;
	uint32_t uid[3] = { 1, 3, 5 };
	struct store_added r;
	struct store_spool *sp;
	struct store_blobid blob;

	for (int i = 0; i < 8; i++)
		add(w, i, i % 3 ? 0 : STORE_SEEN);
	assert_int_equal(add_to(w, "Message-ID: <a@x>\n\n", both, 2, 0, &r),
	    0);
	assert_int_equal(add_to(w, "References: <a@x>\n\n", both, 2,
	    STORE_DELETED, &r), 0);
	assert_int_equal(store_keyword_bit(w->st, S("word"), true, &bit), 0);
	assert_int_equal(store_msgs_copy(w->st, w->a, w->inbox, uid, 3,
	    w->trash, false, NULL, NULL, NULL), 0);
	assert_int_equal(store_msgs_remove(w->st, w->a, w->inbox, uid, 3,
	    NULL), 0);
	sp = store_spool_new(&w->f->conf, false, 0);
	store_spool_add(sp, "up", 2);
	assert_int_equal(store_spool_done(sp), 0);
	assert_int_equal(store_upload(w->st, sp, &blob), 0);
	store_spool_free(&sp);
}

struct rows {
	struct slice *key, *val;
	size_t n;
};

/* All rows below the store, copied. */
static struct rows
rows_read(struct kv *kv, struct arena *a, int kind)
{
	struct slice none = { NULL, 0 }, k, v;
	struct rows r = { NULL, NULL, 0 };
	size_t cap = 0, cap2 = 0;
	struct kv_txn *t;
	struct kv_scan *s;

	assert_int_equal(kv_begin(kv, KV_RO, &t), 0);
	assert_int_equal(kv_scan_open(t, none, none, 0, &s), 0);
	while (kv_scan_next(s, &k, &v) > 0) {
		if (kind && k.p[0] != kind)
			continue;
		r.key = arena_grow(a, r.key, &cap, r.n + 1, sizeof(*r.key));
		r.val = arena_grow(a, r.val, &cap2, r.n + 1, sizeof(*r.val));
		r.key[r.n] = arena_slice(a, k);
		r.val[r.n++] = arena_slice(a, v);
	}
	kv_scan_close(&s);
	kv_abort(&t);
	return r;
}

static struct kv *
below(struct world *w)
{
	struct kv_conf kc = { .engine = w->f->engine };
	struct kv *kv;

	assert_int_equal(kv_open(&kc, fixture_name(w->f, "x"), 0, &kv), 0);
	return kv;
}

static void
put(struct kv *kv, struct slice key, struct slice val)
{
	struct kv_txn *t;
	uint64_t modseq;

	assert_int_equal(kv_begin(kv, KV_RW, &t), 0);
	if (val.p)
		assert_int_equal(kv_put(t, key, val), 0);
	else
		assert_int_equal(kv_del(t, key), 0);
	assert_int_equal(kv_commit(&t, &modseq), 0);
}

static size_t
faults(struct world *w)
{
	size_t n;
	int rc;

	assert_true(store_refresh(w->st) >= 0);
	if ((rc = store_check(w->st, true, NULL, NULL, &n)) == STORE_E_VERSION)
		return 1;
	assert_true(rc >= 0);
	return n;
}

/* ---- planted ----------------------------------------------------------- */

/* Each kind of row, missing: it is missed. */
static void
test_missing(void **state)
{
	static const char kinds[] = "MnrhcgetTibd";
	struct world w = world(state);
	struct kv *kv;

	fill(&w);
	assert_int_equal(store_idle(w.st, false) >= 0, 1);
	fixture_check(w.st);
	kv = below(&w);
	for (size_t i = 0; i < sizeof(kinds) - 1; i++) {
		struct rows r = rows_read(kv, w.a, kinds[i]);

		assert_true(r.n > 0);
		for (size_t j = 0; j < r.n; j++) {
			put(kv, r.key[j], slice_make(NULL, 0));
			if (faults(&w) == 0)
				fail_msg("row '%c' isn't missed", kinds[i]);
			put(kv, r.key[j], r.val[j]);
			assert_int_equal(faults(&w), 0);
		}
	}
	kv_close(&kv);
	world_end(&w);
}

/* A row of each kind too many, or of a newer version. */
static void
test_planted(void **state)
{
	static const char kinds[] = "HMnrhcgetTixkbd";
	struct world w = world(state);
	struct kv *kv;

	fill(&w);
	kv = below(&w);
	for (size_t i = 0; i < sizeof(kinds) - 1; i++) {
		struct rows r = rows_read(kv, w.a, kinds[i]);
		char *k, *v;

		assert_true(r.n > 0);
		k = arena_strndup(w.a, r.key[0].p, r.key[0].n);
		v = arena_strndup(w.a, r.val[0].p, r.val[0].n);
		if (r.key[0].n > 1 && kinds[i] != 'x') {
			k[1] = 0x7f;
			put(kv, slice_make(k, r.key[0].n), r.val[0]);
			if (faults(&w) == 0)
				fail_msg("row '%c' too many", kinds[i]);
			put(kv, slice_make(k, r.key[0].n),
			    slice_make(NULL, 0));
		}
		assert_int_equal(faults(&w), 0);
		if (kinds[i] == 'g' || kinds[i] == 'H')
			continue;
		v[0] = ROW_VERSION + 1;
		put(kv, r.key[0], slice_make(v, r.val[0].n));
		if (faults(&w) == 0)
			fail_msg("version of '%c' isn't seen", kinds[i]);
		put(kv, r.key[0], r.val[0]);
	}
	put(kv, S("?"), S("what is this"));
	assert_true(faults(&w) > 0);
	put(kv, S("?"), slice_make(NULL, 0));
	assert_int_equal(faults(&w), 0);
	kv_close(&kv);
	world_end(&w);
}

/* ---- anything at all --------------------------------------------------- */

static void
damage(struct kv *kv, struct arena *a)
{
	struct rows r = rows_read(kv, a, 0);
	size_t i = rnd((uint32_t)r.n), n = r.val[i].n;
	char *v = arena_strndup(a, r.val[i].p, n);

	switch (rnd(5)) {
	case 0:
		put(kv, r.key[i], slice_make(NULL, 0));
		return;
	case 1:
		put(kv, r.key[i], slice_make(v, rnd((uint32_t)n + 1)));
		return;
	case 2:			/* the value of another row */
		put(kv, r.key[i], r.val[rnd((uint32_t)r.n)]);
		return;
	case 3:
		if (n > 1)
			v[1 + rnd((uint32_t)n - 1)] = (char)rnd(256);
		break;
	default:
		if (n > 1)
			v[1 + rnd((uint32_t)n - 1)] ^= (char)(1 << rnd(8));
		break;
	}
	put(kv, r.key[i], slice_make(v, n));
}

static int
see(void *arg, const struct store_msg_info *m)
{
	struct world *w = arg;
	struct store_email e;
	uint64_t *id;
	size_t n;

	(void)store_email_get(w->st, w->a, m->email, &e);
	(void)store_thread_get(w->st, w->a, m->thread, &id, &n);
	return 0;
}

static void
read_all(struct world *w)
{
	static const enum store_type type[] = {
		STORE_T_EMAIL, STORE_T_THREAD, STORE_T_MAILBOX
	};
	struct store_mailbox *mb, one;
	struct store_change *c;
	struct store_msg *m;
	struct slice path, *name;
	struct store_usage u;
	uint32_t *uid;
	uint64_t s;
	size_t n, k;
	bool more;

	(void)store_mailbox_list(w->st, w->a, &mb, &n);
	(void)store_mailbox_find(w->st, w->a, S("trash"), &one);
	(void)store_mailbox_path(w->st, w->a, w->box, &path);
	(void)store_keywords(w->st, w->a, &name, &n);
	(void)store_usage(w->st, &u);
	if (store_msgs_load(w->st, w->inbox, 1, UINT32_MAX, 0, &m, &k) == 0)
		xfree(m);
	if (store_msgs_load(w->st, w->inbox, 1, UINT32_MAX, 3, &m, &k) == 0)
		xfree(m);
	(void)store_email_scan(w->st, 0, see, w);
	(void)store_vanished(w->st, w->a, w->inbox, 1, &uid, &n);
	for (int i = 0; i < 3; i++)
		(void)store_changes(w->st, w->a, type[i], 2, 3, &c, &n, &s,
		    &more);
}

static void
change_all(struct world *w)
{
	struct store_email_set set = { .id = (uint64_t)5 << 20,
	    .set_mailboxes = true, .mailboxes_add = &w->trash, .n_add = 1 };
	struct store_mailbox_set role = { .set_role = true };
	struct store_added r;
	uint32_t uid[10];
	uint64_t id;
	int rc;

	for (uint32_t i = 0; i < 10; i++)
		uid[i] = i + 1;
	(void)store_msgs_flag(w->st, w->a, w->inbox, uid, 10, STORE_FLAG_ADD,
	    STORE_SEEN, UINT64_MAX, NULL, NULL, NULL);
	(void)store_msgs_flag(w->st, w->a, w->inbox, uid, 10, STORE_FLAG_SET,
	    STORE_DELETED, UINT64_MAX, NULL, NULL, NULL);
	(void)add_to(w, "References: <a@x>\n\n1", &w->inbox, 1, 0, &r);
	(void)store_msgs_copy(w->st, w->a, w->box, uid, 10, w->trash, false,
	    NULL, NULL, NULL);
	(void)store_msgs_copy(w->st, w->a, w->inbox, uid, 4, w->box, true,
	    NULL, NULL, NULL);
	(void)store_email_change(w->st, &set, 1, &rc, NULL);
	(void)store_mailbox_update(w->st, w->trash, &role);
	(void)store_mailbox_create_path(w->st, S("box/new"), STORE_ROLE_NONE,
	    &id);
	(void)store_msgs_expunge(w->st, w->a, w->inbox, NULL, 0, NULL, NULL,
	    NULL);
	(void)store_mailbox_destroy(w->st, w->trash, true);
	w->f->conf.clock_offset = 100 * 86400;
	(void)store_idle(w->st, true);
	w->f->conf.clock_offset = 0;
}

static void
test_random(void **state)
{
	struct fixture *f = *state;

	print_message("# seed %llu\n", (unsigned long long)seed);
	for (unsigned i = 0; i < times; i++) {
		struct world w;
		struct kv *kv;
		size_t n;

		f->nth = i;
		w = world(state);
		fill(&w);
		kv = below(&w);
		for (uint32_t k = 1 + rnd(3); k > 0; k--)
			damage(kv, w.a);
		kv_close(&kv);
		(void)store_refresh(w.st);
		(void)store_check(w.st, true, NULL, NULL, &n);
		read_all(&w);
		change_all(&w);
		read_all(&w);
		(void)store_check(w.st, true, NULL, NULL, &n);
		store_close(&w.st);
		arena_free(&w.a);
	}
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_planted),
		cmocka_unit_test(test_random),
	};

	random_bytes(&seed, sizeof(seed));
	seed = seed % 1000000 + 1;
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		times = (unsigned)strtoul(argv[2], NULL, 10);
	return fixture_run("mem", tests, sizeof(tests) / sizeof(tests[0]));
}
