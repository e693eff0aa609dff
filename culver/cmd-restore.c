/* culver/cmd-restore.c - culver restore: an account from its backup */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libsession/passwd.h"

enum { O_AT, O_AS, O_REPLACE, O_LIST, O_JSON };

static const struct opt opts[] = {
	{ "at", "TIME", "as it was then (the newest state)" },
	{ "as", "ACCOUNT", "under another name, as it was in all" },
	{ "replace", NULL, "in place of the account that is there" },
	{ "list", NULL, "tell which moments can be restored" },
	{ "json", NULL, "what is told as JSON" },
	{ NULL, NULL, NULL }
};

static void
told(void *arg, const char *text)
{
	complain("%s: %s", (const char *)arg, text);
}

struct listing {
	const char *name;
	struct rows rows;
};

static void
told_list(void *arg, const char *text)
{
	complain("%s: %s", ((struct listing *)arg)->name, text);
}

static void
put_row(struct rows *rows, const struct store_moments *m)
{
	json_t *o = json_object();

	if (m->run)
		row_time(o, "backup", (int64_t)(m->from / 1000000));
	else {
		json_object_set_new(o, "from", json_null());
		if (m->from != 0)
			row_time(o, "from", (int64_t)(m->from / 1000000));
		row_time(o, "lastChange", (int64_t)(m->to / 1000000));
	}
	rows_put(rows, o);
}

static void
put_moment(void *arg, const struct store_moments *m)
{
	struct listing *l = arg;

	if (l->rows.json) {
		put_row(&l->rows, m);
		return;
	}
	if (m->run) {
		fputs("  backup of ", stdout);
		put_time((int64_t)(m->from / 1000000));
		putchar('\n');
		return;
	}
	fputs("any time ", stdout);
	if (m->from == 0)	/* its journal knows none before */
		fputs("since the account was made", stdout);
	else {
		fputs("from ", stdout);
		put_time((int64_t)(m->from / 1000000));
	}
	fputs(", last change ", stdout);
	put_time((int64_t)(m->to / 1000000));
	putchar('\n');
}

/* The login, where there is none any more. */
static int
restore_login(struct culver *c, const char *name, const char *dir, bool quiet)
{
	struct arena *a = arena_new(0);
	char *path = xasprintf("%s/passwd", dir);
	struct passwd_entry e = { .disabled = false };
	struct slice text, rest;
	const char *colon;
	int rc = -1, code = 0;

	if (io_slurp(path, 65536, a, &text) == 0) {
		priv_caller();
		rc = passwd_find(c->conf, slice_str(name), a, &e);
		priv_service();
	}
	if (rc == 1 && (colon = memchr(text.p, ':', text.n)) != NULL) {
		rest = slice_make(colon + 1,
		    text.n - (size_t)(colon + 1 - text.p));
		while (rest.n > 0 && rest.p[rest.n - 1] == '\n')
			rest.n--;
		e = (struct passwd_entry){ .name = slice_str(name),
			.hash = rest };
		priv_caller();
		rc = passwd_update(c->conf, &e);
		if (rc < 0) {
			complain("%s: the login: %s", name, strerror(errno));
			code = EXIT_TEMP;
		} else if (!quiet)
			printf("%s: its login is back, too\n", name);
		priv_service();
	}
	arena_free(&a);
	xfree(path);
	return code;
}

static void
put_restored(const char *account, const struct store_backed *d)
{
	json_t *o = json_object();

	row_text(o, "account", slice_str(account));
	row_time(o, "lastChange", (int64_t)(d->when / 1000000));
	row_alone(o);
}

static int
restore(struct culver *c, const char *name, const char *as, const char *dir,
    const struct args *a)
{
	struct store_restore r = { .dir = dir, .when = UINT64_MAX,
		.account = as ? as : name, .copy = as != NULL,
		.replace = a->val[O_REPLACE] != NULL };
	struct store_backed d;
	char *what = xstrdup(r.account);
	int64_t t;
	int rc;

	if (a->val[O_AT]) {
		if (args_time(&opts[O_AT], a->val[O_AT], &t) < 0 || t < 0) {
			xfree(what);
			return EXIT_PERM;
		}
		r.when = (uint64_t)t * 1000000;
	}
	rc = store_restore(&c->store_conf, &r, &d, told, what);
	xfree(what);
	if (rc == STORE_E_EXISTS && !as)
		complain("%s: there is such an account; --replace puts the "
		    "backup in its place", r.account);
	if (rc < 0)
		return complain_store(r.account, rc, NULL);
	if (a->val[O_JSON]) {
		put_restored(r.account, &d);
		return as ? 0 : restore_login(c, name, dir, true);
	}
	put_clean(slice_str(r.account));
	fputs(": restored, with its last change of ", stdout);
	put_time((int64_t)(d.when / 1000000));
	putchar('\n');
	return as ? 0 : restore_login(c, name, dir, false);
}

static int
run(struct culver *c, const struct args *a)
{
	char *name = account_name(slice_str(a->pos[1])), *as = NULL, *dir;
	struct listing l = { name, { .json = a->val[O_JSON] != NULL } };
	int rc, code = EXIT_PERM;

	if (!name)
		return EXIT_PERM;
	dir = xasprintf("%s/%s", a->pos[0], name);
	if (a->val[O_LIST]) {
		rc = store_backup_list(dir, put_moment, &l, told_list);
		rows_end(&l.rows);
		code = rc < 0 ? complain_store(name, rc, NULL) : 0;
	} else if (a->val[O_AS] && a->val[O_REPLACE])
		complain("--as and --replace don't go together");
	else if (!a->val[O_AS] ||
	    (as = account_name(slice_str(a->val[O_AS]))) != NULL)
		code = restore(c, name, as, dir, a);
	xfree(dir);
	xfree(as);
	xfree(name);
	return code;
}

const struct command cmd_restore = {
	"restore", "DIR ACCOUNT", "an account from its backup",
	opts, 2, 2, run
};
