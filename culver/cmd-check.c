/* culver/cmd-check.c - culver check: is what is on disk what it should be? */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "culver/culver.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/passwd.h"

enum { O_QUICK, O_JSON, O_QUIET };

static const struct opt opts[] = {
	{ "quick", NULL, "don't read the messages themselves" },
	{ "json", NULL, "a JSON array, an object an account" },
	{ "quiet", NULL, "print faults only" },
	{ NULL, NULL, NULL }
};

struct names {
	char **v;
	size_t n, cap;
};

struct checking {
	struct culver *c;
	const char *account;
	json_t *faults;		/* with --json */
	bool json, quick, quiet;
	size_t n, damaged;
	int code;
};

static void
names_add(struct names *l, const char *name, size_t len)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = xstrndup(name, len);
}

static void
add_dir(void *arg, const char *name)
{
	names_add(arg, name, strlen(name));
}

static int
add_login(void *arg, const struct passwd_entry *e)
{
	if (e->alias_of.n == 0)
		names_add(arg, e->name.p, e->name.n);
	return 0;
}

static void
fault(void *arg, const char *text)
{
	struct checking *ck = arg;

	if (ck->json) {
		json_t *s = json_string(text);

		json_array_append_new(ck->faults,
		    s ? s : json_string("(not text)"));
		return;
	}
	put_clean(slice_str(ck->account));
	fputs(": ", stdout);
	put_clean(slice_str(text));
	putchar('\n');
}

static void
report(struct checking *ck, size_t faults)
{
	json_t *o;
	char *s;

	if (!ck->json) {
		if (faults == 0 && !ck->quiet) {
			put_clean(slice_str(ck->account));
			puts(": ok");
		}
		return;
	}
	o = json_object();
	json_object_set_new(o, "account", json_string(ck->account));
	json_object_set_new(o, "ok", json_boolean(faults == 0));
	json_object_set(o, "faults", ck->faults);
	s = json_dumps(o, JSON_COMPACT);
	if (!s)
		fatal("out of memory");
	printf("%s %s\n", ck->n == 0 ? "[" : ",", s);
	xfree(s);
	json_decref(o);
}

/* Damage is permanent; what couldn't be looked at now is temporary. */
static void
check_failed(struct checking *ck, int rc, const struct store *st)
{
	const char *detail = st ? store_errmsg(st) : "";
	char *text;

	text = xasprintf("%s%s%s", store_error(rc)->text,
	    *detail ? ": " : "", detail);
	fault(ck, text);
	xfree(text);
	if (store_error(rc)->retry)
		ck->code = worse(ck->code, EXIT_TEMP);
}

static void
check_one(struct checking *ck, const char *name)
{
	struct store *st = NULL;
	size_t faults = 0;
	int rc;

	ck->account = name;
	if (ck->json)
		ck->faults = json_array();
	rc = store_account_ok(slice_str(name)) ?
	    store_open(&ck->c->store_conf, name, &st) : STORE_E_NOTFOUND;
	if (rc == 0)
		rc = store_check(st, !ck->quick, fault, ck, &faults);
	if (rc == STORE_E_NOTFOUND) {
		fault(ck, "there is no mail directory");
		faults++;
	} else if (rc < 0) {
		check_failed(ck, rc, st);
		faults++;
	}
	store_close(&st);
	report(ck, faults);
	if (faults) {
		ck->damaged++;
		ck->code = worse(ck->code, EXIT_PERM);
	}
	ck->n++;
	json_decref(ck->faults);
	ck->faults = NULL;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every directory and every login, each once. */
static int
all_names(struct culver *c, struct names *l)
{
	size_t k = 0;
	int rc;

	rc = store_account_list(&c->store_conf, add_dir, l);
	if (rc < 0 && rc != STORE_E_NOTFOUND)
		return complain_store(c->conf->mail_dir, rc, NULL);
	priv_caller();
	rc = passwd_list(c->conf, add_login, l);
	if (rc < 0 && errno != ENOENT) {
		complain("%s: %s", c->conf->passwd_file, strerror(errno));
		priv_service();
		return EXIT_TEMP;
	}
	priv_service();
	if (l->n == 0)
		return 0;
	qsort(l->v, l->n, sizeof(*l->v), by_name);
	for (size_t i = 1; i < l->n; i++) {
		if (strcmp(l->v[k], l->v[i]) == 0)
			xfree(l->v[i]);
		else
			l->v[++k] = l->v[i];
	}
	l->n = k + 1;
	return 0;
}

static int
run(struct culver *c, const struct args *a)
{
	struct checking ck = {
		.c = c, .json = a->val[O_JSON] != NULL,
		.quick = a->val[O_QUICK] != NULL,
		.quiet = a->val[O_QUIET] != NULL
	};
	struct names l = { NULL, 0, 0 };

	for (size_t i = 0; i < a->n; i++) {
		char *name = account_name(slice_str(a->pos[i]));

		if (name)
			names_add(&l, name, strlen(name));
		else
			ck.code = EXIT_PERM;
		xfree(name);
	}
	if (a->n == 0)
		ck.code = all_names(c, &l);
	for (size_t i = 0; i < l.n; i++) {
		check_one(&ck, l.v[i]);
		xfree(l.v[i]);
	}
	xfree(l.v);
	if (ck.json)
		puts(ck.n ? "]" : "[]");
	else if (!ck.quiet)
		printf("%zu checked, %zu with faults\n", ck.n, ck.damaged);
	return ck.code;
}

const struct command cmd_check = {
	"check", "[ACCOUNT ...]", "verify what is on disk, changing nothing",
	opts, 0, SIZE_MAX, run
};
