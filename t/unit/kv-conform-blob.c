/* t/unit/kv-conform-blob.c - the engine interface: blobs and watching */
#include "config.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "t/unit/kv-conform.h"

static void
fault(void *arg, const char *text)
{
	(void)arg;
	print_error("fault: %s\n", text);
}

/* ---- blobs -------------------------------------------------------------- */

/* Octets that compress (kind 0), don't (1), or a mixture (2). */
static char *
octets(size_t n, int kind, unsigned seed)
{
	char *p = xmalloc(n + 1);
	uint32_t x = seed * 2654435761U + 1;

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		p[i] = kind == 0 || (kind == 2 && i / 200000 % 2 == 0) ?
		    "abcdefgh"[x % 8] : (char)x;
	}
	return p;
}

static void
blob_same(struct kv *kv, const struct kv_ref *ref, const char *body, size_t n,
    const char *meta)
{
	struct kv_reader *r;
	struct slice m;
	char *copy = xmalloc(n + 1);
	uint64_t off, fd_off;
	int fd;

	assert_int_equal(kv_reader_open(kv, ref, &r), 0);
	assert_int_equal(kv_reader_size(r), n);
	assert_true(slice_eq(kv_reader_meta(r), slice_str(meta)));
	assert_int_equal(kv_reader_read(r, 0, copy, n), 0);
	assert_memory_equal(copy, body, n);
	assert_int_equal(kv_reader_read(r, n, copy, 0), 0);
	assert_int_equal(kv_reader_read(r, n, copy, 1), STORE_E_INVALID);
	assert_int_equal(kv_reader_read(r, 1, copy, n), STORE_E_INVALID);
	for (off = 0; off < n; off += n / 7 + 1) {
		size_t k = n - off < 70000 ? (size_t)(n - off) : 70000;

		assert_int_equal(kv_reader_read(r, off, copy, k), 0);
		assert_memory_equal(copy, body + off, k);
	}
	if (n > 0 && kv_reader_raw(r, n / 2, &fd, &fd_off) == 1) {
		assert_int_equal(io_pread_full(fd, copy, n - n / 2,
				     (off_t)fd_off), 0);
		assert_memory_equal(copy, body + n / 2, n - n / 2);
	}
	kv_reader_close(&r);
	assert_int_equal(kv_blob_meta(kv, arena, ref, &m), 0);
	assert_true(slice_eq(m, slice_str(meta)));
	xfree(copy);
}

void
test_blob(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 20000, 131071, 131072,
		131073, 1000000, 5000000 };
	struct kv *kv = fresh(), *other = reopen(kv);
	char *meta = octets(5000, 0, 7);

	(void)state;
	meta[5000] = '\0';
	for (size_t i = 0; i < 3 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i / 3];
		char *body = octets(n, (int)(i % 3), (unsigned)i);
		const char *m = i % 2 ? meta : "small";
		struct kv_blob *b;
		struct kv_txn *txn;
		struct kv_ref ref;
		unsigned char code[KV_REF_LEN];

		assert_int_equal(kv_blob_new(slice_make(body, n), -1, 0,
				     slice_str(m), top, &b), 0);
		assert_true(kv_blob_stored(b) > 0);
		if (i % 3 == 0 && n > 1000)
			assert_true(kv_blob_stored(b) < n * 6 / 10 + 6000);
		txn = begin(kv, KV_RW);
		assert_int_equal(kv_blob_put(txn, b, &ref), 0);
		assert_int_not_equal(ref.len, 0);
		kv_blob_free(&b);
		assert_null(b);
		kv_ref_encode(&ref, code);
		kv_put(txn, slice_str("ref"),
		    slice_make((char *)code, sizeof(code)));
		commit(&txn);
		memset(&ref, 0, sizeof(ref));
		kv_ref_decode(code, &ref);
		blob_same(kv, &ref, body, n, m);
		blob_same(other, &ref, body, n, m);	/* not refreshed */
		xfree(body);
	}
	assert_true(kv_idle(kv, true) >= 0);
	assert_int_equal(kv_check(kv, fault, NULL), 0);
	xfree(meta);
	kv_close(&other);
	kv_close(&kv);
}

