/* libstore/kv/base-write.c - writing the next base */
#include "config.h"

#include <db.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/btree.h"
#include "libstore/kv/journal.h"
#include "libstore/kv/lower.h"
#include "libstore/kv/sys.h"

/* libdb reads the file's pages itself; SYS_DB of the seam stands for it. */

enum { CACHE = 2 * 1024 * 1024, STEP = 64 * BT_PAGE };

/* Berkeley DB's own words come with the return code. */
static void
no_message(const DB_ENV *env, const char *prefix, const char *msg)
{
	(void)env;
	(void)prefix;
	(void)msg;
}

static int
base_rc(int e, char *err, size_t err_n, const char *what)
{
	snprintf(err, err_n, "%s: %s", what, db_strerror(e));
	switch (e) {
	case ENOMEM:
		return STORE_E_NOMEM;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return STORE_E_NOSPACE;
	case DB_OLD_VERSION:
		return STORE_E_VERSION;
	default:
		/* EINVAL and its own codes as well: the pages that it was given
		 * are sound, so they were not read, or not written. */
		return STORE_E_IO;
	}
}

static int
no_pause(u_long s, u_long us)
{
	(void)s;
	(void)us;
	return 0;
}

/*
 * It doesn't sleep for seconds where an open fails for want of descriptors or
 * space.  And it can't do without memory (it crashes): so the process ends in
 * good order, as it does elsewhere.  Nothing is held here that others need.
 */
static void
prepare(void)
{
	(void)db_env_set_func_yield(no_pause);
	(void)db_env_set_func_malloc(xmalloc);
	(void)db_env_set_func_realloc(xrealloc);
	(void)db_env_set_func_free(xfree);
}

static void
dbt_set(DBT *d, struct slice s)
{
	memset(d, 0, sizeof(*d));
	memcpy(&d->data, &s.p, sizeof(d->data));
	d->size = (u_int32_t)s.n;
}

static int
row_put(DB *db, struct slice key, struct slice val)
{
	DBT k, v;

	if (sys_db() < 0)
		return errno;
	dbt_set(&k, key);
	dbt_set(&v, val);
	return db->put(db, NULL, &k, &v, 0);
}

/* All rows, in order, into the empty file, which goes to the disk meanwhile. */
static int
fill(DB *db, struct lower *rows, const char *path)
{
	struct lower_scan *s = lower_scan_new(rows, slice_make(NULL, 0),
	    slice_make(NULL, 0), false);
	int fd = sys_openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	struct slice key, val;
	size_t octets = 0;
	int e = fd < 0 ? errno : 0, rc;

	while (e == 0 && (rc = lower_scan_next(s, &key, &val)) != 0) {
		e = rc < 0 ? EIO : row_put(db, key, val);
		octets += key.n + val.n;
		if (octets < STEP || e != 0)
			continue;
		octets = 0;
		if (sys_writeback(fd, 0, 0, true) < 0)
			e = errno;
	}
	lower_scan_free(s);
	io_close(&fd);
	return e;
}

/* Deletes the base's rows from <= key < to. */
static int
delete_range(DB *db, struct slice from, struct slice to)
{
	DBT k, v = { 0 };
	DBC *c;
	int e, e2;

	if ((e = db->cursor(db, NULL, &c, 0)) != 0)
		return e;
	dbt_set(&k, from);
	v.flags = DB_DBT_PARTIAL;	/* the keys alone */
	e = c->get(c, &k, &v, from.n > 0 ? DB_SET_RANGE : DB_FIRST);
	while (e == 0) {
		if (to.n > 0 && slice_cmp(slice_make(k.data, k.size), to) >= 0)
			break;
		if (sys_db() < 0)
			e = errno;
		else if ((e = c->del(c, 0)) == 0)
			e = c->get(c, &k, &v, DB_NEXT);
	}
	e2 = c->close(c);
	return e == DB_NOTFOUND ? e2 : e != 0 ? e : e2;
}

