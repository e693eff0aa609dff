/* t/unit/test-kv.c - the engine interface, over every engine */
#include "config.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/xalloc.h"
#include "t/unit/kv-conform.h"
#include "t/unit/kv-model.h"

struct kv_conf conf;
char top[64];
struct arena *arena;

/* A new account's name; the account doesn't exist. */
static const char *
fresh_dir(void)
{
	static char dir[100];
	static int n;

	snprintf(dir, sizeof(dir), "%s/%s%d", top, conf.engine, n++);
	for (char *p = dir + strlen(top) + 1; *p != '\0'; p++)
		if (*p == ':')
			*p = '-';
	return dir;
}

struct kv *
fresh(void)
{
	struct kv *kv;

	assert_int_equal(kv_open(&conf, fresh_dir(), KV_CREATE, &kv), 0);
	return kv;
}

struct kv *
reopen(struct kv *kv)
{
	struct kv *other;

	assert_int_equal(kv_reopen(kv, &other), 0);
	return other;
}

struct kv_txn *
begin(struct kv *kv, int mode)
{
	struct kv_txn *txn;

	assert_int_equal(kv_begin(kv, mode, &txn), 0);
	return txn;
}

uint64_t
commit(struct kv_txn **txn)
{
	uint64_t modseq = 0;

	assert_int_equal(kv_commit(txn, &modseq), 0);
	assert_null(*txn);
	return modseq;
}

void
put1(struct kv *kv, const char *key, const char *val)
{
	struct kv_txn *txn = begin(kv, KV_RW);

	assert_int_equal(kv_put(txn, slice_str(key), slice_str(val)), 0);
	commit(&txn);
}

/* The value of key as text, or NULL. */
static const char *
get1(struct kv_txn *txn, const char *key)
{
	struct slice v;
	int rc = kv_get(txn, arena, slice_str(key), &v);

	if (rc == STORE_E_NOTFOUND)
		return NULL;
	assert_int_equal(rc, 0);
	return arena_strndup(arena, v.p, v.n);
}

static const char *
peek(struct kv *kv, const char *key)
{
	struct kv_txn *txn = begin(kv, KV_RO);
	const char *v = get1(txn, key);

	kv_abort(&txn);
	return v;
}

static void
test_open(void **state)
{
	const char *dir = fresh_dir();
	struct kv *kv = NULL, *other;
	struct kv_conf bad = { .engine = "no such engine" };

	(void)state;
	assert_int_equal(kv_open(&conf, dir, 0, &kv), STORE_E_NOTFOUND);
	assert_null(kv);
	assert_int_equal(kv_open(&conf, dir, KV_CREATE, &kv), 0);
	assert_int_equal(kv_open(&conf, dir, KV_CREATE, &other),
	    STORE_E_EXISTS);
	assert_int_equal(kv_modseq(kv), 0);
	assert_int_equal(kv_refresh(kv), 0);
	put1(kv, "a", "1");
	assert_int_equal(kv_modseq(kv), 1);
	kv_close(&kv);
	assert_null(kv);
	assert_int_equal(kv_open(&conf, dir, 0, &kv), 0);
	assert_int_equal(kv_modseq(kv), 1);
	assert_string_equal(peek(kv, "a"), "1");
	kv_close(&kv);
	kv_close(&kv);
	assert_int_equal(kv_open(&bad, dir, 0, &kv), STORE_E_INVALID);
}

