/* t/unit/store-fixture.c - runs tests of the store over every engine */
#include "config.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libbase/xalloc.h"
#include "t/unit/store-fixture.h"

static const char *const engines[] = { "mem", "chaos:mem", "bdb", "chaos" };
enum { ENGINES = sizeof(engines) / sizeof(engines[0]) };

const char *
fixture_name(const struct fixture *f, const char *name)
{
	static char full[4][100];
	static int i;

	i = (i + 1) % 4;
	/* Tables in memory outlive the test. */
	snprintf(full[i], sizeof(full[i]), "%s%s%u", name,
	    f->dir + strlen("/tmp/culver-store."), f->nth);
	return full[i];
}

struct store *
fixture_account(struct fixture *f, const char *name)
{
	const char *full = fixture_name(f, name);
	struct store *st;

	assert_int_equal(store_account_create(&f->conf, full), 0);
	assert_int_equal(store_open(&f->conf, full, &st), 0);
	return st;
}

static void
fault(void *arg, const char *text)
{
	(void)arg;
	print_message("# fault: %s\n", text);
}

void
fixture_check(struct store *st)
{
	size_t n;

	assert_int_equal(store_check(st, true, fault, NULL, &n), 0);
	assert_int_equal(n, 0);
}

void
fixture_quiet(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

void
fixture_repair(struct fixture *f, struct store **st, size_t faults)
{
	char name[STORE_ACCOUNT_MAX + 1];
	size_t n;

	snprintf(name, sizeof(name), "%s", store_account_name(*st));
	assert_int_equal(store_check(*st, false, NULL, NULL, &n), 0);
	assert_int_equal(n, faults);
	store_close(st);
	assert_int_equal(store_repair(&f->conf, name, fixture_quiet, NULL), 0);
	assert_int_equal(store_open(&f->conf, name, st), 0);
}

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->engine = *state;
	snprintf(f->dir, sizeof(f->dir), "/tmp/culver-store.XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	f->conf.engine = f->engine;
	f->conf.mail_dir = f->dir;
	f->conf.lock_wait_ms = 5000;
	f->conf.chaos_seed = 1;
	f->conf.chaos_kinds = KV_CHAOS_CONFLICT | KV_CHAOS_UNKNOWN;
	*state = f;
	return 0;
}

static int
unlink_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	nftw(f->dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	xfree(f);
	return 0;
}

int
fixture_run(const char *engine, const struct CMUnitTest *tests, size_t n)
{
	struct CMUnitTest *all = xcalloc(n * ENGINES, sizeof(*all));
	size_t k = 0;
	int rc;

	for (int e = 0; e < ENGINES; e++) {
		if (engine && strcmp(engine, engines[e]) != 0)
			continue;
		for (size_t i = 0; i < n; i++, k++) {
			char *name = xasprintf("%s: %s", engines[e],
			    tests[i].name);

			all[k] = tests[i];
			all[k].name = name;
			all[k].setup_func = setup;
			all[k].teardown_func = teardown;
			all[k].initial_state = xstrdup(engines[e]);
		}
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	rc = _cmocka_run_group_tests("store", all, k, NULL, NULL);
	for (size_t i = 0; i < k; i++) {
		xfree((char *)(uintptr_t)all[i].name);
		xfree(all[i].initial_state);
	}
	xfree(all);
	return rc;
}
