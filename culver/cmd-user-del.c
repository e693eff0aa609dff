/* culver/cmd-user-del.c - culver user del: accounts with their mail */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/passwd.h"

enum { O_YES, O_KEEP, O_JSON };

static const struct opt opts[] = {
	{ "yes", NULL, "don't ask" },
	{ "keep-mail", NULL, "delete the login only" },
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

static bool
confirmed(struct culver *c, const char *name)
{
	struct store_usage u = { 0 };
	struct store *st = NULL;
	char answer[16];

	if (!isatty(STDIN_FILENO)) {
		complain("%s: not deleted: no terminal to ask on, and no "
		    "--yes", name);
		return false;
	}
	if (store_open(&c->store_conf, name, &st) == 0)
		(void)store_usage(st, &u);
	store_close(&st);
	printf("Delete %s with %llu messages for ever? [y/N] ", name,
	    (unsigned long long)u.messages);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) &&
	    (answer[0] == 'y' || answer[0] == 'Y');
}

/* The login goes first: nobody delivers to or opens what is being removed. */
static int
del(struct culver *c, const char *name, bool keep)
{
	struct passwd_entry e = { .name = slice_str(name) };
	int rc, lrc;

	priv_caller();
	lrc = passwd_update(c->conf, &e);
	if (lrc < 0)
		complain("%s: %s", c->conf->passwd_file, strerror(errno));
	rc = lrc < 0 ? EXIT_TEMP : tokens_delete(c, name);
	priv_service();
	if (rc != 0)
		return rc;
	rc = keep ? 0 : store_account_delete(&c->store_conf, name);
	if (rc == STORE_E_NOTFOUND && lrc == 0)
		rc = 0;		/* it had a login and no mail */
	if (rc < 0)
		return complain_store(name, rc, NULL);
	if (keep && lrc == 1)
		return complain_store(name, STORE_E_NOTFOUND, NULL);
	return 0;
}

/* Other names of an account would lead nowhere. */
static int
alias_of(void *arg, const struct passwd_entry *e)
{
	const struct slice *name = arg;

	if (!slice_eq(e->alias_of, *name))
		return 0;
	complain("%.*s: not deleted: %.*s is another name of it",
	    (int)name->n, name->p, (int)e->name.n, e->name.p);
	return 1;
}

static int
one(struct culver *c, const struct args *a, const char *given)
{
	char *name = account_name(slice_str(given));
	struct passwd_entry e = { .name = { NULL, 0 } };
	struct arena *ar = arena_new(0);
	struct slice sname = slice_str(name);
	bool keep = a->val[O_KEEP] != NULL, alias = false;
	int code = EXIT_PERM, rc;

	if (!name)
		goto out;
	priv_caller();
	rc = passwd_find(c->conf, sname, ar, &e);
	alias = rc == 0 && e.alias_of.n > 0;
	if (!alias)
		rc = passwd_list(c->conf, alias_of, &sname);
	priv_service();
	if (!alias && rc > 0)
		goto out;
	if (!alias && !keep && !a->val[O_YES] && !confirmed(c, name))
		goto out;
	code = del(c, name, keep || alias);
out:
	arena_free(&ar);
	xfree(name);
	return code;
}

static int
run(struct culver *c, const struct args *a)
{
	struct rows rows = { .json = a->val[O_JSON] != NULL };
	int code = 0, rc;

	for (size_t i = 0; i < a->n; i++) {
		code = worse(code, rc = one(c, a, a->pos[i]));
		rows_put(&rows, json_pack("{s:s, s:b}", "name", a->pos[i],
		    "deleted", rc == 0));
	}
	rows_end(&rows);
	return code;
}

const struct command cmd_user_del = {
	"user del", "NAME ...", "delete accounts and their mail", opts, 1,
	SIZE_MAX, run
};
