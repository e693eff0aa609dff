/* libstore/spool.c - the octets of one message or upload, as they come */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/store-int.h"

enum {
	SPOOL_MEM = 256 * 1024,		/* kept in memory, and written at once */
	SPOOL_PIECE = 64 * 1024,	/* normalised at once */
	SPOOL_META_MAX = 64 * 1024	/* of the parsed message's record */
};

struct store_spool {
	const struct store_conf *cf;
	bool message, done;
	int rc;				/* of the failure that it stays with */
	uint64_t size, max;
	struct buf mem;			/* all, or what isn't in the file yet */
	int fd;
	void *map;
	struct slice octets;
	struct mime_crlf crlf;
	struct buf norm;
	struct sha256 *sha;
	unsigned char hash[SHA256_LEN];
	struct msgids ids;
	struct kv_blob *blob;
};

struct store_spool *
store_spool_new(const struct store_conf *cf, bool message, uint64_t max)
{
	struct store_spool *sp = xcalloc(1, sizeof(*sp));

	sp->cf = cf;
	sp->message = message;
	sp->max = max ? max : store_max_message(cf);
	sp->fd = -1;
	sp->sha = sha256_new();
	buf_init(&sp->mem, SPOOL_MEM);
	buf_init(&sp->norm, 2 * SPOOL_PIECE + 2);
	return sp;
}

void
store_spool_free(struct store_spool **spp)
{
	struct store_spool *sp = *spp;

	if (!sp)
		return;
	if (sp->sha)
		sha256_finish(&sp->sha, sp->hash);
	if (sp->map)
		munmap(sp->map, sp->octets.n);
	io_close(&sp->fd);
	buf_release(&sp->mem);
	buf_release(&sp->norm);
	kv_blob_free(&sp->blob);
	xfree(sp);
	*spp = NULL;
}

static int
spool_fail(struct store_spool *sp, int rc)
{
	if (sp->rc == 0)
		sp->rc = rc;
	return sp->rc;
}

static int
spool_errno(struct store_spool *sp)
{
	return spool_fail(sp, store_errno_rc(errno));
}

/* An unnamed file in the file system that it is going to be stored in. */
static int
temp_open(const struct store_conf *cf)
{
	const char *dir = store_conf_files(cf) ? cf->mail_dir : "/tmp";
	char *path;
	int fd;

	fd = io_open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR &&
	    errno != EINVAL))
		return fd;
	path = xasprintf("%s/.tmp-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	xfree(path);
	return fd;
}

static int
spool_flush(struct store_spool *sp)
{
	if (sp->fd < 0 && (sp->fd = temp_open(sp->cf)) < 0)
		return spool_errno(sp);
	if (!kv_room(sp->fd, sp->mem.n))
		return spool_fail(sp, STORE_E_NOSPACE);
	if (io_write_full(sp->fd, sp->mem.p, sp->mem.n) < 0)
		return spool_errno(sp);
	buf_reset(&sp->mem);
	return 0;
}

/* Octets as they are stored. */
static int
spool_store(struct store_spool *sp, struct slice s)
{
	if (s.n > sp->max - sp->size)
		return spool_fail(sp, STORE_E_TOOBIG);
	sp->size += s.n;
	sha256_add(sp->sha, s.p, s.n);
	while (s.n > 0) {
		size_t n = SPOOL_MEM - sp->mem.n;

		if (n == 0) {
			if (spool_flush(sp) < 0)
				return sp->rc;
			continue;
		}
		if (n > s.n)
			n = s.n;
		buf_add(&sp->mem, s.p, n);
		s.p += n;
		s.n -= n;
	}
	return 0;
}

int
store_spool_add(struct store_spool *sp, const void *p, size_t n)
{
	struct slice s = { p, n }, piece;

	if (sp->rc < 0 || sp->done)
		return sp->rc < 0 ? sp->rc : STORE_E_INVALID;
	if (!sp->message)
		return spool_store(sp, s);
	for (; s.n > 0; s.p += piece.n, s.n -= piece.n) {
		piece = s;
		if (piece.n > SPOOL_PIECE)
			piece.n = SPOOL_PIECE;
		if (mime_crlf_clean(&sp->crlf, piece)) {
			if (spool_store(sp, piece) < 0)
				return sp->rc;
			continue;
		}
		buf_reset(&sp->norm);
		if (mime_crlf_feed(&sp->crlf, piece, &sp->norm) < 0)
			return spool_fail(sp, STORE_E_TOOBIG);
		if (spool_store(sp, buf_slice(&sp->norm)) < 0)
			return sp->rc;
	}
	return 0;
}

static int
spool_map(struct store_spool *sp)
{
	if (sp->fd < 0) {
		sp->octets = sp->mem.n ? buf_slice(&sp->mem) : SLICE_LIT("");
		return 0;
	}
	if (sp->mem.n > 0 && spool_flush(sp) < 0)
		return sp->rc;
	sp->map = mmap(NULL, sp->size, PROT_READ, MAP_PRIVATE, sp->fd, 0);
	if (sp->map == MAP_FAILED) {
		sp->map = NULL;
		return spool_errno(sp);
	}
	sp->octets = slice_make(sp->map, sp->size);
	return 0;
}

/* Parses, and gives the record that is stored beside the octets. */
static int
spool_parse(struct store_spool *sp, struct buf *meta)
{
	struct arena *a = arena_new(0);
	struct mime_msg *m;
	int rc;

	rc = mime_parse(sp->octets, &sp->cf->mime, a, &m);
	if (rc == 0) {
		mime_measure(m, sp->octets, a);
		msgids_of(m, a, &sp->ids);
		rc = mime_record_encode(m, SPOOL_META_MAX, meta);
	}
	arena_free(&a);
	return rc < 0 ? spool_fail(sp, STORE_E_INVALID) : 0;
}

int
store_spool_done(struct store_spool *sp)
{
	struct buf meta;
	int rc;

	if (sp->rc < 0 || sp->done)
		return sp->rc < 0 ? sp->rc : STORE_E_INVALID;
	buf_reset(&sp->norm);
	if (sp->message) {
		mime_crlf_finish(&sp->crlf, &sp->norm);
		if (spool_store(sp, buf_slice(&sp->norm)) < 0)
			return sp->rc;
	}
	sp->done = true;
	sha256_finish(&sp->sha, sp->hash);
	if (spool_map(sp) < 0)
		return sp->rc;
	buf_init(&meta, SPOOL_META_MAX);
	if (!sp->message || spool_parse(sp, &meta) == 0) {
		rc = kv_blob_new(sp->fd < 0 ? sp->octets :
		    slice_make(NULL, 0), sp->fd, sp->size, buf_slice(&meta),
		    store_conf_files(sp->cf) ? sp->cf->mail_dir : "/tmp",
		    &sp->blob);
		if (rc < 0)
			spool_fail(sp, rc);
	}
	buf_release(&meta);
	return sp->rc;
}

uint64_t
store_spool_size(const struct store_spool *sp)
{
	return sp->size;
}

struct slice
store_spool_octets(struct store_spool *sp)
{
	return sp->octets;
}

const unsigned char *
spool_hash(const struct store_spool *sp)
{
	return sp->hash;
}

struct kv_blob *
spool_blob(const struct store_spool *sp)
{
	return sp->rc == 0 ? sp->blob : NULL;
}

const struct msgids *
spool_msgids(const struct store_spool *sp)
{
	return &sp->ids;
}

bool
spool_is_message(const struct store_spool *sp)
{
	return sp->message;
}
