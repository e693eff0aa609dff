/* culver/cmd-backup.c - culver backup: accounts into a directory, while in use */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/passwd.h"

enum { O_KEEP, O_FULL, O_VERIFY, O_ONLY, O_JSON, O_QUIET };

static const struct opt opts[] = {
	{ "keep", "DAYS", "give up moments that are older" },
	{ "full", NULL, "begin anew, with a copy of everything" },
	{ "verify", NULL, "then read the whole backup, and open it" },
	{ "only-verify", NULL, "don't back up, only verify what there is" },
	{ "json", NULL, "a JSON array, an object an account" },
	{ "quiet", NULL, "print what went wrong only" },
	{ NULL, NULL, NULL }
};

struct backing {
	struct culver *c;
	const char *dir, *account;
	uint64_t keep_s;
	struct rows rows;
	bool full, verify, only, quiet;
	json_t *faults;
	int code;
};

static void
fault(void *arg, const char *text)
{
	struct backing *b = arg;

	if (b->rows.json) {
		json_t *s = json_string(text);

		json_array_append_new(b->faults,
		    s ? s : json_string("(not text)"));
		return;
	}
	complain("%s: %s", b->account, text);
}

static int
failed(struct backing *b, int rc, const char *text)
{
	char *all = xasprintf("%s%s%s", store_error(rc)->text,
	    *text ? ": " : "", text);

	fault(b, all);
	xfree(all);
	return store_error(rc)->retry ? EXIT_TEMP : EXIT_PERM;
}

/* The login, so that it can come back with the mail. */
static int
save_login(struct backing *b, const char *dir)
{
	struct arena *a = arena_new(0);
	char *path = xasprintf("%s/passwd", dir);
	struct passwd_entry e;
	struct buf line;
	int rc, code = 0;

	buf_init(&line, 65536);
	priv_caller();
	rc = passwd_find(b->c->conf, slice_str(b->account), a, &e);
	priv_service();
	if (rc == 0 && e.alias_of.n == 0 && !e.disabled) {
		buf_add_slice(&line, e.name);
		buf_addc(&line, ':');
		buf_add_slice(&line, e.hash);
		buf_addc(&line, '\n');
		if (io_replace(path, buf_slice(&line), 0600) < 0) {
			fault(b, strerror(errno));
			code = EXIT_TEMP;
		}
	}
	buf_release(&line);
	xfree(path);
	arena_free(&a);
	return code;
}

static int
back_up(struct backing *b, const char *dir, struct store_backed *d)
{
	struct store_backup sb = { .dir = dir, .full = b->full,
		.keep_s = b->keep_s };
	struct store *st = NULL;
	int rc, code = 0;

	rc = store_open(&b->c->store_conf, b->account, &st);
	if (rc == 0)
		rc = store_backup(st, &sb, d);
	if (rc < 0)
		code = failed(b, rc, st ? store_errmsg(st) : "");
	store_close(&st);
	return code ? code : save_login(b, dir);
}

static void
report(struct backing *b, const struct store_backed *d, int code)
{
	json_t *o;

	if (!b->rows.json) {
		if (b->quiet || code)
			return;
		put_clean(slice_str(b->account));
		if (b->only)
			puts(": ok");
		else
			printf(": %llu octets%s%s\n",
			    (unsigned long long)d->octets,
			    d->full ? ", full" : "",
			    b->verify ? ", verified" : "");
		return;
	}
	o = json_object();
	row_text(o, "account", slice_str(b->account));
	json_object_set_new(o, "ok", json_boolean(code == 0));
	if (!b->only && code == 0) {
		row_u64(o, "octets", d->octets);
		json_object_set_new(o, "full", json_boolean(d->full));
	}
	json_object_set(o, "faults", b->faults);
	rows_put(&b->rows, o);
}

static void
one(struct backing *b, const char *name)
{
	struct store_backed d = { .octets = 0 };
	char *dir = xasprintf("%s/%s", b->dir, name);
	size_t n = 0;
	int rc, code = 0;

	b->account = name;
	if (b->rows.json)
		b->faults = json_array();
	if (!b->only)
		code = back_up(b, dir, &d);
	if (code == 0 && (b->verify || b->only)) {
		rc = store_backup_verify(&b->c->store_conf, dir, fault, b, &n);
		if (rc < 0)
			code = store_error(rc)->retry ? EXIT_TEMP : EXIT_PERM;
		else if (n > 0)
			code = EXIT_PERM;
	}
	report(b, &d, code);
	b->code = worse(b->code, code);
	json_decref(b->faults);
	b->faults = NULL;
	xfree(dir);
}

static void
add_name(void *arg, const char *name)
{
	names_add(arg, name, strlen(name));
}

static int
run(struct culver *c, const struct args *a)
{
	struct backing b = {
		.c = c, .dir = a->pos[0], .full = a->val[O_FULL] != NULL,
		.verify = a->val[O_VERIFY] != NULL,
		.only = a->val[O_ONLY] != NULL,
		.rows.json = a->val[O_JSON] != NULL,
		.quiet = a->val[O_QUIET] != NULL
	};
	struct store_conf there = c->store_conf;
	struct names l = { NULL, 0, 0 };
	uint64_t days = 0;
	int rc;

	if (a->val[O_KEEP] && args_uint(&opts[O_KEEP], a->val[O_KEEP], 1,
	    36500, &days) < 0)
		return EXIT_PERM;
	b.keep_s = days * 86400;
	b.code = names_given(&l, a->pos + 1, a->n - 1);
	if (a->n == 1 && !b.only)
		b.code = names_all(c, false, &l);
	if (a->n == 1 && b.only) {
		/* A backup is laid out as the mail: a directory an account. */
		there.mail_dir = b.dir;
		rc = access(b.dir, R_OK) < 0 ? STORE_E_IO :
		    store_account_list(&there, add_name, &l);
		if (rc < 0)
			b.code = complain_store(b.dir, rc, NULL);
	}
	for (size_t i = 0; i < l.n; i++)
		one(&b, l.v[i]);
	names_release(&l);
	rows_end(&b.rows);
	return b.code;
}

const struct command cmd_backup = {
	"backup", "DIR [ACCOUNT ...]", "copy accounts, while they are in use",
	opts, 1, SIZE_MAX, run
};