static void
test_txn(void **state)
{
	struct kv *kv = fresh(), *other;
	struct kv_txn *txn;
	uint64_t modseq;

	(void)state;
	txn = begin(kv, KV_RW);
	assert_int_equal(kv_txn_modseq(txn), 1);
	assert_null(get1(txn, "a"));
	assert_int_equal(kv_put(txn, slice_str("a"), slice_str("1")), 0);
	assert_string_equal(get1(txn, "a"), "1");
	kv_abort(&txn);
	assert_null(txn);
	kv_abort(&txn);
	assert_null(peek(kv, "a"));

	put1(kv, "a", "1");
	other = reopen(kv);
	put1(kv, "a", "2");
	assert_string_equal(peek(other, "a"), "1");
	assert_int_equal(kv_modseq(other), 1);
	assert_int_equal(kv_refresh(other), 1);
	assert_int_equal(kv_refresh(other), 0);
	assert_string_equal(peek(other, "a"), "2");
	assert_int_equal(kv_modseq(other), 2);

	/* Nothing written: no modseq. */
	txn = begin(kv, KV_RW);
	assert_int_equal(kv_txn_modseq(txn), 3);
	modseq = commit(&txn);
	assert_int_equal(modseq, 2);
	assert_int_equal(kv_modseq(kv), 2);
	txn = begin(kv, KV_RO);
	assert_int_equal(kv_txn_modseq(txn), 2);
	assert_int_equal(commit(&txn), 2);

	/* A writer sees the newest state though its handle did not. */
	put1(kv, "b", "3");
	txn = begin(other, KV_RW);
	assert_string_equal(get1(txn, "b"), "3");
	assert_int_equal(kv_txn_modseq(txn), 4);
	kv_abort(&txn);
	kv_close(&other);
	kv_close(&kv);
}

static void
test_limits(void **state)
{
	struct kv *kv = fresh();
	struct kv_txn *txn = begin(kv, KV_RW);
	char *big = xcalloc(1, KV_VALUE_MAX + 1), key[KV_KEY_MAX + 1];
	struct slice v;
	int rc = 0, n = 0;

	(void)state;
	memset(key, 'k', sizeof(key));
	assert_int_equal(kv_put(txn, slice_make(key, 0), slice_str("")),
	    STORE_E_INVALID);
	assert_int_equal(kv_put(txn, slice_make(key, sizeof(key)),
			     slice_str("")), STORE_E_INVALID);
	assert_int_equal(kv_put(txn, slice_make(key, KV_KEY_MAX),
			     slice_make(big, KV_VALUE_MAX)), 0);
	assert_int_equal(kv_put(txn, slice_str("x"),
			     slice_make(big, KV_VALUE_MAX + 1)),
	    STORE_E_TOOBIG);
	assert_int_equal(kv_put(txn, slice_str("empty"), slice_str("")), 0);
	commit(&txn);
	txn = begin(kv, KV_RO);
	assert_int_equal(kv_get(txn, arena, slice_make(key, KV_KEY_MAX), &v),
	    0);
	assert_int_equal(v.n, KV_VALUE_MAX);
	assert_int_equal(kv_get(txn, arena, slice_str("empty"), &v), 0);
	assert_int_equal(v.n, 0);
	assert_non_null(v.p);
	kv_abort(&txn);

	/* More than a transaction holds: refused, and nothing of it is done. */
	txn = begin(kv, KV_RW);
	for (; rc == 0 && n < 1000; n++) {
		snprintf(key, sizeof(key), "row %d", n);
		rc = kv_put(txn, slice_str(key), slice_make(big, KV_VALUE_MAX));
	}
	assert_int_equal(rc, STORE_E_TOOBIG);
	assert_in_range(n, 100, 200);
	assert_int_equal(kv_commit(&txn, NULL), STORE_E_TOOBIG);
	assert_null(peek(kv, "row 0"));
	assert_int_equal(kv_modseq(kv), 1);
	xfree(big);
	kv_close(&kv);
}

