/* libstore/kv/base.c - the immutable Btree under the journal: reading */
#include "config.h"

#include <db.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "libbase/xalloc.h"
#include "libstore/kv/base.h"
#include "libstore/kv/sys.h"

/*
 * Files over this are not mapped by a handle without an environment.  A private
 * one with nothing but a memory pool costs nothing to open and maps any size.
 */
static const uint64_t env_over = 10 * 1024 * 1024;

enum {
	BULK_MIN = 64 * 1024, BULK_MAX = 1024 * 1024,
	SINGLE = 4	/* rows that a scan reads one by one before bulks */
};

struct base {
	DB_ENV *env;
	DB *db;
};

struct base_cursor {
	DBC *dbc;
	int reverse;
	unsigned n;		/* rows read one by one */
	DBT bulk;		/* rows of the last bulk read, */
	void *at;		/* and where in them; NULL: used up */
	DBT key;		/* where to begin, for the first call */
	char from[256];
	void *buf;
	size_t buf_n;
};

/* Berkeley DB's own words come with the return code. */
static void
no_message(const DB_ENV *env, const char *prefix, const char *msg)
{
	(void)env;
	(void)prefix;
	(void)msg;
}

int
base_rc(int e, char *err, size_t err_n, const char *what)
{
	snprintf(err, err_n, "%s: %s", what, db_strerror(e));
	switch (e) {
	case ENOENT:
		return STORE_E_NOTFOUND;
	case ENOMEM:
		return STORE_E_NOMEM;
	case ENOSPC:
	case EDQUOT:
		return STORE_E_NOSPACE;
	case DB_OLD_VERSION:
		return STORE_E_VERSION;
	case EINVAL:
	case DB_VERIFY_BAD:
	case DB_PAGE_NOTFOUND:
	case DB_RUNRECOVERY:
	case DB_NOTFOUND:
		return STORE_E_CORRUPT;
	default:
		return STORE_E_IO;
	}
}

void
base_close(struct base **bp)
{
	struct base *b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	if (b->db != NULL)
		(void)b->db->close(b->db, DB_NOSYNC);
	if (b->env != NULL)
		(void)b->env->close(b->env, 0);
	xfree(b);
}

static int
env_open(struct base *b, uint64_t size)
{
	int e;

	if ((e = db_env_create(&b->env, 0)) != 0) {
		b->env = NULL;
		return e;
	}
	b->env->set_errcall(b->env, no_message);
	if ((e = b->env->set_mp_mmapsize(b->env, (size_t)size + 1)) != 0 ||
	    (e = b->env->set_cachesize(b->env, 0, 256 * 1024, 1)) != 0)
		return e;
	return b->env->open(b->env, NULL,
	    DB_CREATE | DB_PRIVATE | DB_INIT_MPOOL, 0600);
}

int
base_open(const char *dir, uint64_t gen, uint64_t size, struct base **b_r,
    char *err, size_t err_n)
{
	struct base *b = xcalloc(1, sizeof(*b));
	char *path = xasprintf("%s/base.%llu", dir, (unsigned long long)gen);
	struct stat st;
	int e = 0, rc = 0;

	if (sys_fstatat(AT_FDCWD, path, &st) < 0) {
		e = errno;
		goto out;
	}
	if ((uint64_t)st.st_size != size) {
		snprintf(err, err_n, "%s: %lld octets instead of %llu", path,
		    (long long)st.st_size, (unsigned long long)size);
		rc = STORE_E_CORRUPT;
		goto out;
	}
	if (size > env_over && (e = env_open(b, size)) != 0)
		goto out;
	if ((e = db_create(&b->db, b->env, 0)) != 0) {
		b->db = NULL;
		goto out;
	}
	b->db->set_errcall(b->db, no_message);
	if (b->env == NULL)
		(void)b->db->set_cachesize(b->db, 0, 64 * 1024, 1);
	e = b->db->open(b->db, NULL, path, NULL, DB_BTREE, DB_RDONLY, 0);
out:
	if (e != 0)
		rc = base_rc(e, err, err_n, path);
	if (rc < 0)
		base_close(&b);
	else
		*b_r = b;
	xfree(path);
	return rc;
}

static void
dbt_set(DBT *d, struct slice s)
{
	memset(d, 0, sizeof(*d));
	/* Berkeley DB does not change it. */
	memcpy(&d->data, &s.p, sizeof(d->data));
	d->size = (u_int32_t)s.n;
}

