/* libstore/rows-bulk.c - rows with many entries: tombstones and chunks */
#include "config.h"

#include <assert.h>

#include "libstore/rows.h"

/* ---- tombstones -------------------------------------------------------- */

enum {
	TOMB_RUN_MAX = 1 + 8 + 5,	/* head of a run */
	TOMB_ENTRY_MAX = 5 + 10 + 10 + 10
};

static uint64_t
zigzag(uint64_t to, uint64_t from)
{
	int64_t d = (int64_t)(to - from);

	return (uint64_t)d << 1 ^ (uint64_t)(d < 0 ? -1 : 0);
}

static uint64_t
unzigzag(uint64_t from, uint64_t z)
{
	return from + (z >> 1 ^ (uint64_t)-(int64_t)(z & 1));
}

/* How many from t on make one run, in the octets left. */
static size_t
tomb_run(const struct row_tomb *t, size_t n, size_t left)
{
	size_t i, room;

	if (t[0].kind == ROW_TOMB_MAILBOX)
		return 1;
	room = (left - TOMB_RUN_MAX) / TOMB_ENTRY_MAX;
	for (i = 1; i < n && i < room; i++)
		if (t[i].kind != t[0].kind || t[i].mailbox != t[0].mailbox ||
		    t[i].uid <= t[i - 1].uid)
			break;
	return i;
}

size_t
row_tombs_put(struct buf *b, int64_t when, const struct row_tomb *t, size_t n,
    size_t max)
{
	size_t i = 0, run;

	buf_reset(b);
	buf_addc(b, ROW_VERSION);
	buf_add_be64(b, (uint64_t)when);
	while (i < n && b->n + TOMB_RUN_MAX + TOMB_ENTRY_MAX +
	    t[i].path.n <= max) {
		uint32_t uid = 0;
		uint64_t email = 0;

		run = tomb_run(t + i, n - i, max - b->n);
		buf_addc(b, (char)t[i].kind);
		buf_add_be64(b, t[i].mailbox);
		if (t[i].kind == ROW_TOMB_MAILBOX) {
			buf_add_lstr(b, t[i].path);
			i++;
			continue;
		}
		buf_add_varint(b, run);
		for (; run > 0; run--, i++) {
			buf_add_varint(b, t[i].uid - uid);
			buf_add_varint(b, zigzag(t[i].email, email));
			buf_add_varint(b, zigzag(t[i].thread, t[i].email));
			buf_add_varint(b, t[i].flags);
			uid = t[i].uid;
			email = t[i].email;
		}
	}
	return i;
}

static int
tomb_get_run(struct cur *c, struct row_tomb *t,
    int (*fn)(void *arg, const struct row_tomb *t), void *arg)
{
	uint64_t n = cur_varint(c), d;
	int rc;

	t->uid = 0;
	t->email = 0;
	if (n == 0 || n > cur_left(c) / 4)
		return STORE_E_CORRUPT;
	for (; n > 0; n--) {
		d = cur_varint(c);
		if (d == 0 || d > UINT32_MAX - t->uid)
			return STORE_E_CORRUPT;
		t->uid += (uint32_t)d;
		t->email = unzigzag(t->email, cur_varint(c));
		t->thread = unzigzag(t->email, cur_varint(c));
		t->flags = cur_varint(c);
		if (!cur_ok(c))
			return STORE_E_CORRUPT;
		if ((rc = fn(arg, t)) != 0)
			return rc;
	}
	return 0;
}

static int
tombs_open(struct slice v, struct cur *c, int64_t *when_r)
{
	int rc;

	*c = cur_make(v);
	if ((rc = row_version(cur_u8(c), "tombstones")) < 0)
		return rc;
	*when_r = (int64_t)cur_be64(c);
	return cur_ok(c) ? 0 : STORE_E_CORRUPT;
}

int
row_tombs_when(struct slice v, int64_t *when_r)
{
	struct cur c;

	return tombs_open(v, &c, when_r);
}

int
row_tombs_get(struct slice v, int64_t *when_r,
    int (*fn)(void *arg, const struct row_tomb *t), void *arg)
{
	struct cur c;
	int rc;

	if ((rc = tombs_open(v, &c, when_r)) < 0)
		return rc;
	while (cur_left(&c) > 0) {
		struct row_tomb t = { .kind = cur_u8(&c) };

		t.mailbox = cur_be64(&c);
		if (t.kind == ROW_TOMB_MAILBOX)
			t.path = cur_lstr(&c);
		if (!cur_ok(&c) || t.path.n > ROW_PATH_MAX)
			return STORE_E_CORRUPT;
		if (t.kind == ROW_TOMB_MAILBOX)
			rc = fn(arg, &t);
		else if (t.kind >= ROW_TOMB_REMOVED && t.kind <= ROW_TOMB_SHOWN)
			rc = tomb_get_run(&c, &t, fn, arg);
		else
			rc = STORE_E_CORRUPT;
		if (rc != 0)
			return rc;
	}
	return cur_ok(&c) ? 0 : STORE_E_CORRUPT;
}