static void
test_patch(void **state)
{
	struct kv *kv = fresh(), *other;
	struct kv_txn *txn;

	(void)state;
	put1(kv, "a", "0123456789");
	other = reopen(kv);
	txn = begin(kv, KV_RW);
	assert_int_equal(kv_patch(txn, slice_str("b"), 0, slice_str("x")),
	    STORE_E_NOTFOUND);
	assert_int_equal(kv_patch(txn, slice_str("a"), 9, slice_str("xx")),
	    STORE_E_INVALID);
	assert_int_equal(kv_patch(txn, slice_str("a"), 11, slice_str("")),
	    STORE_E_INVALID);
	assert_int_equal(kv_patch(txn, slice_str("a"), 2, slice_str("xy")), 0);
	assert_int_equal(kv_patch(txn, slice_str("a"), 3, slice_str("z")), 0);
	assert_string_equal(get1(txn, "a"), "01xz456789");
	commit(&txn);
	assert_string_equal(peek(other, "a"), "0123456789");
	kv_refresh(other);
	assert_string_equal(peek(other, "a"), "01xz456789");
	txn = begin(other, KV_RW);
	assert_int_equal(kv_patch(txn, slice_str("a"), 0, slice_str("!")), 0);
	assert_int_equal(kv_del(txn, slice_str("a")), 0);
	assert_int_equal(kv_patch(txn, slice_str("a"), 0, slice_str("?")),
	    STORE_E_NOTFOUND);
	assert_int_equal(kv_put(txn, slice_str("a"), slice_str("new")), 0);
	assert_int_equal(kv_patch(txn, slice_str("a"), 2, slice_str("t")), 0);
	commit(&txn);
	kv_refresh(kv);
	assert_string_equal(peek(kv, "a"), "net");
	kv_close(&other);
	kv_close(&kv);
}

/* The keys of a scan, each followed by a blank. */
static const char *
scan(struct kv_txn *txn, const char *from, const char *to, int flags)
{
	struct kv_scan *s;
	struct slice k, v;
	char *all = arena_strdup(arena, "");
	int rc;

	assert_int_equal(kv_scan_open(txn, slice_str(from), slice_str(to),
			     flags, &s), 0);
	while ((rc = kv_scan_next(s, &k, &v)) == 1)
		all = arena_printf(arena, "%s%.*s=%.*s ", all, (int)k.n, k.p,
		    (int)v.n, v.p);
	assert_int_equal(rc, 0);
	kv_scan_close(&s);
	assert_null(s);
	return all;
}

static void
test_scan(void **state)
{
	static const char *keys[] = { "d", "b", "e", "a", "c", "bb" };
	struct kv *kv = fresh();
	struct kv_txn *txn;

	(void)state;
	txn = begin(kv, KV_RW);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		kv_put(txn, slice_str(keys[i]), slice_str(keys[i]));
	commit(&txn);
	if (kv_idle(kv, true) < 0)
		fail();
	txn = begin(kv, KV_RW);
	assert_string_equal(scan(txn, "", "", 0),
	    "a=a b=b bb=bb c=c d=d e=e ");
	assert_string_equal(scan(txn, "b", "d", 0), "b=b bb=bb c=c ");
	assert_string_equal(scan(txn, "b", "d", KV_REVERSE), "c=c bb=bb b=b ");
	assert_string_equal(scan(txn, "", "", KV_REVERSE),
	    "e=e d=d c=c bb=bb b=b a=a ");
	assert_string_equal(scan(txn, "ba", "", KV_REVERSE),
	    "e=e d=d c=c bb=bb ");
	assert_string_equal(scan(txn, "x", "", 0), "");
	assert_string_equal(scan(txn, "", "a", KV_REVERSE), "");
	kv_put(txn, slice_str("bz"), slice_str("new"));
	kv_del(txn, slice_str("c"));
	kv_put(txn, slice_str("a"), slice_str("A"));
	kv_patch(txn, slice_str("bb"), 1, slice_str("!"));
	kv_del(txn, slice_str("not there"));
	assert_string_equal(scan(txn, "", "", 0),
	    "a=A b=b bb=b! bz=new d=d e=e ");
	assert_string_equal(scan(txn, "", "", KV_REVERSE),
	    "e=e d=d bz=new bb=b! b=b a=A ");
	assert_int_equal(kv_del_range(txn, slice_str("b"), slice_str("d")), 0);
	assert_string_equal(scan(txn, "", "", 0), "a=A d=d e=e ");
	assert_null(get1(txn, "bb"));
	kv_put(txn, slice_str("bb"), slice_str("again"));
	assert_string_equal(scan(txn, "", "", 0), "a=A bb=again d=d e=e ");
	commit(&txn);
	txn = begin(kv, KV_RW);
	assert_int_equal(kv_del_range(txn, slice_str("d"), slice_str("")), 0);
	assert_int_equal(kv_del_range(txn, slice_str("z"), slice_str("a")), 0);
	assert_string_equal(scan(txn, "", "", KV_REVERSE), "bb=again a=A ");
	commit(&txn);
	kv_close(&kv);
}

