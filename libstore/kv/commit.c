/* libstore/kv/commit.c - making a transaction durable with one flush */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/pack-file.h"
#include "libstore/kv/sys.h"

/* ---- blobs get their places --------------------------------------------- */

/* The pack that a transaction's blobs go to. */
static int
choose_pack(struct bdb_kv *b, struct bdb_txn *t)
{
	struct pack_file *p;
	struct stat st;
	int rc;

	if (t->new_pack || t->pos.end > b->s.pos.end)
		return 0;	/* not the first */
	if (t->pos.pack != 0 && t->pos.end < pack_limit()) {
		if ((rc = pack_get(b, t->pos.pack, &p)) == 0) {
			rc = sys_fstat(p->fd, &st);
			pack_put(p);
			if (rc < 0)
				return kv_fail_sys(&b->kv, "pack");
			if ((uint64_t)st.st_size >= t->pos.end)
				return 0;
		} else if (rc == STORE_E_IO)
			return rc;
		/* Never write behind a gap, it would hide the loss. */
		log_err("%s: pack.%lu has lost octets", b->kv.dir,
		    (unsigned long)t->pos.pack);
	}
	t->pos.pack = t->pos.next++;
	t->pos.end = PACK_HEAD;
	t->new_pack = true;
	return 0;
}

int
bdb_blob_put(struct kv_txn *txn, struct kv_blob *kb, struct kv_ref *ref_r)
{
	struct bdb_txn *t = (struct bdb_txn *)txn;
	struct staged *g;
	int rc;

	t->blobs = xreallocarray(t->blobs, t->n_blobs + 1,
	    sizeof(t->blobs[0]));
	g = &t->blobs[t->n_blobs];
	g->ref.len = (uint32_t)kb->len;
	if (kb->mem == NULL) {	/* a pack of its own */
		g->ref.pack = t->pos.next++;
		g->ref.off = PACK_HEAD;
	} else {
		if ((rc = choose_pack((struct bdb_kv *)txn->kv, t)) < 0)
			return rc;
		g->ref.pack = t->pos.pack;
		g->ref.off = t->pos.end;
		t->pos.end += kb->len;
	}
	g->b = kv_blob_dup(kb);
	t->n_blobs++;
	*ref_r = g->ref;
	return 0;
}

/* ---- large blobs -------------------------------------------------------- */

/* A copy where there can't be a link: tmp_dir is on another file system. */
static int
own_copy(struct bdb_kv *b, const struct kv_blob *kb, const char *name)
{
	int fd = sys_openat(b->dirfd, name,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), rc = 0;

	if (fd < 0)
		return -1;
	if (sys_copy(kb->fd, fd, PACK_HEAD + kb->len) < 0 ||
	    sys_fdatasync(fd) < 0) {
		rc = errno;
		(void)sys_unlinkat(b->dirfd, name);
		errno = rc;
		rc = -1;
	}
	io_close(&fd);
	return rc;
}

/* Names the files of the large blobs; on failure none is left. */
static int
own_link(struct bdb_kv *b, struct bdb_txn *t, size_t *n_r)
{
	char name[24];

	for (size_t i = 0; i < t->n_blobs; i++) {
		struct kv_blob *kb = t->blobs[i].b;
		int rc;

		if (kb->mem != NULL)
			continue;
		pack_name(t->blobs[i].ref.pack, name);
		rc = sys_link(kb->fd, b->dirfd, name);
		if (rc < 0 && errno == EEXIST) {
			/* Of a writer who died before its record. */
			pack_forget(b, t->blobs[i].ref.pack);
			(void)sys_unlinkat(b->dirfd, name);
			rc = sys_link(kb->fd, b->dirfd, name);
		}
		if (rc < 0 && !io_full(errno))
			rc = own_copy(b, kb, name);
		if (rc < 0)
			return kv_fail_sys(&b->kv, "%s", name);
		++*n_r;
	}
	return 0;
}

static void
own_unlink(struct bdb_kv *b, const struct bdb_txn *t, size_t n)
{
	char name[24];

	for (size_t i = 0; i < t->n_blobs && n > 0; i++) {
		if (t->blobs[i].b->mem != NULL)
			continue;
		pack_name(t->blobs[i].ref.pack, name);
		(void)sys_unlinkat(b->dirfd, name);
		n--;
	}
}

/* ---- small blobs: the pack ---------------------------------------------- */

/* What a transaction appends to its pack. */
struct append {
	struct iovec *iov;
	int n;
	uint64_t off;
	unsigned char head[PACK_HEAD];	/* of a new pack */
	unsigned char item[ITEM_HEAD];	/* of the record */
	char pad[ITEM_ALIGN];
};

