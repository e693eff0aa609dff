/* libstore/kv/reader.c - reading blobs, frame by frame */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <zstd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/kv/be.h"
#include "libstore/kv/blob.h"
#include "libstore/kv/sys.h"

/* What one read from the beginning of an item is expected to hold. */
enum { HEAD_GUESS = 2048 };

static pthread_key_t dctx_key;
static pthread_once_t dctx_once = PTHREAD_ONCE_INIT;

static void
dctx_free(void *p)
{
	ZSTD_freeDCtx(p);
}

static void
dctx_init(void)
{
	if (pthread_key_create(&dctx_key, dctx_free) != 0)
		fatal("no thread key");
}

static ZSTD_DCtx *
dctx(void)
{
	ZSTD_DCtx *c;

	pthread_once(&dctx_once, dctx_init);
	if ((c = pthread_getspecific(dctx_key)) == NULL) {
		if ((c = ZSTD_createDCtx()) == NULL ||
		    pthread_setspecific(dctx_key, c) != 0)
			fatal("out of memory");
	}
	return c;
}

struct kv_reader {
	struct kv *kv;
	struct kv_source src;
	struct item it;
	char *front;		/* meta and table of frames */
	uint64_t *start;	/* of each frame and the end, in the item */
	uint64_t n;		/* frames */
	char *frame;		/* one frame as it was, */
	char *stored;		/* and as it is on disk */
	uint64_t have;		/* which one, + 1 */
};

static int
damaged(struct kv *kv, const struct kv_source *src, const char *what)
{
	if (src->mem != NULL)
		return kv_fail(kv, STORE_E_CORRUPT, "blob: %s", what);
	return kv_fail(kv, STORE_E_CORRUPT, "pack.%lu: blob at %llu: %s",
	    (unsigned long)src->pack, (unsigned long long)src->off, what);
}

/* Octets [off, off + n) of the item. */
static int
fetch(struct kv *kv, const struct kv_source *src, uint64_t off, void *p,
    size_t n)
{
	ssize_t k;

	if (off > src->len || n > src->len - off)
		return damaged(kv, src, "past its end");
	if (src->mem != NULL) {
		memcpy(p, src->mem + off, n);
		return 0;
	}
	if ((k = sys_pread(src->fd, p, n, src->off + off)) < 0)
		return kv_fail_sys(kv, "blob");
	if ((size_t)k != n)
		return damaged(kv, src, "the pack is short");
	return 0;
}

/* The item's header, and as much behind it as fits into p[0..max). */
static int
head_load(struct kv *kv, const struct kv_source *src, char *p, size_t max,
    size_t *n_r, struct item *it)
{
	size_t n = src->len < max ? (size_t)src->len : max;
	int rc;

	if (n < ITEM_HEAD)
		return kv_fail(kv, STORE_E_NOTFOUND, "blob: no such item");
	if ((rc = fetch(kv, src, 0, p, n)) < 0)
		return rc;
	if (item_decode((unsigned char *)p, it) < 0) {
		for (size_t i = 0; i < ITEM_HEAD; i++)
			if (p[i] != 0)
				return damaged(kv, src, "bad header");
		return kv_fail(kv, STORE_E_NOTFOUND, "blob: deleted");
	}
	if (it->kind != ITEM_BLOB || it->deleted)
		return kv_fail(kv, STORE_E_NOTFOUND, "blob: deleted");
	if (it->len != src->len)
		return damaged(kv, src, "another length");
	*n_r = n;
	return 0;
}

static int
table_load(struct kv_reader *r)
{
	const unsigned char *t =
	    (const unsigned char *)r->front + r->it.meta_len;
	uint64_t sum = 0;

	if (crc32c(0, t, (size_t)r->n * ITEM_FRAME_HEAD) != r->it.table_crc)
		return -1;
	r->start = xcalloc((size_t)r->n + 1, sizeof(*r->start));
	for (uint64_t i = 0; i <= r->n; i++) {
		struct item_frame f;

		r->start[i] = item_body(&r->it) + sum;
		if (i == r->n)
			break;
		item_frame_decode(t + i * ITEM_FRAME_HEAD, &f);
		if (f.stored > r->it.stored - sum || f.stored > ITEM_FRAME)
			return -1;
		sum += f.stored;
	}
	return sum == r->it.stored ? 0 : -1;
}

int
kv_reader_open(struct kv *kv, const struct kv_ref *ref, struct kv_reader **r_r)
{
	struct kv_reader *r;
	char buf[HEAD_GUESS];
	size_t have, need;
	int rc;

	r = xcalloc(1, sizeof(*r));
	r->kv = kv;
	if ((rc = kv->ops->blob_source(kv, ref, &r->src)) < 0) {
		xfree(r);
		return rc;
	}
	if ((rc = head_load(kv, &r->src, buf, sizeof(buf), &have, &r->it)) < 0)
		goto out;
	r->n = item_frames(&r->it);
	need = (size_t)(item_body(&r->it) - ITEM_HEAD);
	r->front = xmalloc(need);
	if (need <= have - ITEM_HEAD)
		memcpy(r->front, buf + ITEM_HEAD, need);
	else if ((rc = fetch(kv, &r->src, ITEM_HEAD, r->front, need)) < 0)
		goto out;
	if (crc32c(0, r->front, r->it.meta_len) != r->it.meta_crc ||
	    table_load(r) < 0)
		rc = damaged(kv, &r->src, "checksum");
out:
	if (rc < 0)
		kv_reader_close(&r);
	else
		*r_r = r;
	return rc;
}