static int
row_del(DB *db, struct slice key)
{
	DBT k;
	int e;

	if (sys_db() < 0)
		return errno;
	dbt_set(&k, key);
	e = db->del(db, NULL, &k, 0);
	return e == DB_NOTFOUND ? 0 : e;
}

/* The journal's changes, in the order of keys, into a copy of the base. */
static int
change(DB *db, struct lower *rows)
{
	struct slice none = { NULL, 0 }, from, to, val;
	struct olog_list list;
	int e = 0, rc;

	for (size_t i = 0; e == 0 && olog_range(rows->log, i, &from, &to); i++)
		e = delete_range(db, from, to);
	olog_list(rows->log, none, none, &list);
	for (size_t i = 0; e == 0 && i < list.n; i++) {
		struct slice key = olog_list_key(&list, i);

		rc = olog_get(rows->log, key, rows->base, &val);
		e = rc < 0 ? EINVAL :
		    rc == 1 ? row_put(db, key, val) : row_del(db, key);
	}
	olog_list_release(&list);
	return e;
}

static int
write_rows(const struct base_job *j, const char *path)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int e, e2;
	DB *db;

	(void)pthread_once(&once, prepare);
	if ((e = db_create(&db, NULL, 0)) != 0)
		return e;
	db->set_errcall(db, no_message);
	if ((e = db->set_cachesize(db, 0, CACHE, 1)) == 0 && j->anew)
		e = db->set_pagesize(db, BT_PAGE);
	if (e == 0)
		e = db->open(db, NULL, path, NULL, DB_BTREE,
		    j->anew ? DB_CREATE | DB_EXCL : 0, 0600);
	if (e == 0)
		e = j->anew ? fill(db, j->rows, path) : change(db, j->rows);
	/* It also writes everything out. */
	e2 = db->close(db, e == 0 ? 0 : DB_NOSYNC);
	return e != 0 ? e : e2;
}

/*
 * Octets up to end are written: a few steps are on their way to the disk, those
 * before them have arrived.  A flush of all at once would be felt by those who
 * flush a small change meanwhile.
 */
static int
write_back(int fd, uint64_t end)
{
	enum { WAY = 2 * STEP };

	if (sys_writeback(fd, end - STEP, STEP, false) < 0)
		return -1;
	return end < WAY + STEP ? 0 :
	    sys_writeback(fd, end - WAY - STEP, STEP, true);
}

/* Berkeley DB gets no page to read that isn't what it wrote.  The copy is
 * sealed, so that only what Berkeley DB changes is to be sealed again. */
static int
copy_pages(const struct base_job *j, int from, int to, char *err, size_t err_n)
{
	unsigned char *p;
	int rc = 0;

	/* Also, others' flushes don't wait for octets that have a place. */
	if (sys_allocate(to, j->old_size) < 0 &&
	    io_full(errno))
		return base_rc(errno, err, err_n, "base");
	p = xmalloc(STEP);
	for (uint64_t off = 0; off < j->old_size && rc == 0; off += STEP) {
		uint64_t left = j->old_size - off;
		size_t n = left < STEP ? (size_t)left : STEP, at = 0;
		ssize_t k = sys_pread(from, p, n, off);

		for (; k == (ssize_t)n && at < n; at += BT_PAGE) {
			if (!bt_sealed(p + at, j->old_gen))
				break;
			bt_seal(p + at, j->gen);
		}
		if (k < 0)
			rc = base_rc(errno, err, err_n, "base");
		else if (at < n) {
			snprintf(err, err_n,
			    "base.%llu: page at %llu: wrong checksum",
			    (unsigned long long)j->old_gen,
			    (unsigned long long)off + at);
			rc = STORE_E_CORRUPT;
		} else if (sys_pwrite(to, p, n, off) < 0 ||
		    write_back(to, off + STEP) < 0)
			rc = base_rc(errno, err, err_n, "base");
	}
	xfree(p);
	return rc;
}