int
base_get(struct base *b, struct slice key, struct slice *val_r)
{
	DBT k, v = { 0 };
	int e;

	dbt_set(&k, key);
	e = b->db->get(b->db, NULL, &k, &v, 0);
	if (e == DB_NOTFOUND)
		return 0;
	if (e != 0)
		return e == ENOMEM ? STORE_E_NOMEM :
		    e == EIO	   ? STORE_E_IO :
				     STORE_E_CORRUPT;
	*val_r = slice_make(v.data, v.size);
	return 1;
}

/* ---- cursors ------------------------------------------------------------ */

int
base_cursor_open(struct base *b, struct slice from, int reverse,
    struct base_cursor **c_r)
{
	struct base_cursor *c = xcalloc(1, sizeof(*c));

	if (b->db->cursor(b->db, NULL, &c->dbc, 0) != 0) {
		xfree(c);
		return STORE_E_IO;
	}
	c->reverse = reverse;
	if (from.n > 0)
		memcpy(c->from, from.p, from.n);
	dbt_set(&c->key, slice_make(c->from, from.n));
	*c_r = c;
	return 0;
}

void
base_cursor_close(struct base_cursor **cp)
{
	struct base_cursor *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	(void)c->dbc->close(c->dbc);
	xfree(c->buf);
	xfree(c);
}

static int
cursor_rc(int e)
{
	return e == 0		? 1 :
	    e == DB_NOTFOUND	? 0 :
	    e == ENOMEM		? STORE_E_NOMEM :
	    e == EIO		? STORE_E_IO :
				  STORE_E_CORRUPT;
}

static int
single(struct base_cursor *c, struct slice *key_r, struct slice *val_r)
{
	DBT k = c->key, v = { 0 };
	u_int32_t op = c->reverse ? DB_PREV : DB_NEXT;
	int e;

	if (c->n++ == 0) {
		op = k.size == 0 ? (c->reverse ? DB_LAST : DB_FIRST) :
				   DB_SET_RANGE;
		e = c->dbc->get(c->dbc, &k, &v, op);
		/* SET_RANGE is at or past the bound, which is exclusive. */
		if (op == DB_SET_RANGE && c->reverse &&
		    (e == 0 || e == DB_NOTFOUND))
			e = c->dbc->get(c->dbc, &k, &v,
			    e == DB_NOTFOUND ? DB_LAST : DB_PREV);
	} else
		e = c->dbc->get(c->dbc, &k, &v, op);
	if (e == 0) {
		*key_r = slice_make(k.data, k.size);
		*val_r = slice_make(v.data, v.size);
	}
	return cursor_rc(e);
}

static int
bulk_read(struct base_cursor *c)
{
	DBT k = { 0 };
	int e;

	for (;;) {
		memset(&c->bulk, 0, sizeof(c->bulk));
		c->bulk.flags = DB_DBT_USERMEM;
		c->bulk.data = c->buf;
		c->bulk.ulen = (u_int32_t)c->buf_n;
		e = c->dbc->get(c->dbc, &k, &c->bulk,
		    DB_NEXT | DB_MULTIPLE_KEY);
		if (e != DB_BUFFER_SMALL || c->buf_n >= 4 * BULK_MAX)
			break;
		c->buf_n *= 4;
		c->buf = xrealloc(c->buf, c->buf_n);
	}
	if (e == 0)
		DB_MULTIPLE_INIT(c->at, &c->bulk);
	return cursor_rc(e);
}

int
base_cursor_next(struct base_cursor *c, struct slice *key_r,
    struct slice *val_r)
{
	void *k, *v;
	size_t kn, vn;
	int rc;

	if (c->reverse || c->n < SINGLE)
		return single(c, key_r, val_r);
	if (c->at == NULL) {
		/* Each bulk is greater than the last, for scans that go on. */
		if (c->buf_n < BULK_MAX) {
			c->buf_n = c->buf_n == 0 ? BULK_MIN : c->buf_n * 2;
			xfree(c->buf);
			c->buf = xmalloc(c->buf_n);
		}
		if ((rc = bulk_read(c)) <= 0)
			return rc;
	}
	DB_MULTIPLE_KEY_NEXT(c->at, &c->bulk, k, kn, v, vn);
	if (c->at == NULL)	/* the end of this bulk */
		return base_cursor_next(c, key_r, val_r);
	*key_r = slice_make(k, kn);
	*val_r = slice_make(v, vn);
	return 1;
}

int
base_verify(const char *dir, uint64_t gen, char *err, size_t err_n)
{
	char *path = xasprintf("%s/base.%llu", dir, (unsigned long long)gen);
	DB *db;
	int e;

	if ((e = db_create(&db, NULL, 0)) == 0) {
		db->set_errcall(db, no_message);
		/* also closes */
		e = db->verify(db, path, NULL, NULL, 0);
	}
	xfree(path);
	return e == 0 ? 0 : base_rc(e, err, err_n, "base");
}
