/*
 * libstore/shares.c - hints of who shares with whom
 *
 * A file mail_dir/.shared/GRANTEE/OWNER tells that OWNER may have given rights
 * to GRANTEE, or to anyone.  Nobody trusts that: the rights are read from the
 * owner's ACLs.  A hint is there before the right is, and is dropped when
 * somebody who followed it finds nothing.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/store-int.h"

#define SHARED ".shared"

static int
sys_rc(int e)
{
	return e == ENOENT ? STORE_E_NOTFOUND :
	    io_full(e) ? STORE_E_NOSPACE : STORE_E_IO;
}

static char *
hint_dir(const struct store *st, struct slice who)
{
	return xasprintf("%s/" SHARED "/%.*s", st->cf->mail_dir, (int)who.n,
	    who.p);
}

static int
flush_dir(const char *path)
{
	int fd = io_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return sys_rc(errno);
	rc = io_fsync(fd) < 0 ? sys_rc(errno) : 0;
	io_close(&fd);
	return rc;
}

/* Makes a directory durably; 0 also if it is there. */
static int
make_dir(const struct store *st, const char *path)
{
	char *up;
	int rc;

	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : sys_rc(errno);
	up = xstrdup(path);
	*strrchr(up, '/') = '\0';
	rc = flush_dir(up);
	xfree(up);
	(void)st;
	return rc;
}

int
share_hint(struct store *st, struct slice who)
{
	char *dir, *top, *path;
	int rc, fd;

	if (!store_conf_files(st->cf) || slice_eq(who, slice_str(st->name)))
		return 0;
	top = xasprintf("%s/" SHARED, st->cf->mail_dir);
	dir = hint_dir(st, who);
	path = xasprintf("%s/%s", dir, st->name);
	if ((rc = make_dir(st, top)) == 0 && (rc = make_dir(st, dir)) == 0) {
		fd = io_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		    O_CLOEXEC, 0600);
		if (fd >= 0) {
			io_close(&fd);
			rc = flush_dir(dir);
		} else if (errno != EEXIST)
			rc = sys_rc(errno);
	}
	if (rc < 0)
		(void)store_fail(st, rc, "%s: can't be made", path);
	xfree(path);
	xfree(dir);
	xfree(top);
	return rc;
}

/* ---- reading ----------------------------------------------------------- */

struct names {
	struct arena *a;
	const char **v;
	size_t n, cap;
};

static int
read_dir(const struct store *st, const char *who, struct names *l)
{
	char *path = hint_dir(st, slice_str(who));
	DIR *d = opendir(path);
	struct dirent *de;
	int rc = 0;

	if (d == NULL)
		rc = errno == ENOENT ? 0 : STORE_E_IO;
	xfree(path);
	while (d != NULL && (errno = 0, de = readdir(d)) != NULL) {
		if (!store_account_ok(slice_str(de->d_name)) ||
		    strcmp(de->d_name, st->name) == 0)
			continue;
		l->v = arena_grow(l->a, l->v, &l->cap, l->n + 1,
		    sizeof(*l->v));
		l->v[l->n++] = arena_strdup(l->a, de->d_name);
	}
	if (d != NULL && errno != 0)
		rc = STORE_E_IO;
	if (d != NULL)
		closedir(d);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
store_shares(struct store *st, struct arena *a, const char ***owners_r,
    size_t *n_r)
{
	struct names l = { .a = a };
	size_t n = 0;
	int rc;

	if (store_conf_files(st->cf) && ((rc = read_dir(st, st->name,
	    &l)) < 0 || (rc = read_dir(st, STORE_ANYONE, &l)) < 0))
		return store_fail(st, rc, "the list of shares can't be read");
	if (l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), by_name);
	for (size_t i = 0; i < l.n; i++)
		if (i == 0 || strcmp(l.v[i], l.v[i - 1]) != 0)
			l.v[n++] = l.v[i];
	*owners_r = l.v;
	*n_r = n;
	return 0;
}

/* ---- dropping ---------------------------------------------------------- */

static void
drop(const struct store_conf *cf, const char *who, const char *owner)
{
	char *path = xasprintf("%s/" SHARED "/%s/%s", cf->mail_dir, who, owner);

	(void)unlink(path);
	xfree(path);
}

void
store_shares_forget(struct store *st, const char *owner)
{
	if (!store_conf_files(st->cf) || !store_account_ok(slice_str(owner)))
		return;
	drop(st->cf, st->name, owner);
	drop(st->cf, STORE_ANYONE, owner);
}

void
store_shares_review(struct store *st, const char *user)
{
	if (!store_conf_files(st->cf) || !store_account_ok(slice_str(user)))
		return;
	if (acl_names(st, user) == 0)
		drop(st->cf, user, st->name);
	if (acl_names(st, STORE_ANYONE) == 0)
		drop(st->cf, STORE_ANYONE, st->name);
}
