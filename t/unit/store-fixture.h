/* t/unit/store-fixture.h - runs tests of the store over every engine */
#ifndef TEST_STORE_FIXTURE_H
#define TEST_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libstore/kv.h"
#include "libstore/store.h"

struct fixture {		/* the state of each test */
	const char *engine;
	struct store_conf conf;	/* with a directory of its own */
	char dir[64];
	unsigned nth;		/* part of accounts' names */
};

/* An account's name of this test's own; good for four calls. */
const char *fixture_name(const struct fixture *f, const char *name);
/* A new account of that name, opened. */
struct store *fixture_account(struct fixture *f, const char *name);
/* Asserts that store_check() finds nothing. */
void fixture_check(struct store *st);
/* Takes store_repair()'s and store_restore()'s texts, and drops them. */
void fixture_quiet(void *arg, const char *text);
/*
 * Asserts that a quick store_check() finds just that many faults, closes
 * the account, repairs it and opens it anew.
 */
void fixture_repair(struct fixture *f, struct store **st, size_t faults);

/* Runs the tests over one engine (NULL: all), as one TAP stream. */
int fixture_run(const char *engine, const struct CMUnitTest *tests, size_t n);

#endif
