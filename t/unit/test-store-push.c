/* t/unit/test-store-push.c - push subscriptions */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "libstore/store-int.h"
#include "t/unit/store-fixture.h"

#define S(s) slice_str(s)

static struct slice names[] = { { "Email", 5 }, { "Mailbox", 7 } };

static struct store_push
sample(void)
{
	struct store_push v = {
		.state = STORE_PUSH_VERIFIED, .expires = 5000, .user = S("bob"),
		.device = S("d1"), .url = S("https://push.example/1"),
		.code = S("c0de"), .type = names, .n_type = 2
	};

	memset(v.credential, 7, sizeof(v.credential));
	return v;
}

static bool
has_hint(struct fixture *f, struct store *st)
{
	char path[256];
	struct stat sb;

	snprintf(path, sizeof(path), "%s/.push/%s", f->conf.mail_dir,
	    store_account_name(st));
	return stat(path, &sb) == 0;
}

static void
test_life(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_push v = sample(), w, *all;
	struct arena *a = arena_new(0);
	uint64_t id, id2;
	size_t n;

	assert_int_equal(store_push_list(st, a, &all, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_push_create(st, &v, &id), 0);
	v.p256dh = slice_make(arena_alloc(a, STORE_PUSH_KEY), STORE_PUSH_KEY);
	v.auth = slice_make(arena_alloc(a, STORE_PUSH_AUTH), STORE_PUSH_AUTH);
	v.all_types = true;
	assert_int_equal(store_push_create(st, &v, &id2), 0);
	assert_int_equal(store_push_get(st, a, id, &w), 0);
	assert_int_equal(w.state, STORE_PUSH_NEW);
	assert_int_equal(w.told, row_id_modseq(id));
	assert_null(w.p256dh.p);
	assert_null(w.auth.p);
	assert_false(w.all_types);
	assert_int_equal(w.n_type, 2);
	assert_true(slice_eq(w.type[1], S("Mailbox")));
	assert_true(slice_eq(w.url, v.url) && slice_eq(w.device, v.device));
	assert_true(slice_eq(w.code, v.code) && slice_eq(w.user, v.user));
	assert_memory_equal(w.credential, v.credential, 32);
	assert_int_equal(store_push_list(st, a, &all, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(all[0].id, id);
	assert_true(all[1].all_types && all[1].p256dh.n == STORE_PUSH_KEY);

	w = (struct store_push){ .state = STORE_PUSH_SENT, .told = 9,
		.next_try = 10, .attempts = 11, .gap_s = 12, .expires = 13,
		.all_types = true };
	assert_int_equal(store_push_update(st, id, &w,
	    STORE_PUSH_SET_STATE | STORE_PUSH_SET_TRY), 0);
	assert_int_equal(store_push_get(st, a, id, &v), 0);
	assert_int_equal(v.state, STORE_PUSH_SENT);
	assert_true(v.told == 9 && v.next_try == 10 && v.attempts == 11 &&
	    v.gap_s == 12 && v.expires == 5000 && !v.all_types);
	assert_int_equal(store_push_update(st, id, &w,
	    STORE_PUSH_SET_EXPIRES | STORE_PUSH_SET_TYPES), 0);
	assert_int_equal(store_push_get(st, a, id, &v), 0);
	assert_true(v.expires == 13 && v.all_types && v.n_type == 0);
	w.state = STORE_PUSH_VERIFIED;
	assert_int_equal(store_push_update(st, id, &w, STORE_PUSH_SET_STATE),
	    0);
	w.state = STORE_PUSH_SENT;	/* who sends is late */
	assert_int_equal(store_push_update(st, id, &w, STORE_PUSH_SET_STATE),
	    0);
	assert_int_equal(store_push_get(st, a, id, &v), 0);
	assert_int_equal(v.state, STORE_PUSH_VERIFIED);
	fixture_check(st);

	assert_int_equal(store_push_destroy(st, id), 0);
	assert_int_equal(store_push_destroy(st, id), STORE_E_NOTFOUND);
	assert_int_equal(store_push_get(st, a, id, &v), STORE_E_NOTFOUND);
	assert_int_equal(store_push_update(st, id, &w, STORE_PUSH_SET_TRY),
	    STORE_E_NOTFOUND);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static int
count(void *arg, const char *account)
{
	(void)account;
	++*(size_t *)arg;
	return 0;
}

static void
test_hint(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	struct store_push v = sample();
	char name[STORE_ACCOUNT_MAX + 1];
	uint64_t id;
	size_t n = 0;

	if (!store_conf_files(&f->conf)) {
		store_close(&st);
		return;
	}
	assert_false(has_hint(f, st));
	assert_int_equal(store_push_create(st, &v, &id), 0);
	assert_true(has_hint(f, st));
	assert_int_equal(store_push_settle(st), 0);
	assert_true(has_hint(f, st));
	assert_int_equal(store_push_each(&f->conf, count, &n), 0);
	assert_true(n >= 1);
	assert_int_equal(store_push_destroy(st, id), 0);
	assert_int_equal(store_push_settle(st), 0);
	assert_false(has_hint(f, st));
	assert_int_equal(store_push_create(st, &v, &id), 0);
	snprintf(name, sizeof(name), "%s", store_account_name(st));
	store_close(&st);
	assert_int_equal(store_account_delete(&f->conf, name), 0);
	n = 0;
	assert_int_equal(store_push_each(&f->conf, count, &n), 0);
	assert_int_equal(n, 0);
}

/* The hint that is made after the commit wakes, too: between the first and the
 * commit it may have been taken away, and then the commit woke nobody. */
static void
test_wake(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct store_push v = sample();
	struct store *st;
	char name[64];
	uint64_t id;
	int fd, n = 0;

	if (!store_conf_files(&f->conf))
		return;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/push.sock",
	    f->conf.mail_dir);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	f->conf.push_socket = sun.sun_path;
	st = fixture_account(f, "x1");
	while (recv(fd, name, sizeof(name), 0) >= 0)
		;
	assert_int_equal(store_push_create(st, &v, &id), 0);
	while (recv(fd, name, sizeof(name), 0) >= 0)
		n++;
	assert_int_equal(n, 2);
	store_close(&st);
	f->conf.push_socket = NULL;
	unlink(sun.sun_path);
	close(fd);
}

static void
test_bounds(void **state)
{
	struct store *st = fixture_account(*state, "x1");
	struct store_push v = sample(), w;
	struct arena *a = arena_new(0);
	struct slice many[STORE_PUSH_TYPES_MAX + 1];
	uint64_t id[STORE_PUSH_HOURLY + 1];
	size_t made = 0;
	int rc;

	w = v;
	w.url = slice_make(arena_alloc(a, 3000), 3000);
	assert_int_equal(store_push_create(st, &w, id), STORE_E_INVALID);
	w = v;
	w.device.n = 0;
	assert_int_equal(store_push_create(st, &w, id), STORE_E_INVALID);
	w = v;
	w.p256dh = S("short");
	w.auth = S("short");
	assert_int_equal(store_push_create(st, &w, id), STORE_E_INVALID);
	for (size_t i = 0; i <= STORE_PUSH_TYPES_MAX; i++)
		many[i] = S("x");
	w = v;
	w.type = many;
	w.n_type = STORE_PUSH_TYPES_MAX + 1;
	assert_int_equal(store_push_create(st, &w, id), STORE_E_INVALID);
	w.n_type--;
	assert_int_equal(store_push_create(st, &w, &id[made++]), 0);
	while ((rc = store_push_create(st, &v, &id[made])) == 0)
		made++;
	assert_int_equal(rc, STORE_E_LIMIT);
	assert_int_equal(made, STORE_PUSH_MAX);
	/* Destroyed and made again and again. */
	while (made < STORE_PUSH_HOURLY) {
		assert_int_equal(store_push_destroy(st,
		    id[made - STORE_PUSH_MAX]), 0);
		assert_int_equal(store_push_create(st, &v, &id[made++]), 0);
	}
	assert_int_equal(store_push_destroy(st, id[made - 1]), 0);
	assert_int_equal(store_push_create(st, &v, id), STORE_E_BUSY);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static void
test_repair(void **state)
{
	struct fixture *f = *state;
	struct store *st = fixture_account(f, "x1");
	struct store_push v = sample(), w;
	struct arena *a = arena_new(0);
	struct row_key k;
	uint64_t modseq, id, bad;
	struct kv_txn *t;

	assert_int_equal(store_push_create(st, &v, &id), 0);
	assert_int_equal(store_push_create(st, &v, &bad), 0);
	if (strcmp(f->engine, "bdb") != 0) {
		store_close(&st);
		arena_free(&a);
		return;
	}
	k = row_key_u64(ROW_K_PUSH, bad);
	assert_int_equal(kv_begin(st->kv, KV_RW, &t), 0);
	assert_int_equal(kv_put(t, row_key(&k), S("\1x")), 0);
	assert_int_equal(kv_commit(&t, &modseq), 0);
	fixture_repair(f, &st, 1);
	assert_int_equal(store_push_get(st, a, id, &w), 0);
	assert_true(slice_eq(w.url, v.url));
	assert_int_equal(w.told, 0);
	assert_int_equal(store_push_get(st, a, bad, &w), STORE_E_NOTFOUND);
	fixture_check(st);
	arena_free(&a);
	store_close(&st);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_life), cmocka_unit_test(test_hint),
	cmocka_unit_test(test_wake),
	cmocka_unit_test(test_bounds), cmocka_unit_test(test_repair),
};

int
main(int argc, char **argv)
{
	return fixture_run(argc > 1 ? argv[1] : NULL, tests,
	    sizeof(tests) / sizeof(tests[0]));
}