void
kv_reader_close(struct kv_reader **rp)
{
	struct kv_reader *r = *rp;

	*rp = NULL;
	if (r == NULL)
		return;
	if (r->src.release != NULL)
		r->src.release(r->src.arg);
	xfree(r->front);
	xfree(r->start);
	xfree(r->frame);
	xfree(r->stored);
	xfree(r);
}

uint64_t
kv_reader_size(const struct kv_reader *r)
{
	return r->it.raw;
}

struct slice
kv_reader_meta(const struct kv_reader *r)
{
	return slice_make(r->front, r->it.meta_len);
}

/* Length of frame i before compression. */
static size_t
frame_len(const struct kv_reader *r, uint64_t i)
{
	uint64_t left = r->it.raw - i * ITEM_FRAME;

	return left < ITEM_FRAME ? (size_t)left : ITEM_FRAME;
}

/* Makes r->frame frame i. */
static int
frame_load(struct kv_reader *r, uint64_t i)
{
	size_t stored = (size_t)(r->start[i + 1] - r->start[i]), n;
	size_t raw = frame_len(r, i);
	struct item_frame f;
	char *to;
	int rc;

	if (r->have == i + 1)
		return 0;
	r->have = 0;
	if (r->frame == NULL)
		r->frame = xmalloc(frame_len(r, 0));
	if (stored != raw && r->stored == NULL)
		r->stored = xmalloc(frame_len(r, 0));
	to = stored == raw ? r->frame : r->stored;
	if (stored > raw)
		return damaged(r->kv, &r->src, "frame length");
	if ((rc = fetch(r->kv, &r->src, r->start[i], to, stored)) < 0)
		return rc;
	item_frame_decode((unsigned char *)r->front + r->it.meta_len +
		i * ITEM_FRAME_HEAD, &f);
	if (crc32c(0, to, stored) != f.crc)
		return damaged(r->kv, &r->src, "checksum");
	if (stored != raw) {
		n = ZSTD_decompressDCtx(dctx(), r->frame, raw, to, stored);
		if (n != raw)
			return damaged(r->kv, &r->src, "zstd");
	}
	r->have = i + 1;
	return 0;
}

int
kv_reader_read(struct kv_reader *r, uint64_t off, void *p, size_t n)
{
	char *to = p;
	int rc;

	if (off > r->it.raw || n > r->it.raw - off)
		return kv_fail(r->kv, STORE_E_INVALID, "blob: past its end");
	while (n > 0) {
		uint64_t i = off / ITEM_FRAME;
		size_t at = (size_t)(off % ITEM_FRAME), k;

		if ((rc = frame_load(r, i)) < 0)
			return rc;
		k = frame_len(r, i) - at;
		k = k < n ? k : n;
		memcpy(to, r->frame + at, k);
		to += k;
		off += k;
		n -= k;
	}
	return 0;
}

int
kv_reader_raw(struct kv_reader *r, uint64_t off, int *fd_r, uint64_t *fd_off_r)
{
	if (off > r->it.raw)
		return kv_fail(r->kv, STORE_E_INVALID, "blob: past its end");
	if (r->it.codec != ITEM_RAW || r->src.mem != NULL)
		return 0;
	*fd_r = r->src.fd;
	*fd_off_r = r->src.off + item_body(&r->it) + off;
	return 1;
}

int
kv_blob_meta(struct kv *kv, struct arena *a, const struct kv_ref *ref,
    struct slice *meta_r)
{
	char buf[HEAD_GUESS], *p;
	struct kv_source src;
	struct item it;
	size_t have;
	int rc;

	if ((rc = kv->ops->blob_source(kv, ref, &src)) < 0)
		return rc;
	if ((rc = head_load(kv, &src, buf, sizeof(buf), &have, &it)) < 0)
		goto out;
	if (it.meta_len <= have - ITEM_HEAD)
		p = arena_strndup(a, buf + ITEM_HEAD, it.meta_len);
	else {
		p = arena_alloc(a, it.meta_len);
		if ((rc = fetch(kv, &src, ITEM_HEAD, p, it.meta_len)) < 0)
			goto out;
	}
	if (crc32c(0, p, it.meta_len) != it.meta_crc)
		rc = damaged(kv, &src, "checksum");
	else
		*meta_r = slice_make(p, it.meta_len);
out:
	if (src.release != NULL)
		src.release(src.arg);
	return rc;
}

void
kv_ref_encode(const struct kv_ref *r, unsigned char out[KV_REF_LEN])
{
	be32_put(out, r->pack);
	be64_put(out + 4, r->off);
	be32_put(out + 12, r->len);
}

void
kv_ref_decode(const unsigned char in[KV_REF_LEN], struct kv_ref *r)
{
	r->pack = be32_get(in);
	r->off = be64_get(in + 4);
	r->len = be32_get(in + 12);
}
