/* t/unit/kv-model.c - a plain model of an engine's rows, for random tests */
#include "config.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/arena.h"
#include "libbase/xalloc.h"
#include "t/unit/kv-model.h"

enum { ROWS = 400, VALUE = 300 };

/* Row i has the key "row %05d" of i: a plain array is the model. */
struct row {
	bool there;
	size_t n;
	char val[VALUE];
};

struct model {
	uint32_t x;
	struct row now[ROWS], old[ROWS];
	struct arena *a;
	bool may_fail, failed;	/* reading */
};

struct model *
model_new(uint32_t seed)
{
	struct model *m = xcalloc(1, sizeof(*m));

	m->x = seed;
	m->a = arena_new(0);
	return m;
}

void
model_free(struct model **m)
{
	arena_free(&(*m)->a);
	xfree(*m);
	*m = NULL;
}

uint32_t
model_rand(struct model *m, uint32_t n)
{
	m->x ^= m->x << 13;
	m->x ^= m->x >> 17;
	m->x ^= m->x << 5;
	return m->x % n;
}

void
model_may_fail(struct model *m)
{
	m->may_fail = true;
}

/* A read may have failed; then nothing more is asked in this transaction. */
static bool
failed(struct model *m, int rc)
{
	if (m->may_fail && rc == STORE_E_IO)
		m->failed = true;
	return m->failed;
}

static struct slice
key_of(uint32_t i, char buf[20])
{
	snprintf(buf, 20, "row %05u", i);
	return slice_str(buf);
}

static void
do_put(struct model *m, struct kv_txn *txn, uint32_t i)
{
	struct row *r = &m->now[i];
	char key[20];

	r->there = true;
	r->n = model_rand(m, VALUE);
	for (size_t k = 0; k < r->n; k++)
		r->val[k] = (char)model_rand(m, 256);
	assert_int_equal(kv_put(txn, key_of(i, key), slice_make(r->val, r->n)),
	    0);
}

static void
do_patch(struct model *m, struct kv_txn *txn, uint32_t i)
{
	struct row *r = &m->now[i];
	size_t off = model_rand(m, VALUE), n = model_rand(m, 20);
	char key[20], octets[20];
	int rc;

	for (size_t k = 0; k < n; k++)
		octets[k] = (char)model_rand(m, 256);
	rc = kv_patch(txn, key_of(i, key), off, slice_make(octets, n));
	if (failed(m, rc))
		return;
	if (!r->there) {
		assert_int_equal(rc, STORE_E_NOTFOUND);
	} else if (off + n > r->n) {
		assert_int_equal(rc, STORE_E_INVALID);
	} else {
		assert_int_equal(rc, 0);
		memcpy(r->val + off, octets, n);
	}
}

static void
do_get(struct model *m, struct kv_txn *txn, uint32_t i)
{
	const struct row *r = &m->now[i];
	char key[20];
	struct slice v;
	int rc = kv_get(txn, m->a, key_of(i, key), &v);

	if (failed(m, rc))
		return;
	assert_int_equal(rc, r->there ? 0 : STORE_E_NOTFOUND);
	if (r->there)
		assert_true(slice_eq(v, slice_make(r->val, r->n)));
}

static void
do_del_range(struct model *m, struct kv_txn *txn, uint32_t i)
{
	uint32_t to = i + model_rand(m, 30);
	char a[20], b[20];

	assert_int_equal(kv_del_range(txn, key_of(i, a), key_of(to, b)), 0);
	for (; i < to && i < ROWS; i++)
		m->now[i].there = false;
}

static void
compare(struct model *m, struct kv_txn *txn, uint32_t from, uint32_t to,
    int flags)
{
	struct slice k, v;
	struct kv_scan *s;
	char key[20], a[20], b[20];
	int rc = 0;

	assert_int_equal(kv_scan_open(txn, key_of(from, a), key_of(to, b),
			     flags, &s), 0);
	for (uint32_t n = from; n < to; n++) {
		uint32_t i = flags & KV_REVERSE ? to - 1 - (n - from) : n;
		const struct row *r = &m->now[i];

		if (!r->there)
			continue;
		if (failed(m, rc = kv_scan_next(s, &k, &v)))
			break;
		assert_int_equal(rc, 1);
		assert_true(slice_eq(k, key_of(i, key)));
		assert_true(slice_eq(v, slice_make(r->val, r->n)));
	}
	if (!m->failed && !failed(m, rc = kv_scan_next(s, &k, &v)))
		assert_int_equal(rc, 0);
	kv_scan_close(&s);
}

void
model_compare(struct model *m, struct kv_txn *txn)
{
	compare(m, txn, 0, ROWS, 0);
	compare(m, txn, 0, ROWS, KV_REVERSE);
	compare(m, txn, ROWS / 3, ROWS / 2, 0);
	compare(m, txn, ROWS / 3, ROWS / 2, KV_REVERSE);
}

int
model_txn(struct model *m, struct kv_txn *txn, uint32_t n)
{
	char key[20];

	m->failed = false;
	while (n-- > 0 && !m->failed) {
		uint32_t i = model_rand(m, ROWS);

		switch (model_rand(m, 16)) {
		case 0:
			do_del_range(m, txn, i);
			break;
		case 1:
		case 2:
			assert_int_equal(kv_del(txn, key_of(i, key)), 0);
			m->now[i].there = false;
			break;
		case 3:
		case 4:
		case 5:
		case 6:
			do_patch(m, txn, i);
			break;
		case 7:
			do_get(m, txn, i);
			break;
		default:
			do_put(m, txn, i);
		}
	}
	if (!m->failed && model_rand(m, 8) == 0)
		model_compare(m, txn);
	arena_reset(m->a);
	return m->failed ? STORE_E_IO : 0;
}

void
model_commit(struct model *m)
{
	memcpy(m->old, m->now, sizeof(m->old));
}

void
model_abort(struct model *m)
{
	memcpy(m->now, m->old, sizeof(m->now));
}

static int
rm(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
model_rmtree(const char *path)
{
	(void)nftw(path, rm, 20, FTW_DEPTH | FTW_PHYS);
}