static void
test_scan_pinned(void **state)
{
	struct kv *kv = fresh();
	struct kv_txn *txn = begin(kv, KV_RW);
	struct kv_scan *s, *s2;
	struct slice k, v, k2;
	char key[20];
	int n = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%04d", i);
		kv_put(txn, slice_str(key), slice_str(key));
	}
	/* Deleting what a scan shows, as a caller would. */
	assert_int_equal(kv_scan_open(txn, slice_str("0100"),
			     slice_str("0200"), 0, &s), 0);
	assert_int_equal(kv_scan_open(txn, slice_str(""), slice_str(""),
			     KV_REVERSE, &s2), 0);
	while (kv_scan_next(s, &k, &v) == 1) {
		assert_int_equal(kv_scan_next(s2, &k2, &v), 1);
		assert_int_equal(kv_del(txn, k), 0);
		n++;
	}
	assert_int_equal(n, 100);
	assert_true(slice_eq(k2, slice_str("0900")));
	kv_scan_close(&s);
	kv_scan_close(&s2);
	assert_string_equal(scan(txn, "0099", "0201", 0),
	    "0099=0099 0200=0200 ");
	commit(&txn);
	kv_close(&kv);
}

static void
test_getn(void **state)
{
	struct kv *kv = fresh();
	struct slice keys[3] = { SLICE_LIT("c"), SLICE_LIT("x"),
		SLICE_LIT("a") }, vals[3];
	struct kv_txn *txn;

	(void)state;
	put1(kv, "a", "1");
	put1(kv, "c", "3");
	txn = begin(kv, KV_RO);
	assert_int_equal(kv_getn(txn, arena, keys, 3, vals), 0);
	assert_true(slice_eq(vals[0], slice_str("3")));
	assert_null(vals[1].p);
	assert_true(slice_eq(vals[2], slice_str("1")));
	kv_abort(&txn);
	kv_close(&kv);
}

static void
test_writers(void **state)
{
	struct kv *a = fresh(), *b = reopen(a);
	struct kv_txn *ta, *tb;
	int rc;

	(void)state;
	ta = begin(a, KV_RW);
	kv_put(ta, slice_str("k"), slice_str("a"));
	/* The second writer waits in vain, or loses at its commit. */
	rc = kv_begin(b, KV_RW, &tb);
	if (rc == 0) {
		kv_put(tb, slice_str("k"), slice_str("b"));
		commit(&ta);
		assert_int_equal(kv_commit(&tb, NULL), STORE_E_CONFLICT);
	} else {
		assert_int_equal(rc, STORE_E_BUSY);
		commit(&ta);
	}
	assert_string_equal(peek(a, "k"), "a");
	tb = begin(b, KV_RW);
	assert_string_equal(get1(tb, "k"), "a");
	kv_put(tb, slice_str("k"), slice_str("b"));
	assert_int_equal(commit(&tb), 2);
	kv_close(&b);
	kv_close(&a);
}

