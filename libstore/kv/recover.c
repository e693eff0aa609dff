/* libstore/kv/recover.c - what a pack knows and the journal doesn't */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/pack-file.h"
#include "libstore/kv/sys.h"

/*
 * A delivery is flushed in the pack and then only written to the journal.  So
 * behind the place up to which the journal accounts for the pack there may be:
 * whole transactions (the writer died before the journal, or the journal lost
 * its unflushed end with the power), then the torn rest of one.
 */

enum { ITEM_MAX = BLOB_OWN_PACK + RECORD_MAX };

/* The item at off: 1 and its octets in *buf, or 0: there is no whole one. */
static int
item_load(struct bdb_kv *b, int fd, uint64_t off, uint64_t size,
    struct buf *buf, struct item *it)
{
	unsigned char head[ITEM_HEAD];
	char *p;

	if (size - off < ITEM_HEAD)
		return 0;
	if (sys_pread(fd, head, sizeof(head), off) < 0)
		return kv_fail_sys(&b->kv, "pack");
	if (item_decode(head, it) < 0 || it->len > size - off ||
	    it->len > ITEM_MAX)
		return 0;
	buf_reset(buf);
	if ((p = buf_reserve(buf, (size_t)it->len)) == NULL)
		return 0;
	if (sys_pread(fd, p, (size_t)it->len, off) < 0)
		return kv_fail_sys(&b->kv, "pack");
	buf->n = (size_t)it->len;
	/* Of dead items there may be holes inside. */
	return it->kind == ITEM_DEAD || item_verify(buf_slice(buf), it) == 0;
}

/* Writes [from, to) again, so that the flush that follows is about it, also if
 * an earlier one failed. */
static int
rewrite(struct bdb_kv *b, int fd, uint64_t from, uint64_t to)
{
	enum { STEP = 256 * 1024 };
	char *p = xmalloc(STEP);
	int rc = 0;

	while (from < to && rc == 0) {
		size_t n = to - from < STEP ? (size_t)(to - from) : STEP;

		if (sys_pread(fd, p, n, from) != (ssize_t)n ||
		    sys_pwrite(fd, p, n, from) < 0)
			rc = kv_fail_sys(&b->kv, "pack");
		from += n;
	}
	xfree(p);
	return rc;
}

/* The transaction in [from, to) of the pack, whose record this is. */
static int
replay(struct bdb_kv *b, struct pack_file *p, uint64_t from, uint64_t to,
    struct slice octets, const struct record *r)
{
	char *copy;
	int rc;

	if ((rc = rewrite(b, p->fd, from, to)) < 0)
		return rc;
	if (sys_fdatasync(p->fd) < 0)
		return flush_failed(b, "pack");
	if (p->no != b->s.pos.pack && sys_fsync(b->dirfd) < 0)
		return flush_failed(b, "directory");
	if (journal_append(b, octets.p, octets.n) < 0)
		return kv_fail_sys(&b->kv, "journal");
	copy = xmalloc(octets.n);
	memcpy(copy, octets.p, octets.n);
	olog_keep(b->s.low.log, copy);
	if (ops_apply(slice_make(copy + RECORD_HEAD, r->ops.n), r->n_ops,
		b->s.low.log) < 0)
		return kv_fail(&b->kv, STORE_E_CORRUPT,
		    "pack.%lu: record %llu makes no sense",
		    (unsigned long)p->no, (unsigned long long)r->seq);
	log_info("%s: replayed %llu from pack.%lu", b->kv.dir,
	    (unsigned long long)r->seq, (unsigned long)p->no);
	b->s.end += r->len;
	b->s.seq = r->seq;
	b->s.when = r->when;
	b->s.pos = r->pos;
	return 0;
}

/* Is it the record of the transaction that ends at `end`?  1, 0, or CORRUPT. */
static int
record_fits(struct bdb_kv *b, const struct pack_file *p, struct slice s,
    uint64_t end, struct record *r)
{
	size_t need;

	if (!record_decode(s, r, &need) || r->len != s.n || !r->shown)
		return 0;
	if (r->seq <= b->s.seq || r->pos.pack != p->no || r->pos.end != end)
		return 0;	/* of a transaction that was taken back */
	if (r->seq == b->s.seq + 1)
		return 1;
	return kv_fail(&b->kv, STORE_E_CORRUPT,
	    "the journal lost %llu to %llu",
	    (unsigned long long)b->s.seq + 1, (unsigned long long)r->seq - 1);
}

