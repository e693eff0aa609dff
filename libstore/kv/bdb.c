/* libstore/kv/bdb.c - the Berkeley DB engine: handles and transactions */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/salvage.h"
#include "libstore/kv/sys.h"

enum { LOCK_WAIT_MS = 30000 };

#ifndef CIFS_SUPER_MAGIC
#define CIFS_SUPER_MAGIC 0xFF534D42
#endif
#ifndef SMB2_SUPER_MAGIC
#define SMB2_SUPER_MAGIC 0xFE534D42
#endif
#define LUSTRE_MAGIC 0x0BD00BD0

/* Locks, mappings and flushes mean something else there. */
static bool
on_network(int fd)
{
	static const uint32_t magic[] = { NFS_SUPER_MAGIC, SMB_SUPER_MAGIC,
		CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC, CODA_SUPER_MAGIC,
		AFS_SUPER_MAGIC, V9FS_MAGIC, CEPH_SUPER_MAGIC,
		FUSE_SUPER_MAGIC, OCFS2_SUPER_MAGIC, LUSTRE_MAGIC };
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++)
		if ((uint32_t)fs.f_type == magic[i])
			return true;
	return false;
}

/* ---- making an account -------------------------------------------------- */

static int
journal_first(int dirfd, uint64_t seq)
{
	struct journal_head h = { .pos = { .next = 1 }, .settled = true,
		.seq = seq };
	unsigned char head[JOURNAL_HEAD];
	int fd, rc = 0;

	random_bytes(h.id, sizeof(h.id));
	journal_head_encode(&h, head);
	fd = sys_openat(dirfd, "journal", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	if (fd < 0)
		return -1;
	if (sys_pwrite(fd, head, sizeof(head), 0) < 0 ||
	    sys_fdatasync(fd) < 0 || sys_fsync(dirfd) < 0)
		rc = -1;
	io_close(&fd);
	return rc;
}

static int
sys_rc(void)
{
	return io_full(errno) ? STORE_E_NOSPACE :
	    errno == EEXIST || errno == ENOTEMPTY ? STORE_E_EXISTS :
						    STORE_E_IO;
}

/* The directory is made beside, whole, and then renamed: all or nothing. */
static int
create_in(int parent, const char *tmp, const char *name, uint64_t seq)
{
	int dirfd = -1, rc = 0, e;

	if (mkdirat(parent, tmp, 0700) < 0)
		return sys_rc();
	dirfd = sys_openat(parent, tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (dirfd < 0 || journal_first(dirfd, seq) < 0 ||
	    renameat2(parent, tmp, parent, name, RENAME_NOREPLACE) < 0) {
		e = errno;
		rc = sys_rc();
		if (dirfd >= 0)
			(void)unlinkat(dirfd, "journal", 0);
		(void)unlinkat(parent, tmp, AT_REMOVEDIR);
		errno = e;
	} else if (sys_fsync(parent) < 0)
		rc = sys_rc();
	io_close(&dirfd);
	return rc;
}

static int
create(const char *dir, uint64_t seq)
{
	char *copy = xstrdup(dir), *slash, tmp[60];
	const char *parent = ".", *name = copy;
	size_t n = strlen(copy);
	uint64_t rnd;
	int fd, rc;

	while (n > 1 && copy[n - 1] == '/')
		copy[--n] = '\0';
	if ((slash = strrchr(copy, '/')) != NULL) {
		*slash = '\0';
		name = slash + 1;
		parent = slash == copy ? "/" : copy;
	}
	random_bytes(&rnd, sizeof(rnd));
	snprintf(tmp, sizeof(tmp), ".new.%016llx", (unsigned long long)rnd);
	fd = sys_openat(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	    0);
	rc = fd < 0 ? sys_rc() : create_in(fd, tmp, name, seq);
	if (rc < 0 && rc != STORE_E_EXISTS)
		log_err("%s: can't be made: %s", dir, strerror(errno));
	io_close(&fd);
	xfree(copy);
	return rc;
}

/* ---- handles ------------------------------------------------------------ */

static void
bdb_close(struct kv *kv)
{
	struct bdb_kv *b = (struct bdb_kv *)kv;

	snap_close(&b->s);
	sv_free(b);		/* to whose rows the snapshot points */
	pack_forget(b, 0);
	io_close(&b->dirfd);
	xfree(b->sweep);
	kv_release(kv);
	xfree(b);
}

int
bdb_dir_open(struct bdb_kv *b)
{
	b->dirfd = sys_openat(AT_FDCWD, b->kv.dir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (b->dirfd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return kv_fail(&b->kv, STORE_E_NOTFOUND, "no such account");
	if (b->dirfd < 0)
		return kv_fail_sys(&b->kv, "directory");
	if (!b->kv.cf.any_fs && on_network(b->dirfd))
		return kv_fail(&b->kv, STORE_E_DENIED,
		    "on a network file system");
	return 0;
}

struct bdb_kv *
bdb_new(const struct kv_conf *cf, const char *dir)
{
	struct bdb_kv *b = xcalloc(1, sizeof(*b));

	kv_init(&b->kv, &kv_bdb_ops, cf, dir);
	if (b->kv.cf.lock_wait_ms == 0)
		b->kv.cf.lock_wait_ms = LOCK_WAIT_MS;
	b->dirfd = -1;
	snap_init(&b->s);
	return b;
}

/*
 * A reader that may have met damage: with the lock that is certain, and what a
 * dead writer left is put right.  If somebody writes just now, he does it.
 */
static int
look_closer(struct bdb_kv *b)
{
	int rc = writer_lock(b, 0);

	writer_unlock(b);
	if (rc == STORE_E_CORRUPT)
		return rc;
	if (rc < 0 && rc != STORE_E_BUSY)
		log_err("%s: %s", b->kv.dir, b->kv.err);
	return 0;
}

static int
bdb_open(const struct kv_conf *cf, const char *dir, int flags, struct kv **kv_r)
{
	struct bdb_kv *b;
	int rc;

	if ((flags & KV_CREATE) && (rc = create(dir, cf->first_modseq)) < 0)
		return rc;
	b = bdb_new(cf, dir);
	if ((rc = bdb_dir_open(b)) == 0 && (rc = snap_open(b, &b->s)) == 0) {
		/* After a crash, what was acknowledged may have to be found
		 * first. */
		if (recover_wanted(b))
			rc = look_closer(b);
		b->kv.modseq = b->s.seq;
	}
	if (rc < 0) {
		if (rc == STORE_E_CORRUPT)
			kv_tell(&b->kv);
		else if (rc != STORE_E_NOTFOUND)
			log_err("%s: %s", dir, b->kv.err);
		bdb_close(&b->kv);
		return rc;
	}
	*kv_r = &b->kv;
	return 0;
}

static int
bdb_refresh(struct kv *kv)
{
	struct bdb_kv *b = (struct bdb_kv *)kv;
	uint64_t before = b->s.seq;
	bool odd = false;
	struct snap s;
	int rc;

	if (b->salvage != NULL)
		return 0;
	if ((rc = snap_current(b, &b->s)) < 0)
		return rc;
	if (rc == 1)
		rc = snap_tail(b, &b->s, false);
	else if ((rc = snap_open(b, &s)) == 0) {
		snap_close(&b->s);
		b->s = s;
	}
	if (rc == 0 && b->s.size > b->s.end && (rc = snap_odd(b, &b->s, &odd)) == 0 && odd)
		rc = look_closer(b);
	kv->modseq = b->s.seq;
	return rc < 0 ? rc : b->s.seq != before;
}

/* ---- transactions ------------------------------------------------------- */

static void
bdb_abort(struct kv_txn *txn)
{
	struct bdb_txn *t = (struct bdb_txn *)txn;

	if (txn->mode & KV_RW)
		writer_unlock((struct bdb_kv *)txn->kv);
	for (size_t i = 0; i < t->n_blobs; i++)
		kv_blob_free(&t->blobs[i].b);
	xfree(t->blobs);
	ops_release(&t->ops);
	overlay_release(&t->view.ov);
	xfree(t);
}

static int
bdb_begin(struct kv *kv, int mode, struct kv_txn **txn_r)
{
	struct bdb_kv *b = (struct bdb_kv *)kv;
	struct bdb_txn *t;
	int rc;

	if (mode & KV_RW) {
		rc = writer_lock(b, kv->cf.lock_wait_ms);
		/* Repairing needs space too. */
		if (rc == STORE_E_NOSPACE && (mode & KV_FREES) &&
		    reserve_release(b))
			rc = writer_lock(b, kv->cf.lock_wait_ms);
		if (rc < 0)
			return rc;
	}
	t = xcalloc(1, sizeof(*t));
	t->txn.kv = kv;
	t->txn.mode = mode;
	t->txn.modseq = b->s.seq + ((mode & KV_RW) != 0);
	t->pos = b->s.pos;
	t->view.low = &b->s.low;
	overlay_init(&t->view.ov, false);
	if (mode & KV_RW)
		ops_init(&t->ops);
	*txn_r = &t->txn;
	return 0;
}

/* Only the base can't be read, or is damaged. */
static int
row_failed(struct kv *kv, int rc)
{
	const struct base *base = ((struct bdb_kv *)kv)->s.low.base;

	return kv_fail(kv, rc, "%s",
	    base != NULL && *base_errmsg(base) != '\0' ? base_errmsg(base) :
		"journal: a change doesn't fit the row");
}

static int
bdb_get(struct kv_txn *txn, struct arena *a, struct slice key,
    struct slice *val_r)
{
	int rc = view_get(&((struct bdb_txn *)txn)->view, a, key, val_r);

	return rc < 0 && rc != STORE_E_NOTFOUND ? row_failed(txn->kv, rc) : rc;
}

struct bdb_scan {
	struct kv_scan scan;
	struct kv *kv;
	struct view_scan *s;
};

static int
bdb_scan_open(struct kv_txn *txn, struct slice from, struct slice to,
    int flags, struct kv_scan **s_r)
{
	struct bdb_scan *s = xcalloc(1, sizeof(*s));

	s->scan.ops = &kv_bdb_ops;
	s->kv = txn->kv;
	s->s = view_scan_new(&((struct bdb_txn *)txn)->view, from, to,
	    (flags & KV_REVERSE) != 0);
	*s_r = &s->scan;
	return 0;
}

static int
bdb_scan_next(struct kv_scan *s, struct slice *key_r, struct slice *val_r)
{
	struct bdb_scan *b = (struct bdb_scan *)s;
	int rc = view_scan_next(b->s, key_r, val_r);

	return rc < 0 ? row_failed(b->kv, rc) : rc;
}

static void
bdb_scan_close(struct kv_scan *s)
{
	view_scan_free(((struct bdb_scan *)s)->s);
	xfree(s);
}

/* An operation was added to the record; added < 0: it was full. */
static int
count(struct bdb_txn *t, int added, size_t octets)
{
	t->octets += octets;
	if (added < 0)
		t->octets = SIZE_MAX / 2;
	return t->octets > KV_TXN_MAX ?
	    kv_fail(t->txn.kv, STORE_E_TOOBIG, "transaction too large") : 0;
}

static int
bdb_put(struct kv_txn *txn, struct slice key, struct slice val)
{
	struct bdb_txn *t = (struct bdb_txn *)txn;
	int rc = count(t, op_put(&t->ops, key, val), key.n + val.n);

	if (rc == 0)
		overlay_put(&t->view.ov, key, val);
	return rc;
}

static int
bdb_patch(struct kv_txn *txn, struct slice key, size_t off,
    struct slice octets)
{
	struct bdb_txn *t = (struct bdb_txn *)txn;
	int rc = view_patch(&t->view, key, off, octets);

	if (rc == STORE_E_NOTFOUND || rc == STORE_E_INVALID)
		return kv_fail(txn->kv, rc, "patch: %s",
		    rc == STORE_E_NOTFOUND ? "no such row" : "past its end");
	if (rc < 0)
		return row_failed(txn->kv, rc);
	return count(t, op_patch(&t->ops, key, (uint32_t)off, octets),
	    key.n + octets.n);
}

static int
bdb_del(struct kv_txn *txn, struct slice key)
{
	struct bdb_txn *t = (struct bdb_txn *)txn;
	int rc = count(t, op_del(&t->ops, key), key.n);

	if (rc == 0)
		overlay_del(&t->view.ov, key);
	return rc;
}

static int
bdb_del_range(struct kv_txn *txn, struct slice from, struct slice to)
{
	struct bdb_txn *t = (struct bdb_txn *)txn;
	int rc = count(t, op_del_range(&t->ops, from, to), from.n + to.n);

	if (rc == 0)
		overlay_del_range(&t->view.ov, from, to);
	return rc;
}

const struct kv_ops kv_bdb_ops = {
	.name = "bdb",
	.open = bdb_open,
	.close = bdb_close,
	.refresh = bdb_refresh,
	.begin = bdb_begin,
	.get = bdb_get,
	.scan_open = bdb_scan_open,
	.scan_next = bdb_scan_next,
	.scan_close = bdb_scan_close,
	.put = bdb_put,
	.patch = bdb_patch,
	.del = bdb_del,
	.del_range = bdb_del_range,
	.commit = bdb_commit,
	.abort = bdb_abort,
	.blob_put = bdb_blob_put,
	.blob_source = bdb_blob_source,
	.blob_del = bdb_blob_del,
	.idle = bdb_idle,
	.check = bdb_check,
	.blob_purge = bdb_blob_purge,
	.backup = bdb_backup,
	.salvage = bdb_salvage,
	.salvage_blobs = bdb_salvage_blobs,
	.salvage_floor = bdb_salvage_floor,
	.salvage_done = bdb_salvage_done,
	.watch_new = bdb_watch_new,
	.watch_free = bdb_watch_free,
	.watch_add = bdb_watch_add,
	.watch_del = bdb_watch_del,
	.watch_next = bdb_watch_next,
};
