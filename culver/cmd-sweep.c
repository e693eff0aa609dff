/* culver/cmd-sweep.c - culver sweep: give back the space of what is gone */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "culver/culver.h"
#include "culver/dirlist.h"
#include "culver/rows.h"
#include "libbase/xalloc.h"

enum { O_ALL, O_QUIET, O_JSON };

static const struct opt opts[] = {
	{ "all", NULL, "also what is hardly worth it" },
	{ "quiet", NULL, "print what went wrong only" },
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

enum { ROUNDS_MAX = 1000 };

/* Octets of the disk that the account's files take, 0 if that can't be told. */
static uint64_t
space(struct culver *c, const char *name)
{
	char *dir = xasprintf("%s/%s", c->store_conf.mail_dir, name);
	struct dirlist l;
	struct stat st;
	uint64_t sum = 0;

	if (dirlist_read(dir, &l) == 0) {
		for (size_t i = 0; i < l.n; i++) {
			char *path = xasprintf("%s/%s", dir, l.v[i].name);

			if (fstatat(AT_FDCWD, path, &st,
			    AT_SYMLINK_NOFOLLOW) == 0)
				sum += (uint64_t)st.st_blocks * 512;
			xfree(path);
		}
		dirlist_release(&l);
	}
	xfree(dir);
	return sum;
}

static int
sweep(struct culver *c, const char *name, bool all, uint64_t *freed_r)
{
	uint64_t before = space(c, name), after;
	struct store *st = NULL;
	int rc, code;

	*freed_r = 0;
	if ((rc = store_open(&c->store_conf, name, &st)) < 0)
		return complain_store(name, rc, NULL);
	rc = store_idle(st, all);
	/* What became due by it, and what somebody else was at just now. */
	for (int i = 0; rc > 0 && i < ROUNDS_MAX; i++)
		rc = store_idle(st, false);
	code = rc < 0 ? complain_store(name, rc, st) : 0;
	store_close(&st);
	after = space(c, name);
	*freed_r = before > after ? before - after : 0;
	return code;
}

static void
put_row(struct rows *rows, const char *name, bool ok, uint64_t freed)
{
	json_t *o = json_object();

	row_text(o, "account", slice_str(name));
	json_object_set_new(o, "ok", json_boolean(ok));
	row_u64(o, "octets", freed);
	rows_put(rows, o);
}

static int
run(struct culver *c, const struct args *a)
{
	struct names l = { NULL, 0, 0 };
	struct rows rows = { .json = a->val[O_JSON] != NULL };
	bool quiet = a->val[O_QUIET] != NULL || rows.json;
	uint64_t freed, sum = 0;
	int code, rc;

	code = a->n > 0 ? names_given(&l, a->pos, a->n) :
	    names_all(c, false, &l);
	for (size_t i = 0; i < l.n; i++) {
		rc = sweep(c, l.v[i], a->val[O_ALL] != NULL, &freed);
		code = worse(code, rc);
		sum += freed;
		put_row(&rows, l.v[i], rc == 0, freed);
		if (rc != 0 || quiet || freed == 0)
			continue;
		put_clean(slice_str(l.v[i]));
		printf(": %llu octets given back\n", (unsigned long long)freed);
	}
	if (!quiet)
		printf("%zu swept, %llu octets given back\n", l.n,
		    (unsigned long long)sum);
	rows_end(&rows);
	names_release(&l);
	return code;
}

const struct command cmd_sweep = {
	"sweep", "[ACCOUNT ...]", "give back the space of what is gone",
	opts, 0, SIZE_MAX, run
};
