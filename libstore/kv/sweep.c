/* libstore/kv/sweep.c - deleting blobs and giving their blocks back */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/bdb-int.h"
#include "libstore/kv/pack-file.h"
#include "libstore/kv/sys.h"

enum { BLOCK = 4096 };

/* ---- one blob ----------------------------------------------------------- */

static void
sweep_later(struct bdb_kv *b, uint32_t no)
{
	for (size_t i = 0; i < b->n_sweep; i++)
		if (b->sweep[i] == no)
			return;
	b->sweep = xreallocarray(b->sweep, b->n_sweep + 1,
	    sizeof(b->sweep[0]));
	b->sweep[b->n_sweep++] = no;
}

static int
remove_file(struct bdb_kv *b, uint32_t no)
{
	char name[24];

	pack_name(no, name);
	pack_forget(b, no);
	if (sys_unlinkat(b->dirfd, name) < 0 && errno != ENOENT)
		return kv_fail_sys(&b->kv, "%s", name);
	return 0;
}

/* Marks it in place; nothing else of the pack changes. */
static int
mark(struct bdb_kv *b, const struct pack_file *p, const struct kv_ref *ref)
{
	unsigned char head[ITEM_HEAD];
	struct item it;
	ssize_t n = sys_pread(p->fd, head, sizeof(head), ref->off);

	if (n < 0)
		return kv_fail_sys(&b->kv, "pack.%lu", (unsigned long)p->no);
	if (n < ITEM_HEAD || item_decode(head, &it) < 0 ||
	    it.kind != ITEM_BLOB || it.deleted || it.len != ref->len)
		return 0;	/* gone already */
	it.deleted = true;
	item_encode(&it, head);
	if (sys_pwrite(p->fd, head, 4, ref->off) < 0)
		return kv_fail_sys(&b->kv, "pack.%lu", (unsigned long)p->no);
	sweep_later(b, p->no);
	return 0;
}

int
bdb_blob_del(struct kv *kv, const struct kv_ref *ref)
{
	struct bdb_kv *b = (struct bdb_kv *)kv;
	struct pack_file *p;
	int rc;

	if (ref->pack == 0 || ref->off < PACK_HEAD ||
	    ref->off % ITEM_ALIGN != 0 || ref->off > INT64_MAX / 2)
		return kv_fail(kv, STORE_E_INVALID, "no such blob");
	rc = pack_get(b, ref->pack, &p);
	if (rc == STORE_E_NOTFOUND)
		return 0;
	if (rc < 0)
		return rc;
	/* The file of a large blob may have names in other accounts. */
	rc = p->own ? remove_file(b, ref->pack) : mark(b, p, ref);
	pack_put(p);
	return rc;
}

/* ---- a pack ------------------------------------------------------------- */

/* Neighbours that are all dead: one hole. */
struct run {
	uint64_t off, len;
};

struct survey {
	struct run *run;
	size_t n;
	bool live;		/* is any blob left? */
};

static bool
is_dead(const struct item *it)
{
	return it->kind != ITEM_BLOB || it->deleted;
}

/* The whole blocks inside a run, behind its header. */
static bool
run_blocks(const struct run *r, uint64_t *from_r, uint64_t *to_r)
{
	*from_r = (r->off + ITEM_HEAD + BLOCK - 1) / BLOCK * BLOCK;
	*to_r = (r->off + r->len) / BLOCK * BLOCK;
	return *from_r < *to_r;
}

static void
survey_add(struct survey *v, struct run r, bool punched)
{
	uint64_t from, to;

	if (r.len == 0 || punched || !run_blocks(&r, &from, &to))
		return;
	v->run = xreallocarray(v->run, v->n + 1, sizeof(v->run[0]));
	v->run[v->n++] = r;
}

/* Finds the runs in [PACK_HEAD, end). */
static int
survey(struct bdb_kv *b, const struct pack_file *p, uint64_t end,
    struct survey *v)
{
	unsigned char head[ITEM_HEAD];
	struct run r = { 0, 0 };
	bool punched = false;
	struct item it;

	for (uint64_t off = PACK_HEAD; off < end; off += it.len) {
		ssize_t n = sys_pread(p->fd, head, sizeof(head), off);

		if (n < 0)
			return kv_fail_sys(&b->kv, "pack.%lu",
			    (unsigned long)p->no);
		if (n < ITEM_HEAD || item_decode(head, &it) < 0 ||
		    it.len > end - off)
			return kv_fail(&b->kv, STORE_E_CORRUPT,
			    "pack.%lu: bad item at %llu",
			    (unsigned long)p->no, (unsigned long long)off);
		if (!is_dead(&it)) {
			survey_add(v, r, punched);
			r.len = 0;
			v->live = true;
			continue;
		}
		punched = r.len == 0 && it.punched;
		if (r.len == 0)
			r.off = off;
		r.len += it.len;
	}
	survey_add(v, r, punched);
	return 0;
}

static int
run_write(struct bdb_kv *b, const struct pack_file *p, const struct run *r,
    bool punched)
{
	struct item it = { .kind = ITEM_DEAD, .len = r->len,
		.punched = punched };
	unsigned char head[ITEM_HEAD];

	item_encode(&it, head);
	if (sys_pwrite(p->fd, head, sizeof(head), r->off) < 0)
		return kv_fail_sys(&b->kv, "pack.%lu", (unsigned long)p->no);
	return 0;
}

/*
 * A run's first header comes to stand for all of it, and is flushed before the
 * others go: so the pack can be read item by item at any time.
 */
