/* culver/cmd-user-passwd.c - culver user passwd: new passwords, logins on, off */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/backend.h"
#include "libsession/passwd.h"
#include "libsession/protocols.h"

enum { O_STDIN, O_RANDOM, O_DISABLE, O_ENABLE, O_FOR,
	O_BACKEND, O_JSON };

static const struct opt opts[] = {
	{ "password-stdin", NULL, "the password is the first line of standard "
	    "input" },
	{ "random", NULL, "make one for each and print it" },
	{ "disable", NULL, "refuse logins; the password stays" },
	{ "enable", NULL, "allow logins again" },
	{ "for", "LIST", "allow them by these protocols only, of "
	    "imap,jmap,pop3" },
	{ "checked-by", "WHO", "who knows the password: pam or command" },
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

static int
hash(struct culver *c, const char *pw, struct arena *ar, struct slice *hash_r)
{
	if (passwd_hash(c->conf, slice_str(pw), ar, hash_r) == 0)
		return 0;
	complain("the password can't be hashed: is hash = \"%s\" a method of "
	    "crypt(5)?", c->conf->hash);
	return -1;
}

static int
passwd_failed(struct culver *c)
{
	complain("%s: %s", c->conf->passwd_file, strerror(errno));
	return EXIT_TEMP;
}

/* The present entry of an account. */
static int
present(struct culver *c, const char *name, struct arena *ar,
    struct passwd_entry *e)
{
	char *own = account_name(slice_str(name));
	int rc;

	if (!own)
		return EXIT_PERM;
	priv_caller();
	rc = passwd_find(c->conf, slice_str(own), ar, e);
	if (rc < 0) {
		rc = passwd_failed(c);
	} else if (rc == 1) {
		complain("%s: no such account", name);
		rc = EXIT_PERM;
	} else if (e->alias_of.n > 0) {
		complain("%s is another name of %.*s, which has the password",
		    name, (int)e->alias_of.n, e->alias_of.p);
		rc = EXIT_PERM;
	}
	priv_service();
	xfree(own);
	return rc;
}

/* In place of a hash: whom to ask. */
static int
backend_hash(const char *who, struct slice *hash_r)
{
	if (strcmp(who, "pam") == 0)
		*hash_r = SLICE_LIT(BACKEND_PAM);
	else if (strcmp(who, "command") == 0)
		*hash_r = SLICE_LIT(BACKEND_COMMAND);
	else {
		complain("--checked-by: \"%s\" is neither pam nor command",
		    who);
		return -1;
	}
	return 0;
}

/* The hash that all of them get; none with --random. */
static int
shared_hash(struct culver *c, const struct args *a, struct arena *ar,
    struct slice *hash_r)
{
	char *pw = NULL;
	int rc;

	if (a->val[O_RANDOM])
		return 0;
	if (a->val[O_BACKEND])
		return backend_hash(a->val[O_BACKEND], hash_r);
	if (password_get(a->n == 1 ? a->pos[0] : "all of them",
	    a->val[O_STDIN] != NULL, false, &pw) < 0)
		return -1;
	rc = hash(c, pw, ar, hash_r);
	xfree_secret(pw, strlen(pw));
	return rc;
}

static void
put_row(struct rows *rows, const char *name, const char *password)
{
	json_t *o = json_object();

	row_text(o, "name", slice_str(name));
	if (password)
		row_text(o, "password", slice_str(password));
	rows_put(rows, o);
}

static int
set_all(struct culver *c, const struct args *a, struct arena *ar,
    struct passwd_entry *e)
{
	bool toggle = a->val[O_DISABLE] || a->val[O_ENABLE] || a->val[O_FOR];
	struct slice shared = { NULL, 0 };
	unsigned protocols = 0;
	struct rows rows = { .json = a->val[O_JSON] != NULL };
	char **pw;
	int code = EXIT_PERM, rc;

	pw = xcalloc(a->n, sizeof(*pw));
	if (!toggle && shared_hash(c, a, ar, &shared) < 0)
		goto out;
	if (a->val[O_FOR] && args_protocols(&opts[O_FOR], a->val[O_FOR],
	    &protocols) < 0)
		goto out;
	for (size_t i = 0; i < a->n; i++) {
		if (a->val[O_FOR])
			e[i].protocols = protocols == PROTOCOLS_ALL ? 0 :
			    protocols;
		else if (toggle)
			e[i].disabled = a->val[O_DISABLE] != NULL;
		else
			e[i].hash = shared;
		if (!a->val[O_RANDOM])
			continue;
		pw[i] = password_random();
		if (hash(c, pw[i], ar, &e[i].hash) < 0)
			goto out;
	}
	priv_caller();
	rc = passwd_update_many(c->conf, e, a->n);
	code = rc < 0 ? passwd_failed(c) : 0;
	priv_service();
out:
	for (size_t i = 0; i < a->n; i++) {
		if (a->val[O_JSON] && code == 0)
			put_row(&rows, a->pos[i], pw[i]);
		else if (pw[i] && code == 0)
			printf("%s:%s\n", a->pos[i], pw[i]);
		if (pw[i])
			xfree_secret(pw[i], strlen(pw[i]));
	}
	rows_end(&rows);
	xfree(pw);
	return code;
}

static int
run(struct culver *c, const struct args *a)
{
	struct passwd_entry *e;
	struct arena *ar;
	int code = 0, given = 0;

	for (int i = O_STDIN; i <= O_BACKEND; i++)
		given += a->val[i] != NULL;
	if (given > 1) {
		complain("give one of --password-stdin, --random, --disable, "
		    "--enable, --for and --checked-by");
		return EXIT_PERM;
	}
	ar = arena_new(0);
	e = arena_calloc(ar, a->n, sizeof(*e));
	for (size_t i = 0; i < a->n; i++)
		code = worse(code, present(c, a->pos[i], ar, &e[i]));
	if (code == 0)
		code = set_all(c, a, ar, e);
	arena_free(&ar);
	return code;
}

const struct command cmd_user_passwd = {
	"user passwd", "NAME ...", "set passwords, restrict logins", opts,
	1, SIZE_MAX, run
};