/* ---- chunks ------------------------------------------------------------ */

static void
put16(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

static void
put32(unsigned char *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static void
put64(unsigned char *p, uint64_t v)
{
	put32(p, (uint32_t)(v >> 32));
	put32(p + 4, (uint32_t)v);
}

/* Are the UIDs ascending, the marks known and as many alive as it says? */
static bool
hot_slots_ok(const struct row_chunk *c, uint32_t first)
{
	uint32_t live = 0, last = 0;

	for (size_t i = 0; i < c->used; i++) {
		const unsigned char *p = row_hot_at(c, i);
		uint32_t uid = row_get32(p);

		if (uid < first || uid <= last || p[4] > 7)
			return false;
		last = uid;
		live += !(p[4] & ROW_DEAD);
	}
	return live == c->live;
}

int
row_hot_check(struct slice v, uint32_t first, struct row_chunk *c_r)
{
	int rc;

	c_r->p = (const unsigned char *)v.p;
	if (v.n < 1)
		return STORE_E_CORRUPT;
	if ((rc = row_version(c_r->p[0], "messages")) < 0)
		return rc;
	if (v.n < ROW_HOT_HEAD)
		return STORE_E_CORRUPT;
	c_r->cap = row_get16(c_r->p + 2);
	c_r->used = row_get16(c_r->p + 4);
	c_r->live = row_get16(c_r->p + 6);
	c_r->max = row_get64(c_r->p + 8);
	if (first == 0 || c_r->p[1] != 0 || c_r->cap > ROW_CHUNK_MAX ||
	    c_r->used > c_r->cap || c_r->live == 0 ||
	    v.n != row_hot_len(c_r->cap) || !hot_slots_ok(c_r, first))
		return STORE_E_CORRUPT;
	return 0;
}

int
row_cold_check(struct slice v, struct row_chunk *c_r)
{
	int rc;

	memset(c_r, 0, sizeof(*c_r));
	c_r->p = (const unsigned char *)v.p;
	if (v.n < 1)
		return STORE_E_CORRUPT;
	if ((rc = row_version(c_r->p[0], "messages")) < 0)
		return rc;
	if (v.n < ROW_COLD_HEAD)
		return STORE_E_CORRUPT;
	c_r->cap = row_get16(c_r->p + 2);
	if (c_r->p[1] != 0 || c_r->cap == 0 || c_r->cap > ROW_CHUNK_MAX ||
	    v.n != row_cold_len(c_r->cap))
		return STORE_E_CORRUPT;
	return 0;
}

int
row_hot_find(const struct row_chunk *c, uint32_t uid)
{
	size_t lo = 0, hi = c->used;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		uint32_t u = row_get32(row_hot_at(c, mid));

		if (u == uid)
			return (int)mid;
		if (u < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -1;
}

void
row_hot_put_head(unsigned char *p, const struct row_chunk *c)
{
	p[0] = ROW_VERSION;
	p[1] = 0;
	put16(p + 2, c->cap);
	put16(p + 4, c->used);
	put16(p + 6, c->live);
	put64(p + 8, c->max);
}

void
row_hot_put_slot(unsigned char *p, size_t i, const struct row_hot *h)
{
	p += ROW_HOT_HEAD + i * ROW_HOT_SLOT;
	put32(p, h->uid);
	p[4] = h->marks;
	put64(p + 5, h->flags);
	put64(p + 13, h->modseq);
}

void
row_cold_put_head(unsigned char *p, uint32_t cap)
{
	p[0] = ROW_VERSION;
	p[1] = 0;
	put16(p + 2, cap);
}

void
row_cold_put_slot(unsigned char *p, size_t i, const struct row_cold *d)
{
	p += ROW_COLD_HEAD + i * ROW_COLD_SLOT;
	put64(p, d->email);
	put64(p + 8, d->thread);
	put64(p + 16, d->size);
	put64(p + 24, (uint64_t)d->received);
	put64(p + 32, (uint64_t)d->saved);
	memcpy(p + 40, d->ref, ROW_REF_LEN);
}
