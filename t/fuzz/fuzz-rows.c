/*
 * t/fuzz/fuzz-rows.c - every row decoder of libstore
 *
 * The first octet says which, the others are the value.  What is decoded and
 * encoded again is decoded to the same.
 */
#include "config.h"

#include <string.h>

#include "libstore/rows.h"
#include "t/fuzz/fuzz.h"

static struct arena *arena;
static struct buf out, again;

static struct slice
encoded(int rc)
{
	FUZZ_CHECK(rc == 0 && out.n > 0);
	return buf_slice(&out);
}

/* Encoding what was decoded from out gives out once more. */
static void
same(void)
{
	FUZZ_CHECK(slice_eq(buf_slice(&again), buf_slice(&out)));
}

/* A row that is a struct or number x, with its GET of a value and its ARG. */
#define ROUND(name, type, GET, ARG)                             \
static void                                                     \
round_##name(struct slice v)                                    \
{                                                               \
	type x;                                                 \
								\
	memset(&x, 0, sizeof(x));                               \
	if (GET(row_##name##_get, v) < 0)                       \
		return;                                         \
	encoded(row_##name##_put(&out, ARG));                   \
	FUZZ_CHECK(GET(row_##name##_get, buf_slice(&out)) == 0); \
	FUZZ_CHECK(row_##name##_put(&again, ARG) == 0);         \
	same();                                                 \
}
#define GET(f, v) f(v, &x)
#define GET_ARENA(f, v) f(v, arena, &x)

ROUND(head, struct row_head, GET, &x)
ROUND(mailbox, struct row_mailbox, GET, &x)
ROUND(email, struct row_email, GET_ARENA, &x)
ROUND(thread, struct row_thread, GET_ARENA, &x)
ROUND(blob, struct row_blob, GET, &x)
ROUND(due, struct row_due, GET, &x)
ROUND(u64, uint64_t, GET, x)
ROUND(u32, uint32_t, GET, x)

static void
round_keywords(struct slice v)
{
	struct slice name[ROW_KEYWORDS];
	size_t n;

	if (row_keywords_get(v, name, &n) < 0)
		return;
	FUZZ_CHECK(n <= ROW_KEYWORDS);
	encoded(row_keywords_put(&out, name, n));
	FUZZ_CHECK(row_keywords_get(buf_slice(&out), name, &n) == 0);
	FUZZ_CHECK(row_keywords_put(&again, name, n) == 0);
	same();
}

static void
round_path(struct slice v)
{
	struct slice path;

	if (row_path_get(v, &path) < 0)
		return;
	FUZZ_CHECK(path.n > 0 && path.n <= ROW_PATH_MAX);
	encoded(row_path_put(&out, path));
	FUZZ_CHECK(row_path_get(buf_slice(&out), &path) == 0);
	FUZZ_CHECK(row_path_put(&again, path) == 0);
	same();
}

static void
round_acl(struct slice v)
{
	struct row_acl *e;
	size_t n;

	if (row_acl_get(v, arena, &e, &n) < 0)
		return;
	FUZZ_CHECK(n > 0 && n <= ROW_ACL_MAX);
	encoded(row_acl_put(&out, e, n));
	FUZZ_CHECK(row_acl_get(buf_slice(&out), arena, &e, &n) == 0);
	FUZZ_CHECK(row_acl_put(&again, e, n) == 0);
	same();
}

static void
round_meta(struct slice v)
{
	struct row_meta m;

	if (row_meta_get(v, &m) < 0)
		return;
	FUZZ_CHECK(m.name.n > 0 && m.name.n <= ROW_META_NAME_MAX);
	encoded(row_meta_put(&out, &m));
	FUZZ_CHECK(row_meta_get(buf_slice(&out), &m) == 0);
	FUZZ_CHECK(row_meta_put(&again, &m) == 0);
	same();
}

ROUND(identity, struct row_identity, GET_ARENA, &x)
ROUND(submission, struct row_submission, GET_ARENA, &x)
ROUND(vacation, struct row_vacation, GET, &x)
ROUND(objects, struct row_objects, GET, &x)
ROUND(push, struct row_push, GET_ARENA, &x)
ROUND(push_rate, struct row_push_rate, GET, &x)

struct tombs {
	struct row_tomb *t;
	size_t n, cap;
};

static int
tomb_note(void *arg, const struct row_tomb *t)
{
	struct tombs *l = arg;

	l->t = arena_grow(arena, l->t, &l->cap, l->n + 1, sizeof(*l->t));
	l->t[l->n++] = *t;
	return 0;
}

static void
round_tombs(struct slice v)
{
	struct tombs l = { NULL, 0, 0 }, m = { NULL, 0, 0 };
	size_t done, at = 0;
	int64_t when, when2;

	if (row_tombs_get(v, &when, tomb_note, &l) < 0)
		return;
	while (at < l.n) {
		done = row_tombs_put(&out, when, l.t + at, l.n - at,
		    2 * ROW_PATH_MAX);
		FUZZ_CHECK(done > 0 && out.n <= 2 * ROW_PATH_MAX &&
		    !out.overflow);
		FUZZ_CHECK(row_tombs_get(buf_slice(&out), &when2, tomb_note,
		    &m) == 0);
		FUZZ_CHECK(when2 == when);
		at += done;
	}
	FUZZ_CHECK(m.n == l.n);
	for (size_t i = 0; i < l.n; i++)
		FUZZ_CHECK(m.t[i].kind == l.t[i].kind &&
		    m.t[i].mailbox == l.t[i].mailbox &&
		    m.t[i].uid == l.t[i].uid && m.t[i].email == l.t[i].email &&
		    m.t[i].thread == l.t[i].thread &&
		    m.t[i].flags == l.t[i].flags &&
		    m.t[i].path.n == l.t[i].path.n);
}

static void
round_hot(struct slice v)
{
	unsigned char *p;
	struct row_chunk c;
	struct row_hot h;

	if (row_hot_check(v, 1, &c) < 0)
		return;
	p = arena_alloc(arena, row_hot_len(c.cap));
	memcpy(p, v.p, v.n);
	row_hot_put_head(p, &c);
	for (size_t i = 0; i < c.used; i++) {
		row_hot_slot(&c, i, &h);
		FUZZ_CHECK(row_hot_find(&c, h.uid) == (int)i);
		row_hot_put_slot(p, i, &h);
	}
	FUZZ_CHECK(row_hot_find(&c, 0) < 0);
	FUZZ_CHECK(memcmp(p, v.p, v.n) == 0);
}

static void
round_cold(struct slice v)
{
	unsigned char *p;
	struct row_chunk c;
	struct row_cold d;

	if (row_cold_check(v, &c) < 0)
		return;
	p = arena_alloc(arena, row_cold_len(c.cap));
	row_cold_put_head(p, c.cap);
	for (size_t i = 0; i < c.cap; i++) {
		row_cold_slot(&c, i, &d);
		row_cold_put_slot(p, i, &d);
	}
	FUZZ_CHECK(memcmp(p, v.p, v.n) == 0);
}

static void
round_keys(struct slice v)
{
	unsigned char id[ROW_BLOBID_LEN];
	struct row_key k;
	uint64_t a, b;
	uint32_t c;
	int64_t due;

	if (row_key_get_u64(v, ROW_K_MAILBOX, &a)) {
		k = row_key_u64(ROW_K_MAILBOX, a);
		FUZZ_CHECK(slice_eq(row_key(&k), v));
	}
	if (row_key_get_u64_u32(v, ROW_K_HOT, &a, &c)) {
		k = row_key_u64_u32(ROW_K_HOT, a, c);
		FUZZ_CHECK(slice_eq(row_key(&k), v));
	}
	if (row_key_get_u64_u64(v, ROW_K_MEMBER, &a, &b)) {
		k = row_key_u64_u64(ROW_K_MEMBER, a, b);
		FUZZ_CHECK(slice_eq(row_key(&k), v));
	}
	if (row_key_get_changed(v, &a, &b, &c)) {
		k = row_key_changed(a, b, c);
		FUZZ_CHECK(slice_eq(row_key(&k), v));
	}
	if (row_key_get_blob(v, id)) {
		k = row_key_blob(id);
		FUZZ_CHECK(slice_eq(row_key(&k), v));
	}
	if (row_key_get_due(v, &due, id)) {
		k = row_key_due(due, id);
		FUZZ_CHECK(slice_eq(row_key(&k), v));
	}
}

static void (*const round_trip[])(struct slice v) = {
	round_head, round_mailbox, round_email, round_thread, round_blob,
	round_due, round_u64, round_u32, round_keywords, round_tombs,
	round_hot, round_cold, round_keys, round_acl, round_meta, round_path,
	round_identity, round_objects, round_submission,
	round_vacation, round_push, round_push_rate
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	arena = arena_new(0);
	buf_init(&out, ROW_BUF_MAX);
	buf_init(&again, ROW_BUF_MAX);
	round_trip[data[0] % (sizeof(round_trip) / sizeof(round_trip[0]))](
	    slice_make((const char *)data + 1, size - 1));
	buf_release(&out);
	buf_release(&again);
	arena_free(&arena);
	return 0;
}