/* Random transactions on several handles, compared with a plain model. */
static void
test_random(void **state)
{
	struct kv *kv[3] = { fresh(), NULL, NULL };
	struct model *m = model_new(12345);

	(void)state;
	kv[1] = reopen(kv[0]);
	kv[2] = reopen(kv[0]);
	for (int i = 0; i < 400; i++) {
		struct kv *h = kv[model_rand(m, 3)];
		struct kv_txn *txn = begin(h, KV_RW);

		model_txn(m, txn, 1 + model_rand(m, 20));
		if (model_rand(m, 5) == 0) {
			kv_abort(&txn);
			model_abort(m);
		} else {
			uint64_t modseq = commit(&txn);

			assert_int_equal(modseq, kv_modseq(h));
			model_commit(m);
		}
		if (model_rand(m, 20) == 0)
			assert_true(kv_idle(h, true) >= 0);
		if (model_rand(m, 10) == 0) {
			h = kv[model_rand(m, 3)];
			assert_true(kv_refresh(h) >= 0);
			txn = begin(h, KV_RO);
			model_compare(m, txn);
			kv_abort(&txn);
		}
		arena_reset(arena);
	}
	for (int i = 0; i < 3; i++) {
		kv_refresh(kv[i]);
		kv_close(&kv[i]);
	}
	model_free(&m);
}

/* A random transaction that may fail in any way that chaos knows. */
static int
chaos_txn(struct kv **kv, struct model *m)
{
	struct kv_txn *txn;
	struct kv *other;
	uint64_t want;
	int rc;

	rc = kv_begin(*kv, KV_RW, &txn);
	if (rc == STORE_E_FENCED) {
		other = reopen(*kv);
		kv_close(kv);
		*kv = other;
		rc = kv_begin(*kv, KV_RW, &txn);
	}
	assert_int_equal(rc, 0);
	want = kv_txn_modseq(txn);
	model_txn(m, txn, 1 + model_rand(m, 10));
	assert_int_equal(kv_put(txn, slice_str("wrote"), slice_str("")), 0);
	rc = kv_commit(&txn, NULL);
	assert_null(txn);
	other = reopen(*kv);
	if (rc == STORE_E_UNKNOWN ? kv_modseq(other) == want : rc == 0)
		model_commit(m);
	else {
		assert_int_equal(kv_modseq(other), want - 1);
		model_abort(m);
	}
	kv_close(&other);
	return rc;
}

static void
test_chaos(void **state)
{
	static const int kinds[] = { 0, STORE_E_CONFLICT, STORE_E_UNKNOWN,
		STORE_E_FENCED, STORE_E_BUSY };
	int seen[5] = { 0 };
	struct model *m = model_new(99);
	struct kv_txn *txn;
	struct kv *kv;

	(void)state;
	conf.chaos_every = 3;
	conf.chaos_seed = 5;
	kv = fresh();
	for (int i = 0; i < 300; i++) {
		int rc = chaos_txn(&kv, m);

		for (size_t k = 0; k < 5; k++)
			seen[k] += rc == kinds[k];
		txn = begin(kv, KV_RO);
		if (rc != STORE_E_UNKNOWN)
			model_compare(m, txn);
		kv_abort(&txn);
		arena_reset(arena);
	}
	for (size_t k = 0; k < 5; k++)
		assert_true(seen[k] >= 10);
	assert_in_range(seen[0], 150, 250);
	kv_close(&kv);
	model_free(&m);
}

/* ---- threads ------------------------------------------------------------ */

enum { THREADS = 4, COUNTS = 60 };

struct counter {
	struct kv *kv;
	uint64_t last;		/* modseq */
	const char *failed;
};

