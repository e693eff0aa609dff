/* culver/cmd-user-add.c - culver user add: accounts, one or thousands */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/passwd.h"

enum { O_STDIN, O_RANDOM, O_NONE, O_NAMES, O_COUNT, O_PREFIX, O_FULL,
	O_QUIET, O_JSON };

static const struct opt opts[] = {
	{ "password-stdin", NULL, "the password is the first line of standard "
	    "input" },
	{ "random", NULL, "a new password for each, printed" },
	{ "no-password", NULL, "nobody can log in until \"user passwd\"" },
	{ "names-stdin", NULL, "one NAME or NAME:PASSWORD a line of standard "
	    "input" },
	{ "count", "N", "PREFIX1 to PREFIXN" },
	{ "prefix", "PREFIX", "for --count; default \"user\"" },
	{ "full-name", "TEXT", "whose account it is; for one NAME" },
	{ "quiet", NULL, "say nothing of those that were made" },
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

enum { COUNT_MAX = 1000000, LINE_OCTETS = STORE_ACCOUNT_MAX + PASSWORD_MAX };

struct newuser {
	char *name;
	char *pw;		/* its own password, or NULL */
	struct slice hash;
	bool made;
};

struct adding {
	struct rows rows;
	struct culver *c;
	struct arena *a;	/* hashes */
	struct newuser *u;
	size_t n, cap;
	struct slice hash;	/* of the password that all share */
	struct slice full_name;
	bool random, quiet;
	int code;
};

static int
by_name(const void *a, const void *b)
{
	const struct newuser *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void
take_name(struct adding *ad, struct slice name, struct slice pw)
{
	char *own = account_name(name);

	if (!own) {
		ad->code = worse(ad->code, EXIT_PERM);
		return;
	}
	if (ad->n == ad->cap) {
		ad->cap = ad->cap ? ad->cap * 2 : 64;
		ad->u = xreallocarray(ad->u, ad->cap, sizeof(*ad->u));
	}
	ad->u[ad->n++] = (struct newuser){
		.name = own,
		.pw = pw.p ? xstrndup(pw.p, pw.n) : NULL
	};
}

static int
take_stdin(struct adding *ad)
{
	char line[LINE_OCTETS + 4];

	while (fgets(line, sizeof(line), stdin)) {
		size_t n = strlen(line);
		struct slice s, pw = { NULL, 0 };
		char *colon;

		if (n == sizeof(line) - 1 && line[n - 1] != '\n') {
			complain("standard input: a line is too long");
			return -1;
		}
		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			line[--n] = '\0';
		if (n == 0 || line[0] == '#')
			continue;
		s = slice_make(line, n);
		if ((colon = memchr(line, ':', n)) != NULL) {
			s.n = (size_t)(colon - line);
			pw = slice_str(colon + 1);
			if (password_ok(colon + 1) < 0)
				return -1;
		}
		take_name(ad, s, pw);
	}
	secret_wipe(line, sizeof(line));
	if (ferror(stdin)) {
		complain("standard input: %s", strerror(errno));
		return -1;
	}
	return 0;
}

static int
take_counted(struct adding *ad, const struct args *a)
{
	const char *prefix = a->val[O_PREFIX] ? a->val[O_PREFIX] : "user";
	uint64_t count;

	if (args_uint(&opts[O_COUNT], a->val[O_COUNT], 1, COUNT_MAX,
	    &count) < 0)
		return -1;
	for (uint64_t i = 1; i <= count; i++) {
		char *name = xasprintf("%s%llu", prefix,
		    (unsigned long long)i);

		take_name(ad, slice_str(name), slice_str(NULL));
		xfree(name);
		if (ad->code)	/* a bad prefix is bad for all */
			return -1;
	}
	return 0;
}

/* Sorts the names and drops those given twice. */
static void
unique(struct adding *ad)
{
	size_t k = 0;

	if (ad->n == 0)
		return;
	qsort(ad->u, ad->n, sizeof(*ad->u), by_name);
	for (size_t i = 1; i < ad->n; i++) {
		if (strcmp(ad->u[k].name, ad->u[i].name) != 0) {
			ad->u[++k] = ad->u[i];
			continue;
		}
		complain("%s is named twice; the first counts",
		    ad->u[i].name);
		xfree(ad->u[i].name);
		if (ad->u[i].pw)
			xfree_secret(ad->u[i].pw, strlen(ad->u[i].pw));
	}
	ad->n = k + 1;
}

static int
hash(struct adding *ad, const char *pw, struct slice *hash_r)
{
	if (passwd_hash(ad->c->conf, slice_str(pw), ad->a, hash_r) == 0)
		return 0;
	complain("the password can't be hashed: is hash = \"%s\" a method of "
	    "crypt(5)?", ad->c->conf->hash);
	ad->code = worse(ad->code, EXIT_PERM);
	return -1;
}

static int
shared_password(struct adding *ad, const struct args *a)
{
	char *pw = NULL;
	int rc;

	if (a->val[O_NONE]) {
		ad->hash = SLICE_LIT("*");
		return 0;
	}
	if (password_get(ad->n == 1 ? ad->u[0].name : "all of them",
	    a->val[O_STDIN] != NULL, false, &pw) < 0) {
		ad->code = worse(ad->code, EXIT_PERM);
		return -1;
	}
	rc = hash(ad, pw, &ad->hash);
	xfree_secret(pw, strlen(pw));
	return rc;
}

/* Is it new, and what is its hash?  Those that are go into v. */
static void
prepare(struct adding *ad, struct newuser *u)
{
	struct passwd_entry e;
	int rc;

	priv_caller();
	rc = passwd_find(ad->c->conf, slice_str(u->name), ad->a, &e);
	priv_service();
	if (rc == 0) {
		complain("%s: exists already", u->name);
		ad->code = worse(ad->code, EXIT_PERM);
		return;
	}
	if (rc < 0 && errno != ENOENT) {
		complain("%s: %s", ad->c->conf->passwd_file, strerror(errno));
		ad->code = EXIT_TEMP;
		return;
	}
	if (ad->random && !u->pw)
		u->pw = password_random();
	u->hash = ad->hash;
	if (!u->pw || hash(ad, u->pw, &u->hash) == 0)
		u->made = true;
}

/* The directories, of those that are prepared. */
static void
create(struct adding *ad)
{
	struct new_account *v = xcalloc(ad->n + 1, sizeof(*v));
	size_t n = 0, k = 0;

	for (size_t i = 0; i < ad->n; i++) {
		if (ad->u[i].made)
			v[n++].name = ad->u[i].name;
	}
	accounts_create(ad->c, v, n);
	for (size_t i = 0; i < ad->n; i++) {
		struct newuser *u = &ad->u[i];
		int rc = u->made ? v[k++].rc : 0;

		if (rc == STORE_E_EXISTS) {
			/* A run that was interrupted, or --keep-mail. */
			complain("%s: takes over the mail that is there",
			    u->name);
		} else if (rc < 0) {
			u->made = false;
			ad->code = worse(ad->code,
			    complain_store(u->name, rc, NULL));
		}
	}
	xfree(v);
}

static void
put_row(struct adding *ad, const struct newuser *u)
{
	json_t *o = json_object();

	row_text(o, "name", slice_str(u->name));
	if (ad->random && u->pw)
		row_text(o, "password", slice_str(u->pw));
	rows_put(&ad->rows, o);
}

static void
make_all(struct adding *ad)
{
	struct passwd_entry *e = xcalloc(ad->n + 1, sizeof(*e));
	size_t n = 0;

	for (size_t i = 0; i < ad->n; i++)
		prepare(ad, &ad->u[i]);
	create(ad);
	for (size_t i = 0; i < ad->n; i++) {
		if (!ad->u[i].made)
			continue;
		e[n].name = slice_str(ad->u[i].name);
		e[n].full_name = ad->full_name;
		e[n++].hash = ad->u[i].hash;
	}
	priv_caller();
	if (n > 0 && passwd_update_many(ad->c->conf, e, n) < 0) {
		complain("%s: %s", ad->c->conf->passwd_file, strerror(errno));
		ad->code = EXIT_TEMP;
		n = 0;
	}
	priv_service();
	xfree(e);
	for (size_t i = 0; n > 0 && i < ad->n; i++) {
		const struct newuser *u = &ad->u[i];

		if (!u->made || (ad->quiet && !ad->random))
			continue;
		if (ad->rows.json) {
			put_row(ad, u);
			continue;
		}
		if (ad->random && u->pw)
			printf("%s:%s\n", u->name, u->pw);
		else
			printf("%s\n", u->name);
	}
}

static int
usage_ok(const struct args *a)
{
	int sources = (a->n > 0) + (a->val[O_COUNT] != NULL) +
	    (a->val[O_NAMES] != NULL);
	int pws = (a->val[O_STDIN] != NULL) + (a->val[O_RANDOM] != NULL) +
	    (a->val[O_NONE] != NULL);

	if (sources != 1) {
		complain("give either names, or --count, or --names-stdin");
		return -1;
	}
	if (pws > 1) {
		complain("give one of --password-stdin, --random and "
		    "--no-password");
		return -1;
	}
	if (a->val[O_NAMES] && a->val[O_STDIN]) {
		complain("standard input can't be names and a password");
		return -1;
	}
	if (a->val[O_FULL] && a->n != 1) {
		complain("--full-name goes with one NAME");
		return -1;
	}
	if (a->val[O_FULL] && !passwd_full_name_ok(
	    slice_str(a->val[O_FULL]))) {
		complain("the name is not UTF-8, or has a colon, comma or "
		    "control character");
		return -1;
	}
	if (a->val[O_PREFIX] && !a->val[O_COUNT]) {
		complain("--prefix goes with --count");
		return -1;
	}
	return 0;
}

static int
run(struct culver *c, const struct args *a)
{
	struct adding ad = { .c = c, .rows.json = a->val[O_JSON] != NULL };
	bool ask = false;

	if (usage_ok(a) < 0)
		return EXIT_PERM;
	ad.a = arena_new(0);
	ad.random = a->val[O_RANDOM] != NULL;
	ad.quiet = a->val[O_QUIET] != NULL;
	ad.full_name = slice_str(a->val[O_FULL]);
	for (size_t i = 0; i < a->n; i++)
		take_name(&ad, slice_str(a->pos[i]), slice_str(NULL));
	if ((a->val[O_NAMES] && take_stdin(&ad) < 0) ||
	    (a->val[O_COUNT] && take_counted(&ad, a) < 0)) {
		ad.code = worse(ad.code, EXIT_PERM);
		goto out;
	}
	unique(&ad);
	for (size_t i = 0; i < ad.n; i++)
		ask = ask || (!ad.u[i].pw && !ad.random);
	if (!ask || shared_password(&ad, a) == 0)
		make_all(&ad);
	rows_end(&ad.rows);
out:
	for (size_t i = 0; i < ad.n; i++) {
		xfree(ad.u[i].name);
		if (ad.u[i].pw)
			xfree_secret(ad.u[i].pw, strlen(ad.u[i].pw));
	}
	xfree(ad.u);
	arena_free(&ad.a);
	return ad.code;
}

const struct command cmd_user_add = {
	"user add", "[NAME ...]", "make accounts", opts, 0, SIZE_MAX, run
};
