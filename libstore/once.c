/*
 * libstore/once.c - messages that a mailbox is given once only
 *
 * What came is remembered by a hash of the mailbox and a name, for a time and
 * up to a number; the row without a hash counts the others.
 */
#include "config.h"

#include <stdlib.h>

#include "libbase/io.h"
#include "libstore/store-int.h"

enum {
	ONCE_MAX = 1024,	/* that are remembered */
	ONCE_LEFT = 512		/* ... after there were too many */
};

struct once {
	struct row_key key;
	int64_t when;
};

struct row_key
once_key(uint64_t mailbox, struct slice name)
{
	struct row_key k = row_key_kind(ROW_K_ONCE);
	unsigned char hash[SHA256_LEN], id[8];
	struct sha256 *h = sha256_new();

	for (size_t i = 0; i < sizeof(id); i++)
		id[i] = (unsigned char)(mailbox >> (56 - 8 * i));
	sha256_add(h, id, sizeof(id));
	sha256_add(h, name.p, name.n);
	sha256_finish(&h, hash);
	memcpy(k.b + k.n, hash, ROW_NAME_HASH);
	k.n += ROW_NAME_HASH;
	return k;
}

static int
newest_first(const void *a, const void *b)
{
	int64_t x = ((const struct once *)a)->when,
		y = ((const struct once *)b)->when;

	return (x < y) - (x > y);
}

/* All of them into *l_r, *n_r. */
static int
once_read(struct work *w, struct once **l_r, size_t *n_r)
{
	struct row_key from = row_key_kind(ROW_K_ONCE);
	struct row_key to = row_key_after(from);
	struct kv_scan *s = NULL;
	struct once *l = NULL;
	struct slice key, val;
	size_t n = 0, cap = 0;
	uint64_t when;
	int rc;

	rc = kv_scan_open(w->t, row_key(&from), row_key(&to), 0, &s);
	while (rc >= 0 && (rc = kv_scan_next(s, &key, &val)) > 0) {
		if (key.n == 1)		/* the count */
			continue;
		if (key.n > ROW_KEY_MAX)
			rc = STORE_E_CORRUPT;
		if (rc < 0 || (rc = row_u64_get(val, &when)) < 0)
			break;
		l = arena_grow(w->a, l, &cap, n + 1, sizeof(*l));
		memcpy(l[n].key.b, key.p, key.n);
		l[n].key.n = key.n;
		l[n++].when = (int64_t)when;
	}
	kv_scan_close(&s);
	*l_r = l;
	*n_r = n;
	return rc;
}

/* Forgets those of before a time and the oldest of the others. */
static int
once_prune(struct work *w, int64_t since, uint64_t *left_r)
{
	struct once *l;
	uint64_t left = 0;
	size_t n;
	int rc;

	if ((rc = once_read(w, &l, &n)) < 0)
		return rc;
	if (n > 0)
		qsort(l, n, sizeof(*l), newest_first);
	for (size_t i = 0; i < n; i++)
		if (i < ONCE_LEFT && l[i].when >= since)
			left++;
		else if ((rc = work_del(w, l[i].key)) < 0)
			return rc;
	*left_r = left;
	return 0;
}

int
once_claim(struct work *w, uint64_t mailbox, struct slice name, int64_t now,
    int64_t interval_s)
{
	struct row_key k = once_key(mailbox, name);
	struct row_key count = row_key_kind(ROW_K_ONCE);
	int64_t since = now - interval_s + 1;
	uint64_t when, n = 0;
	struct slice v;
	int rc;

	if ((rc = work_get(w, k, &v)) == 0) {
		if ((rc = row_u64_get(v, &when)) < 0)
			return rc;
		if ((int64_t)when >= since && (int64_t)when <= now)
			return STORE_E_EXISTS;
	} else if (rc != STORE_E_NOTFOUND) {
		return rc;
	} else {
		if ((rc = work_get(w, count, &v)) == 0)
			rc = row_u64_get(v, &n);
		if (rc < 0 && rc != STORE_E_NOTFOUND)
			return rc;
		if (n >= ONCE_MAX && (rc = once_prune(w, since, &n)) < 0)
			return rc;
		row_u64_put(&w->st->val, n + 1);
		if ((rc = work_put(w, count)) < 0)
			return rc;
	}
	row_u64_put(&w->st->val, (uint64_t)now);
	return work_put(w, k);
}
