/* libstore/kv/blob.c - staging blobs: compression, checksums */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <zstd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/kv/be.h"
#include "libstore/kv/blob.h"
#include "libstore/kv/pack-file.h"
#include "libstore/kv/sys.h"

enum { LEVEL = 1, SAMPLE_FRAMES = 2 };

/* One compression context a thread; making one costs as much as a message. */
static pthread_key_t cctx_key;
static pthread_once_t cctx_once = PTHREAD_ONCE_INIT;

static void
cctx_free(void *p)
{
	ZSTD_freeCCtx(p);
}

static void
cctx_init(void)
{
	if (pthread_key_create(&cctx_key, cctx_free) != 0)
		fatal("no thread key");
}

static ZSTD_CCtx *
cctx(void)
{
	ZSTD_CCtx *c;

	pthread_once(&cctx_once, cctx_init);
	if ((c = pthread_getspecific(cctx_key)) == NULL) {
		if ((c = ZSTD_createCCtx()) == NULL ||
		    pthread_setspecific(cctx_key, c) != 0)
			fatal("out of memory");
	}
	return c;
}

/* What is being staged. */
struct stage {
	struct slice data;	/* p NULL: */
	int in;
	uint64_t size;
	struct slice meta;
	struct item it;
	char *table;		/* of frames, encoded */
	char *raw, *packed;	/* one frame, of memory's own */
	size_t packed_max;
	uint64_t packed_i;	/* which frame is in packed, UINT64_MAX: none */
	size_t packed_n;
	struct kv_blob *b;
	uint64_t at;		/* frames' end so far, within the item */
};

/* Frame i before compression. */
static int
frame_load(struct stage *s, uint64_t i, struct slice *f_r)
{
	uint64_t off = i * ITEM_FRAME;
	size_t n = s->size - off < ITEM_FRAME ? (size_t)(s->size - off) :
						ITEM_FRAME;
	ssize_t k;

	if (s->data.p != NULL) {
		*f_r = slice_make(s->data.p + off, n);
		return 0;
	}
	if ((k = sys_pread(s->in, s->raw, n, off)) < 0)
		return STORE_E_IO;
	if ((size_t)k != n)
		return STORE_E_INVALID;	/* shorter than its size */
	*f_r = slice_make(s->raw, n);
	return 0;
}

/* The frame as it is stored: compressed where that makes it smaller. */
static struct slice
frame_pack(struct stage *s, uint64_t i, struct slice f)
{
	size_t n;

	if (s->it.codec == ITEM_RAW)
		return f;
	if (s->packed_i != i) {
		n = ZSTD_compressCCtx(cctx(), s->packed, s->packed_max, f.p,
		    f.n, LEVEL);
		s->packed_n = ZSTD_isError(n) ? SIZE_MAX : n;
		s->packed_i = i;
	}
	if (s->packed_n >= f.n)
		return f;
	return slice_make(s->packed, s->packed_n);
}

static int
sys_rc(void)
{
	return io_full(errno) ? STORE_E_NOSPACE :
						    STORE_E_IO;
}

static int
out(struct stage *s, uint64_t off, const void *p, size_t n)
{
	if (s->b->mem != NULL) {
		memcpy(s->b->mem + off, p, n);
		return 0;
	}
	return sys_pwrite(s->b->fd, p, n, PACK_HEAD + off) == 0 ? 0 : sys_rc();
}

static int
frames_write(struct stage *s)
{
	uint64_t n = item_frames(&s->it);
	int rc;

	s->at = item_body(&s->it);
	for (uint64_t i = 0; i < n; i++) {
		struct item_frame h;
		struct slice f;

		if ((rc = frame_load(s, i, &f)) < 0)
			return rc;
		f = frame_pack(s, i, f);
		h.stored = (uint32_t)f.n;
		h.crc = crc32c(0, f.p, f.n);
		item_frame_encode(&h,
		    (unsigned char *)s->table + i * ITEM_FRAME_HEAD);
		if ((rc = out(s, s->at, f.p, f.n)) < 0)
			return rc;
		s->at += f.n;
	}
	return 0;
}

/* Does compression gain a tenth?  Of large bodies a sample tells. */
static int
choose_codec(struct stage *s)
{
	uint64_t n = item_frames(&s->it), step;
	size_t before = 0, after = 0;
	int rc;

	s->it.codec = ITEM_ZSTD;
	step = n > SAMPLE_FRAMES ? n / SAMPLE_FRAMES : 1;
	for (uint64_t i = 0; i < n; i += step) {
		struct slice f;

		if ((rc = frame_load(s, i, &f)) < 0)
			return rc;
		before += f.n;
		after += frame_pack(s, i, f).n;
	}
	if (after > before - before / 10)
		s->it.codec = ITEM_RAW;
	return 0;
}

/* Header, meta and table around the frames that are written. */
static int
stage_finish(struct stage *s)
{
	static const char zero[ITEM_ALIGN];
	size_t table_n = (size_t)item_frames(&s->it) * ITEM_FRAME_HEAD;
	unsigned char head[ITEM_HEAD];
	uint64_t pad;
	int rc;

	s->it.stored = s->at - item_body(&s->it);
	s->it.len = (s->at + ITEM_ALIGN - 1) & ~(uint64_t)(ITEM_ALIGN - 1);
	s->it.meta_crc = crc32c(0, s->meta.p, s->meta.n);
	s->it.table_crc = crc32c(0, s->table, table_n);
	s->b->len = s->it.len;
	pad = s->it.len - s->at;
	item_encode(&s->it, head);
	if ((rc = out(s, 0, head, sizeof(head))) < 0 ||
	    (s->meta.n > 0 &&
		(rc = out(s, ITEM_HEAD, s->meta.p, s->meta.n)) < 0) ||
	    (rc = out(s, ITEM_HEAD + s->meta.n, s->table, table_n)) < 0 ||
	    (rc = out(s, s->at, zero, (size_t)pad)) < 0)
		return rc;
	return 0;
}