static int
copy_old(const struct base_job *j, const char *name, char *err, size_t err_n)
{
	char old[40];
	int from, to = -1, rc;

	snprintf(old, sizeof(old), "base.%llu", (unsigned long long)j->old_gen);
	from = sys_openat(j->dirfd, old, O_RDONLY | O_CLOEXEC, 0);
	if (from >= 0)
		to = sys_openat(j->dirfd, name,
		    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		rc = base_rc(errno, err, err_n, from < 0 ? old : name);
	else
		rc = copy_pages(j, from, to, err, err_n);
	io_close(&from);
	io_close(&to);
	return rc;
}

int
base_crc(int fd, uint64_t size, uint32_t *crc_r)
{
	char *p = xmalloc(STEP);
	uint32_t crc = 0;
	ssize_t n;

	for (uint64_t off = 0; off < size; off += (uint64_t)n) {
		size_t want = size - off < STEP ? (size_t)(size - off) : STEP;

		if ((n = sys_pread(fd, p, want, off)) != (ssize_t)want) {
			xfree(p);
			errno = n < 0 ? errno : EIO;
			return -1;
		}
		crc = crc32c(crc, p, want);
	}
	xfree(p);
	*crc_r = crc;
	return 0;
}

/* Seals the pages that aren't; false: all were. */
static bool
seal_step(unsigned char *p, size_t n, uint64_t gen)
{
	bool any = false;

	for (size_t at = 0; at < n; at += BT_PAGE)
		if (!bt_sealed(p + at, gen)) {
			bt_seal(p + at, gen);
			any = true;
		}
	return any;
}

/* Seals each page, and adds up the file. */
static int
seal(int fd, const struct base_job *j, uint64_t size, uint32_t *crc_r)
{
	unsigned char *p = xmalloc(STEP);
	int e = 0;

	*crc_r = 0;
	for (uint64_t off = 0; off < size && e == 0; off += STEP) {
		size_t n = size - off < STEP ? (size_t)(size - off) : STEP;
		ssize_t k = sys_pread(fd, p, n, off);

		if (k != (ssize_t)n || n % BT_PAGE != 0) {
			e = k < 0 ? errno : EIO;
			break;
		}
		/* Should the journal's be damaged: where this belongs. */
		if (off == 0 && j->head != NULL && n >= BT_PAGE)
			journal_head_encode(j->head, p + BASE_HEAD_AT);
		if ((seal_step(p, n, j->gen) &&
			sys_pwrite(fd, p, n, off) < 0) ||
		    write_back(fd, off + STEP) < 0)
			e = errno;
		*crc_r = crc32c(*crc_r, p, n);
	}
	xfree(p);
	return e;
}

static int
finish(const struct base_job *j, const char *name, uint64_t *size_r,
    uint32_t *crc_r)
{
	int fd = sys_openat(j->dirfd, name, O_RDWR | O_CLOEXEC, 0), e = 0;
	struct stat st;

	if (fd < 0)
		return errno;
	if (sys_fstat(fd, &st) < 0)
		e = errno;
	else
		e = seal(fd, j, (uint64_t)st.st_size, crc_r);
	if (e == 0 && sys_fdatasync(fd) < 0)
		e = errno;
	if (e == 0)
		*size_r = (uint64_t)st.st_size;
	io_close(&fd);
	return e;
}

int
base_write(const struct base_job *j, uint64_t *size_r, uint32_t *crc_r,
    char *err, size_t err_n)
{
	char half[40], *name = half + 5, *path;
	int e, rc = 0;

	/* The longer name is what Berkeley DB calls one that it makes. */
	snprintf(half, sizeof(half), "__db.base.%llu",
	    (unsigned long long)j->gen);
	path = xasprintf("%s/%s", j->dir, name);
	if (!j->anew)
		rc = copy_old(j, name, err, err_n);
	if (rc == 0) {
		if ((e = write_rows(j, path)) == 0)
			e = finish(j, name, size_r, crc_r);
		if (e != 0)
			rc = base_rc(e, err, err_n, name);
	}
	if (rc < 0) {
		(void)sys_unlinkat(j->dirfd, name);
		(void)sys_unlinkat(j->dirfd, half);
	}
	xfree(path);
	return rc;
}
