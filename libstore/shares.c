/*
 * libstore/shares.c - hints of who shares with whom
 *
 * A file mail_dir/.shared/GRANTEE/OWNER tells that OWNER may have given rights
 * to GRANTEE, or to anyone.  Nobody trusts that: the rights are read from the
 * owner's ACLs.  A hint is there before the right is, and is dropped when
 * somebody who followed it finds nothing.
 */
#include "config.h"

#include <stdlib.h>

#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/store-int.h"

#define SHARED ".shared"

/* The directory below mail_dir of who has rights; xmalloc. */
static char *
hints_of(struct slice who)
{
	return xasprintf(SHARED "/%.*s", (int)who.n, who.p);
}

int
share_hint(struct store *st, struct slice who)
{
	char *dir;
	int rc, fd;

	if (!store_conf_files(st->cf) || slice_eq(who, slice_str(st->name)))
		return 0;
	dir = hints_of(who);
	if ((rc = hint_open(st->cf, dir, st->name, &fd)) == 0)
		io_close(&fd);
	else
		(void)store_fail(st, rc, "%s/%s can't be made", dir,
		    st->name);
	xfree(dir);
	return rc;
}

/* ---- reading ----------------------------------------------------------- */

struct names {
	struct arena *a;
	const char *self;
	const char **v;
	size_t n, cap;
};

static int
note(void *arg, const char *owner)
{
	struct names *l = arg;

	if (strcmp(owner, l->self) == 0)
		return 0;
	l->v = arena_grow(l->a, l->v, &l->cap, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = arena_strdup(l->a, owner);
	return 0;
}

static int
read_dir(const struct store *st, const char *who, struct names *l)
{
	char *dir = hints_of(slice_str(who));
	int rc = hint_each(st->cf, dir, note, l);

	xfree(dir);
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
	struct names l = { .a = a, .self = st->name };
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
	char *dir = hints_of(slice_str(who));

	hint_drop(cf, dir, owner);
	xfree(dir);
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