/* Adds one to the row "count": 1, 0: lost a race, or negative. */
static int
count_one(struct counter *c, struct arena *a)
{
	struct kv_txn *txn;
	struct slice v;
	uint64_t n = 0, modseq;
	int rc;

	if ((rc = kv_begin(c->kv, KV_RW, &txn)) < 0)
		return rc == STORE_E_BUSY ? 0 : rc;
	if (kv_get(txn, a, slice_str("count"), &v) == 0)
		(void)slice_uint(v, UINT64_MAX, &n);
	(void)kv_put(txn, slice_str("count"),
	    slice_str(arena_printf(a, "%llu", (unsigned long long)n + 1)));
	if ((rc = kv_commit(&txn, &modseq)) < 0)
		return rc == STORE_E_CONFLICT ? 0 : rc;
	if (modseq <= c->last)
		c->failed = "modseq";
	c->last = modseq;
	return 1;
}

static void *
count_all(void *arg)
{
	struct counter *c = arg;
	struct arena *a = arena_new(0);
	int rc;

	for (int i = 0; i < COUNTS && c->failed == NULL; i++) {
		while ((rc = count_one(c, a)) == 0)
			;
		if (rc == 1 && i % 20 == 7)
			rc = kv_idle(c->kv, true);
		if (rc < 0 && rc != STORE_E_BUSY)
			c->failed = kv_errmsg(c->kv);
		arena_reset(a);
	}
	arena_free(&a);
	return NULL;
}

static void
test_threads(void **state)
{
	struct kv *kv;
	struct counter c[THREADS] = { 0 };
	pthread_t t[THREADS];
	char want[20];

	(void)state;
	conf.lock_wait_ms = 2000;
	kv = fresh();
	for (int i = 0; i < THREADS; i++) {
		c[i].kv = reopen(kv);
		assert_int_equal(pthread_create(&t[i], NULL, count_all, &c[i]),
		    0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		if (c[i].failed != NULL)
			fail_msg("%s", c[i].failed);
		kv_close(&c[i].kv);
	}
	assert_int_equal(kv_refresh(kv), 1);
	snprintf(want, sizeof(want), "%d", THREADS * COUNTS);
	assert_string_equal(peek(kv, "count"), want);
	kv_close(&kv);
}

/* ---- each test over each engine ----------------------------------------- */

static int
setup(void **state)
{
	conf = (struct kv_conf){ .engine = *state, .lock_wait_ms = 50,
		.chaos_seed = 1, .chaos_every = CALM };
	arena = arena_new(0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

#define T(f) { #f, f, setup, teardown, NULL }

static const struct CMUnitTest all[] = { T(test_threads), T(test_open),
	T(test_txn), T(test_limits), T(test_patch), T(test_scan), T(test_scan_pinned),
	T(test_getn), T(test_writers), T(test_random), T(test_blob),
	T(test_blob_fd), T(test_blob_del), T(test_watch_few),
	T(test_watch_many), T(test_chaos) };

enum { N_ALL = sizeof(all) / sizeof(all[0]), N_ENGINES = 4 };

int
main(void)
{
	static char engines[N_ENGINES][10] = { "mem", "bdb", "chaos:mem",
		"chaos" };
	static char names[N_ALL * N_ENGINES][50];
	struct CMUnitTest tests[N_ALL * N_ENGINES];
	size_t n = 0;
	int failed;

	snprintf(top, sizeof(top), "/tmp/culver-kv.XXXXXX");
	if (mkdtemp(top) == NULL)
		return 1;
	for (size_t e = 0; e < N_ENGINES; e++)
		for (size_t i = 0; i < N_ALL; i++) {
			/* Of test_chaos only the wrapping engines know. */
			if (all[i].test_func == test_chaos &&
			    strncmp(engines[e], "chaos", 5) != 0)
				continue;
			tests[n] = all[i];
			snprintf(names[n], sizeof(names[n]), "%s: %s",
			    engines[e], all[i].name);
			tests[n].name = names[n];
			tests[n++].initial_state = engines[e];
		}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = _cmocka_run_group_tests("kv", tests, n, NULL, NULL);
	model_rmtree(top);
	return failed;
}