static void
append_add(struct append *a, const void *p, size_t n)
{
	memcpy(&a->iov[a->n].iov_base, &p, sizeof(p));
	a->iov[a->n++].iov_len = n;
}

/* Blobs, then the record: a whole transaction that can be replayed. */
static void
append_fill(struct append *a, const struct bdb_txn *t, uint64_t record_len)
{
	struct item it = { .kind = ITEM_RECORD };
	size_t pad;

	memset(a->pad, 0, sizeof(a->pad));
	a->iov = xcalloc(t->n_blobs + 4, sizeof(*a->iov));
	a->n = 0;
	a->off = t->pos.end - record_len;
	if (t->new_pack) {
		pack_head_encode(0, a->head);
		append_add(a, a->head, PACK_HEAD);
		a->off = 0;
	}
	for (size_t i = t->n_blobs; i-- > 0;)
		if (t->blobs[i].b->mem != NULL && !t->new_pack)
			a->off -= t->blobs[i].b->len;
	for (size_t i = 0; i < t->n_blobs; i++)
		if (t->blobs[i].b->mem != NULL)
			append_add(a, t->blobs[i].b->mem,
			    (size_t)t->blobs[i].b->len);
	it.meta_len = (uint32_t)t->ops.b.n;
	it.meta_crc = crc32c(0, t->ops.b.p, t->ops.b.n);
	it.len = record_len;
	item_encode(&it, a->item);
	append_add(a, a->item, ITEM_HEAD);
	append_add(a, t->ops.b.p, t->ops.b.n);
	pad = (size_t)record_len - ITEM_HEAD - t->ops.b.n;
	if (pad > 0)
		append_add(a, a->pad, pad);
}