static int
punch(struct bdb_kv *b, const struct pack_file *p, const struct survey *v)
{
	uint64_t from, to;
	int rc;

	for (size_t i = 0; i < v->n; i++)
		if ((rc = run_write(b, p, &v->run[i], false)) < 0)
			return rc;
	if (sys_fdatasync(p->fd) < 0)
		return kv_fail_sys(&b->kv, "pack.%lu", (unsigned long)p->no);
	for (size_t i = 0; i < v->n; i++) {
		(void)run_blocks(&v->run[i], &from, &to);
		if (sys_punch(p->fd, from, to - from) < 0) {
			if (errno == EOPNOTSUPP || errno == ENOSYS)
				return 0;	/* not on this file system */
			return kv_fail_sys(&b->kv, "pack.%lu",
			    (unsigned long)p->no);
		}
		if ((rc = run_write(b, p, &v->run[i], true)) < 0)
			return rc;
	}
	return v->n > 0;
}

/* Up to where a pack may be swept: what is behind may be wanted for replay.
 * 0: not at all. */
static uint64_t
sweep_end(const struct bdb_kv *b, const struct pack_file *p)
{
	const struct pack_pos *pos = &b->s.head.pos;
	struct stat st;

	if (p->no > pos->pack || p->own || sys_fstat(p->fd, &st) < 0)
		return 0;
	if (p->no == pos->pack && pos->end < (uint64_t)st.st_size)
		return pos->end;
	return (uint64_t)st.st_size;
}

int
sweep_pack(struct bdb_kv *b, uint32_t no)
{
	struct survey v = { 0 };
	struct pack_file *p;
	uint64_t end;
	int rc;

	if (no >= b->s.pos.next)
		return 0;	/* not known to us */
	if ((rc = pack_get(b, no, &p)) < 0)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	if ((end = sweep_end(b, p)) <= PACK_HEAD)
		goto out;
	if ((rc = sys_lock(p->fd, F_WRLCK, 0)) != 0) {
		rc = rc < 0 ? kv_fail_sys(&b->kv, "lock") : 0;
		goto out;
	}
	if ((rc = survey(b, p, end, &v)) == 0) {
		if (!v.live && no < b->s.head.pos.pack) {
			rc = remove_file(b, no);
			rc = rc < 0 ? rc : 1;
		} else if (v.n > 0)
			rc = punch(b, p, &v);
	}
	(void)sys_lock(p->fd, F_UNLCK, 0);
	xfree(v.run);
out:
	pack_put(p);
	return rc;
}

int
dir_numbers(struct bdb_kv *b, const char *prefix,
    int (*fn)(struct bdb_kv *b, uint64_t no, void *arg), void *arg)
{
	int fd = sys_openat(b->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	    0), rc = 0;
	size_t n = strlen(prefix);
	struct dirent *d;
	uint64_t no;
	DIR *dir;

	if (fd < 0 || (dir = fdopendir(fd)) == NULL) {
		io_close(&fd);
		return kv_fail_sys(&b->kv, "directory");
	}
	while (rc == 0) {
		errno = 0;
		if ((d = readdir(dir)) == NULL) {
			if (errno != 0)
				rc = kv_fail_sys(&b->kv, "directory");
			break;
		}
		if (strncmp(d->d_name, prefix, n) == 0 &&
		    slice_uint(slice_str(d->d_name + n), UINT64_MAX, &no) == 0)
			rc = fn(b, no, arg);
	}
	(void)closedir(dir);
	return rc;
}

/* ---- all blobs ---------------------------------------------------------- */

struct purge {
	bool (*keep)(void *arg, const struct kv_ref *ref);
	void *arg;
};

static int
purge_items(struct bdb_kv *b, const struct pack_file *p, uint64_t end,
    const struct purge *u)
{
	unsigned char head[ITEM_HEAD];
	struct item it;
	int rc = 0;

	for (uint64_t off = PACK_HEAD; off < end && rc == 0; off += it.len) {
		struct kv_ref ref = { .pack = p->no, .off = off };
		ssize_t n = sys_pread(p->fd, head, sizeof(head), off);

		if (n < 0)
			return kv_fail_sys(&b->kv, "pack.%lu",
			    (unsigned long)p->no);
		if (n < ITEM_HEAD || item_decode(head, &it) < 0 ||
		    it.len > end - off)
			return kv_fail(&b->kv, STORE_E_CORRUPT,
			    "pack.%lu: bad item at %llu",
			    (unsigned long)p->no, (unsigned long long)off);
		ref.len = (uint32_t)it.len;
		if (it.kind == ITEM_BLOB && !it.deleted &&
		    !u->keep(u->arg, &ref))
			rc = bdb_blob_del(&b->kv, &ref);
	}
	return rc;
}

static int
purge_pack(struct bdb_kv *b, uint64_t no, void *arg)
{
	struct pack_file *p;
	struct stat st;
	int rc;

	if (no >= b->s.pos.next)
		return 0;
	if ((rc = pack_get(b, (uint32_t)no, &p)) < 0)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	if (sys_fstat(p->fd, &st) < 0)
		rc = kv_fail_sys(&b->kv, "pack.%lu", (unsigned long)no);
	else
		rc = purge_items(b, p, no == b->s.pos.pack ? b->s.pos.end :
		    (uint64_t)st.st_size, arg);
	pack_put(p);
	return rc;
}

int
bdb_blob_purge(struct kv *kv,
    bool (*keep)(void *arg, const struct kv_ref *ref), void *arg)
{
	struct purge u = { keep, arg };

	return dir_numbers((struct bdb_kv *)kv, "pack.", purge_pack, &u);
}