/* Replays whole transactions from off on; *end_r: the end of the last one. */
static int
scan_tail(struct bdb_kv *b, struct pack_file *p, uint64_t off, uint64_t size,
    uint64_t *end_r)
{
	uint64_t start = off;
	struct record r;
	struct item it;
	struct buf buf;
	int rc;

	buf_init(&buf, ITEM_MAX);
	*end_r = off;
	while ((rc = item_load(b, p->fd, off, size, &buf, &it)) == 1) {
		struct slice s;

		off += it.len;
		if (it.kind != ITEM_RECORD)
			continue;
		s = slice_make(buf.p + ITEM_HEAD, it.meta_len);
		if ((rc = record_fits(b, p, s, off, &r)) != 1)
			break;
		if ((rc = replay(b, p, start, off, s, &r)) < 0)
			break;
		*end_r = start = off;
	}
	buf_release(&buf);
	return rc < 0 ? rc : 0;
}

/* *own_r: it belongs to a large blob. */
static int
scan_pack(struct bdb_kv *b, uint32_t no, bool *own_r)
{
	struct pack_file *p;
	struct stat st;
	uint64_t end;
	int rc = pack_open(b, no, &p);

	/* Of a writer who died before there was a header. */
	if (rc == STORE_E_NOTFOUND || rc == STORE_E_CORRUPT)
		return 0;
	if (rc < 0)
		return rc;
	*own_r = p->own;
	if (sys_fstat(p->fd, &st) < 0)
		rc = kv_fail_sys(&b->kv, "pack");
	else if (!p->own)
		rc = scan_tail(b, p, PACK_HEAD, (uint64_t)st.st_size, &end);
	pack_put(p);
	return rc;
}

/*
 * A next pack that the journal doesn't know.  The same transaction may have
 * given the numbers before it to large blobs.  1: it is the current one now.
 */
static int
next_pack(struct bdb_kv *b)
{
	uint32_t no = b->s.pos.next;
	bool own = true;
	int rc = 0;

	for (; own && rc == 0 && no != 0; no++) {
		own = false;
		rc = scan_pack(b, no, &own);
		if (rc == 0 && b->s.pos.pack == no)
			return 1;
	}
	/* Without a transaction it is left to whoever wants that number. */
	return rc;
}

static int
cut(struct bdb_kv *b, struct pack_file *p, uint64_t end, uint64_t size)
{
	if (end >= size)
		return 0;
	if (sys_truncate(p->fd, end) < 0)
		return kv_fail_sys(&b->kv, "pack.%lu", (unsigned long)p->no);
	return 0;
}

int
recover_packs(struct bdb_kv *b)
{
	uint64_t seq = b->s.seq;
	int rc = 0;

	for (;;) {
		struct pack_pos pos = b->s.pos;
		struct pack_file *p;
		struct stat st = { 0 };
		uint64_t end = pos.end;

		if (pos.pack != 0) {
			rc = pack_get(b, pos.pack, &p);
			if (rc == STORE_E_IO)
				return rc;
			if (rc == 0) {
				if (sys_fstat(p->fd, &st) < 0)
					rc = kv_fail_sys(&b->kv, "pack");
				if (rc == 0 && (uint64_t)st.st_size > pos.end)
					rc = scan_tail(b, p, pos.end,
					    (uint64_t)st.st_size, &end);
				if (rc == 0)
					rc = cut(b, p, end,
					    (uint64_t)st.st_size);
				pack_put(p);
				if (rc < 0)
					return rc;
			}
		}
		if (pos.pack != 0 && (uint64_t)st.st_size >= pos.end &&
		    b->s.pos.end < pack_limit())
			return b->s.seq != seq;
		if ((rc = next_pack(b)) < 0)
			return rc;
		if (rc == 0)
			return b->s.seq != seq;
	}
}

bool
recover_wanted(struct bdb_kv *b)
{
	struct pack_pos pos = b->s.pos;
	struct stat st;
	char name[24];

	if (sys_fstat(b->s.fd, &st) == 0 && (uint64_t)st.st_size > b->s.end)
		return true;
	if (pos.pack != 0) {
		pack_name(pos.pack, name);
		if (sys_fstatat(b->dirfd, name, &st) < 0)
			return false;
		if ((uint64_t)st.st_size > pos.end)
			return true;
		if (pos.end < pack_limit())
			return false;
	}
	pack_name(pos.next, name);
	return sys_fstatat(b->dirfd, name, &st) == 0;
}