void
test_blob_fd(void **state)
{
	struct kv *kv = fresh(), *kv2 = fresh();
	size_t n = 6000000;
	char *body = octets(n, 2, 3);
	struct kv_ref ref[3];
	struct kv_blob *b, *b2;
	struct kv_txn *txn;
	FILE *f = tmpfile();

	(void)state;
	assert_non_null(f);
	assert_int_equal(io_write_full(fileno(f), body, n), 0);
	assert_int_equal(kv_blob_new(slice_make(NULL, 0), fileno(f), n + 1,
			     slice_str(""), top, &b), STORE_E_INVALID);
	assert_int_equal(kv_blob_new(slice_make(NULL, 0), fileno(f), n,
			     slice_str("meta"), top, &b), 0);
	fclose(f);
	/* One staged blob for several accounts, and twice into one. */
	b2 = kv_blob_dup(b);
	txn = begin(kv, KV_RW);
	assert_int_equal(kv_blob_put(txn, b, &ref[0]), 0);
	assert_int_equal(kv_blob_put(txn, b, &ref[1]), 0);
	kv_blob_free(&b);
	commit(&txn);
	txn = begin(kv2, KV_RW);
	assert_int_equal(kv_blob_put(txn, b2, &ref[2]), 0);
	commit(&txn);
	kv_blob_free(&b2);
	blob_same(kv, &ref[0], body, n, "meta");
	blob_same(kv, &ref[1], body, n, "meta");
	blob_same(kv2, &ref[2], body, n, "meta");
	assert_int_equal(kv_blob_del(kv, &ref[0]), 0);
	blob_same(kv, &ref[1], body, n, "meta");
	blob_same(kv2, &ref[2], body, n, "meta");
	xfree(body);
	kv_close(&kv);
	kv_close(&kv2);
}

void
test_blob_del(void **state)
{
	enum { N = 40 };
	struct kv *kv = fresh(), *other = reopen(kv);
	struct kv_ref ref[N], none = { 0 };
	char *body[N];
	struct kv_blob *b;
	struct kv_reader *r;
	struct kv_txn *txn;
	struct slice m;

	(void)state;
	for (int i = 0; i < N; i++) {
		txn = begin(kv, KV_RW);
		for (int k = 0; k < 4 && i < N; k++, i++) {
			body[i] = octets(9000, 1, (unsigned)i);
			kv_blob_new(slice_make(body[i], 9000), -1, 0,
			    slice_str("m"), top, &b);
			assert_int_equal(kv_blob_put(txn, b, &ref[i]), 0);
			kv_blob_free(&b);
		}
		i--;
		commit(&txn);
	}
	/* Deleted before and after a compaction. */
	for (int i = 0; i < N; i++) {
		if (i == N / 2)
			assert_true(kv_idle(kv, true) >= 0);
		if (i % 8 < 6)
			assert_int_equal(kv_blob_del(kv, &ref[i]), 0);
	}
	assert_true(kv_idle(kv, true) >= 0);
	assert_int_equal(kv_check(kv, fault, NULL), 0);
	for (int i = 0; i < N; i++) {
		if (i % 8 >= 6) {
			blob_same(other, &ref[i], body[i], 9000, "m");
		} else {
			assert_int_equal(kv_reader_open(other, &ref[i], &r),
			    STORE_E_NOTFOUND);
			assert_int_equal(kv_blob_meta(other, arena, &ref[i],
					     &m), STORE_E_NOTFOUND);
			assert_int_equal(kv_blob_del(other, &ref[i]), 0);
		}
		xfree(body[i]);
	}
	assert_int_equal(kv_blob_del(kv, &none), 0);
	assert_int_equal(kv_reader_open(kv, &none, &r), STORE_E_NOTFOUND);
	kv_close(&other);
	kv_close(&kv);
}

/* ---- watching ----------------------------------------------------------- */

static bool
readable(struct kv_watch *w, int ms)
{
	struct pollfd p = { kv_watch_fd(w), POLLIN, 0 };

	return poll(&p, 1, ms) == 1;
}

/* Does the watch tell of cookie (and of nothing that isn't watched)? */
static bool
told(struct kv_watch *w, void *cookie, void *other)
{
	void *c;
	bool yes = false;

	while (kv_watch_next(w, &c) == 1) {
		assert_true(c == cookie || c == other);
		yes = yes || c == cookie;
	}
	return yes;
}

static void
watching(bool many)
{
	struct kv *a = fresh(), *b = fresh(), *writer = reopen(b);
	struct kv_watch *w;

	assert_int_equal(kv_watch_new(&conf, many, &w), 0);
	assert_int_equal(kv_watch_add(w, a, a), 0);
	assert_int_equal(kv_watch_add(w, b, b), 0);
	assert_false(readable(w, 0));
	put1(writer, "k", "v");
	assert_true(readable(w, 1000));
	assert_true(told(w, b, a));
	assert_int_equal(kv_refresh(b), 1);
	assert_false(readable(w, 0));
	/* Also after the files were replaced. */
	assert_true(kv_idle(writer, true) >= 0);
	(void)told(w, b, a);
	put1(writer, "k", "v2");
	assert_true(readable(w, 1000));
	assert_true(told(w, b, a));
	assert_int_equal(kv_refresh(b), 1);
	kv_watch_del(w, b);
	put1(writer, "k", "v3");
	(void)told(w, a, a);
	kv_watch_free(&w);
	assert_null(w);
	kv_close(&writer);
	kv_close(&a);
	kv_close(&b);
}

void
test_watch_few(void **state)
{
	(void)state;
	watching(false);
}

void
test_watch_many(void **state)
{
	(void)state;
	watching(true);
}