/* A file for a large blob: unnamed where the file system can. */
static int
stage_file(struct kv_blob *b, const char *dir, uint64_t size)
{
	static atomic_uint counter;
	unsigned char head[PACK_HEAD];

	if (dir == NULL)
		dir = ".";
	b->fd = sys_openat(AT_FDCWD, dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (b->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		b->tmp = xasprintf("%s/.blob.%ld.%u", dir, (long)getpid(),
		    atomic_fetch_add(&counter, 1));
		b->fd = sys_openat(AT_FDCWD, b->tmp,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (b->fd < 0)
		return sys_rc();
	if (!kv_room(b->fd, size))
		return STORE_E_NOSPACE;
	pack_head_encode(1, head);
	return sys_pwrite(b->fd, head, sizeof(head), 0) == 0 ? 0 : sys_rc();
}

/* A large blob is durable before anybody waits for the account's lock. */
static int
stage_flush(struct kv_blob *b)
{
	return b->fd < 0 || sys_fdatasync(b->fd) == 0 ? 0 : sys_rc();
}

static uint64_t
own_pack_over(void)
{
	return sys_hook != NULL && sys_hook->own_pack != 0 ?
	    sys_hook->own_pack : BLOB_OWN_PACK;
}

static int
stage_run(struct stage *s, const char *tmp_dir)
{
	uint64_t most = item_body(&s->it) + s->size + ITEM_ALIGN;
	int rc;

	s->table = xcalloc((size_t)item_frames(&s->it) + 1, ITEM_FRAME_HEAD);
	s->packed_max = ZSTD_compressBound(
	    s->size < ITEM_FRAME ? (size_t)s->size : ITEM_FRAME);
	s->packed = xmalloc(s->packed_max);
	s->packed_i = UINT64_MAX;
	if (s->data.p == NULL)
		s->raw = xmalloc(ITEM_FRAME);
	if (most > own_pack_over())
		rc = stage_file(s->b, tmp_dir, most);
	else {
		s->b->mem = xmalloc((size_t)most);
		rc = 0;
	}
	if (rc == 0)
		rc = choose_codec(s);
	if (rc == 0)
		rc = frames_write(s);
	if (rc == 0)
		rc = stage_finish(s);
	if (rc == 0)
		rc = stage_flush(s->b);
	if (rc == 0 && s->b->mem != NULL)
		s->b->mem = xrealloc(s->b->mem, (size_t)s->b->len);
	xfree(s->table);
	xfree(s->packed);
	xfree(s->raw);
	return rc;
}

int
kv_blob_new(struct slice data, int fd, uint64_t size, struct slice meta,
    const char *tmp_dir, struct kv_blob **b_r)
{
	struct stage s = { .data = data, .in = fd, .meta = meta };
	int rc;

	s.size = data.p != NULL ? data.n : size;
	if (meta.n > ITEM_META_MAX || s.size > UINT64_C(1) << 40)
		return STORE_E_TOOBIG;
	s.it.kind = ITEM_BLOB;
	s.it.raw = s.size;
	s.it.meta_len = (uint32_t)meta.n;
	s.b = xcalloc(1, sizeof(*s.b));
	atomic_init(&s.b->refs, 1);
	s.b->fd = -1;
	if ((rc = stage_run(&s, tmp_dir)) < 0) {
		kv_blob_free(&s.b);
		return rc;
	}
	if (s.b->len > UINT32_MAX) {
		kv_blob_free(&s.b);
		return STORE_E_TOOBIG;	/* kv_ref.len */
	}
	*b_r = s.b;
	return 0;
}

struct kv_blob *
kv_blob_dup(struct kv_blob *b)
{
	atomic_fetch_add(&b->refs, 1);
	return b;
}

void
kv_blob_free(struct kv_blob **bp)
{
	struct kv_blob *b = *bp;

	*bp = NULL;
	if (b == NULL || atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	io_close(&b->fd);
	if (b->tmp != NULL)
		(void)sys_unlinkat(AT_FDCWD, b->tmp);
	xfree(b->tmp);
	xfree(b->mem);
	xfree(b);
}

uint64_t
kv_blob_stored(const struct kv_blob *b)
{
	return b->len;
}

void
pack_head_encode(int own, unsigned char out_r[PACK_HEAD])
{
	memset(out_r, 0, PACK_HEAD);
	memcpy(out_r, "CulverPk", 8);
	be32_put(out_r + 8, PACK_VERSION);
	be32_put(out_r + 12, own ? 1 : 0);
	be32_put(out_r + 16, crc32c(0, out_r, 16));
}

int
pack_head_decode(const unsigned char in[PACK_HEAD], int *own_r)
{
	if (memcmp(in, "CulverPk", 8) != 0 ||
	    be32_get(in + 16) != crc32c(0, in, 16))
		return STORE_E_CORRUPT;
	if (be32_get(in + 8) > PACK_VERSION)
		return STORE_E_VERSION;
	if (be32_get(in + 8) != PACK_VERSION)
		return STORE_E_CORRUPT;
	*own_r = (be32_get(in + 12) & 1) != 0;
	return 0;
}