static int
pack_create(struct bdb_kv *b, uint32_t no, struct pack_file **p_r)
{
	struct pack_file *p;
	char name[24];
	int fd;

	pack_name(no, name);
	pack_forget(b, no);
	fd = sys_openat(b->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	if (fd < 0 && errno == EEXIST) {	/* of a dead writer */
		(void)sys_unlinkat(b->dirfd, name);
		fd = sys_openat(b->dirfd, name,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return kv_fail_sys(&b->kv, "%s", name);
	p = xcalloc(1, sizeof(*p));
	atomic_init(&p->refs, 1);
	p->no = no;
	p->fd = fd;
	*p_r = p;
	return 0;
}

/* Takes back what a failed transaction wrote to the pack. */
static int
pack_undo(struct bdb_kv *b, const struct bdb_txn *t, struct pack_file *p)
{
	char name[24];
	int e = errno, rc;

	if (t->new_pack) {
		pack_name(t->pos.pack, name);
		rc = sys_unlinkat(b->dirfd, name);
		if (rc == 0)	/* or it may be back after a loss of power */
			rc = sys_fsync(b->dirfd);
	} else {
		rc = sys_truncate(p->fd, b->s.pos.end);
		if (rc == 0)
			rc = sys_fdatasync(p->fd);
	}
	errno = e;
	return rc;
}

/* The transaction becomes durable in its pack. */
static int
pack_write(struct bdb_kv *b, struct bdb_txn *t, uint64_t record_len,
    struct pack_file **p_r)
{
	struct append a;
	int rc;

	if (t->new_pack)
		rc = pack_create(b, t->pos.pack, p_r);
	else
		rc = pack_get(b, t->pos.pack, p_r);
	if (rc < 0)
		return rc;
	append_fill(&a, t, record_len);
	if (sys_pwritev((*p_r)->fd, a.iov, a.n, a.off) < 0) {
		(void)pack_undo(b, t, *p_r);
		rc = kv_fail_sys(&b->kv, "pack.%lu",
		    (unsigned long)t->pos.pack);
	} else if (sys_fdatasync((*p_r)->fd) < 0)
		rc = flush_failed(b, "pack");
	else if (t->new_pack && sys_fsync(b->dirfd) < 0)
		rc = flush_failed(b, "directory");
	xfree(a.iov);
	return rc;
}

/* ---- the journal -------------------------------------------------------- */

int
journal_append(struct bdb_kv *b, const void *p, size_t n)
{
	int e, rc;

	if (sys_pwrite(b->s.fd, p, n, b->s.end) == 0)
		return 0;
	e = errno;
	rc = sys_truncate(b->s.fd, b->s.end) < 0 ? -2 : -1;
	errno = e;
	return rc;
}

/* The record is flushed, then shown: nobody ever sees what could be lost. */
static int
journal_commit(struct bdb_kv *b, struct bdb_txn *t)
{
	unsigned char shown[4];
	int rc = journal_append(b, t->ops.b.p, t->ops.b.n);

	if (rc < 0 && io_full(errno) &&
	    (t->txn.mode & KV_FREES) && reserve_release(b))
		rc = journal_append(b, t->ops.b.p, t->ops.b.n);
	if (rc < 0)
		return kv_fail_sys(&b->kv, "journal");
	if (sys_fdatasync(b->s.fd) < 0)
		return flush_failed(b, "journal");
	record_show(shown);
	if (sys_pwrite(b->s.fd, shown, sizeof(shown), b->s.end) < 0) {
		/* Durable; the next writer will show it. */
		(void)kv_fail_sys(&b->kv, "journal");
		b->broken = true;
		return STORE_E_UNKNOWN;
	}
	return 0;
}

/* The pack is flushed, and can tell the record if the journal loses it. */
static int
pack_commit(struct bdb_kv *b, struct bdb_txn *t, uint64_t record_len)
{
	struct pack_file *p = NULL;
	int left, rc;

	if ((rc = pack_write(b, t, record_len, &p)) < 0)
		goto out;
	if ((left = journal_append(b, t->ops.b.p, t->ops.b.n)) < 0) {
		rc = kv_fail_sys(&b->kv, "journal");
		/* What is left of a shown record is taken for damage, unless
		 * the pack has it whole. */
		if (left == -2 || pack_undo(b, t, p) < 0) {
			b->broken = true;
			rc = STORE_E_UNKNOWN;
		}
	}
out:
	pack_put(p);
	return rc;
}

uint64_t
commit_time(const struct bdb_kv *b)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return ((uint64_t)t.tv_sec + (uint64_t)b->kv.cf.clock_offset) *
	    1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int
write_all(struct bdb_kv *b, struct bdb_txn *t)
{
	uint64_t record_len;
	struct record r = { .seq = t->txn.modseq };
	size_t n_own = 0, small = 0;
	int rc = 0;

	for (size_t i = 0; i < t->n_blobs; i++)
		small += t->blobs[i].b->mem != NULL;
	record_len = (ITEM_HEAD + (t->ops.b.n + 7) / 8 * 8 + ITEM_ALIGN - 1) /
	    ITEM_ALIGN * ITEM_ALIGN;
	if (small > 0)
		t->pos.end += record_len;
	r.pos = t->pos;
	r.when = t->when = commit_time(b);
	r.shown = small > 0;
	if (record_finish(&t->ops, &r) < 0)
		return kv_fail(&b->kv, STORE_E_TOOBIG, "transaction too large");
	if (t->n_blobs > 0 && !(t->txn.mode & KV_FREES) &&
	    !kv_room(b->dirfd, t->ops.b.n + (small > 0 ? record_len : 0)))
		return kv_fail(&b->kv, STORE_E_NOSPACE,
		    "what is left of the disk is kept for deleting");
	if (small < t->n_blobs) {
		if ((rc = own_link(b, t, &n_own)) == 0 &&
		    sys_fsync(b->dirfd) < 0)
			rc = flush_failed(b, "directory");
	}
	if (rc == 0)
		rc = small > 0 ? pack_commit(b, t, record_len) :
				 journal_commit(b, t);
	if (rc < 0 && rc != STORE_E_UNKNOWN)
		own_unlink(b, t, n_own);
	return rc;
}

/* The transaction is part of the handle's snapshot from now on. */
static int
take_in(struct bdb_kv *b, struct bdb_txn *t)
{
	size_t n = t->ops.b.n;
	char *p = t->ops.b.p;

	olog_keep(b->s.low.log, p);
	memset(&t->ops.b, 0, sizeof(t->ops.b));
	b->s.end += n;
	b->s.seq = b->kv.modseq = t->txn.modseq;
	b->s.pos = t->pos;
	b->s.when = t->when;
	if (ops_apply(slice_make(p + RECORD_HEAD, n - RECORD_HEAD), t->ops.n,
		b->s.low.log) == 0)
		return 0;
	b->broken = true;
	return kv_fail(&b->kv, STORE_E_UNKNOWN, "own record makes no sense");
}

int
bdb_commit(struct kv_txn *txn, uint64_t *modseq_r)
{
	struct bdb_txn *t = (struct bdb_txn *)txn;
	struct bdb_kv *b = (struct bdb_kv *)txn->kv;
	int rc = 0;

	*modseq_r = b->s.seq;
	if (t->octets > KV_TXN_MAX)
		rc = kv_fail(&b->kv, STORE_E_TOOBIG, "transaction too large");
	else if (t->ops.n > 0 || t->n_blobs > 0) {
		if (b->salvage == NULL)
			rc = write_all(b, t);
		else if (t->n_blobs > 0)
			rc = kv_fail(&b->kv, STORE_E_INVALID, "in a repair");
		if (rc == 0 &&
		    (rc = take_in(b, t)) == 0)
			*modseq_r = b->s.seq;
	}
	txn->kv->ops->abort(txn);	/* unlocks, frees */
	return rc;
}
