/* culver/cmd-check.c - culver check: is what is on disk what it should be? */
#include "config.h"

#include <jansson.h>
#include <stdio.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum { O_QUICK, O_REPAIR, O_JSON, O_QUIET };

static const struct opt opts[] = {
	{ "quick", NULL, "don't read the messages themselves" },
	{ "repair", NULL, "make a damaged account one that is in order" },
	{ "json", NULL, "a JSON array, an object an account" },
	{ "quiet", NULL, "print faults only" },
	{ NULL, NULL, NULL }
};

struct checking {
	struct culver *c;
	const char *account;
	json_t *faults, *repairs;	/* with --json */
	struct rows rows;
	bool quick, quiet, repair;
	size_t n, damaged, newer, unread, repaired;
	int code;
};

static void
tell(struct checking *ck, json_t *list, const char *text)
{
	if (ck->rows.json) {
		json_t *s = json_string(text);

		json_array_append_new(list,
		    s ? s : json_string("(not text)"));
		return;
	}
	put_clean(slice_str(ck->account));
	fputs(": ", stdout);
	put_clean(slice_str(text));
	putchar('\n');
}

static void
fault(void *arg, const char *text)
{
	struct checking *ck = arg;

	tell(ck, ck->faults, text);
}

static void
repair_step(void *arg, const char *text)
{
	struct checking *ck = arg;

	tell(ck, ck->repairs, text);
}

static void
report(struct checking *ck, size_t faults)
{
	json_t *o;

	if (!ck->rows.json) {
		if (faults == 0 && !ck->quiet) {
			put_clean(slice_str(ck->account));
			puts(": ok");
		}
		return;
	}
	o = json_object();
	row_text(o, "account", slice_str(ck->account));
	json_object_set_new(o, "ok", json_boolean(faults == 0));
	json_object_set(o, "faults", ck->faults);
	if (ck->repair)
		json_object_set(o, "repair", ck->repairs);
	rows_put(&ck->rows, o);
}

/* Damage is permanent; what couldn't be looked at now is temporary. */
static void
check_failed(struct checking *ck, int rc, const struct store *st)
{
	const char *detail = st ? store_errmsg(st) : "";
	char *text;

	text = xasprintf("%s%s%s%s", store_error(rc)->retry ?
	    "could not be checked: " : "", store_error(rc)->text,
	    *detail ? ": " : "", detail);
	fault(ck, text);
	xfree(text);
	if (store_error(rc)->retry)
		ck->code = worse(ck->code, EXIT_TEMP);
}

/* The number of faults. */
static size_t
look(struct checking *ck, const char *name, int *rc_r)
{
	struct store *st = NULL;
	size_t faults = 0;
	int rc;

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
	*rc_r = rc;
	return faults;
}

/* What is only locked, or can't be read just now, is no damage. */
static size_t
mend(struct checking *ck, const char *name, size_t faults, int rc)
{
	if (rc < 0 && rc != STORE_E_CORRUPT)
		return faults;
	rc = store_repair(&ck->c->store_conf, name, repair_step, ck);
	if (rc < 0) {
		check_failed(ck, rc, NULL);
		return faults;
	}
	ck->repaired++;
	return look(ck, name, &rc);
}

static void
check_one(struct checking *ck, const char *name)
{
	size_t faults;
	int rc;

	ck->account = name;
	if (ck->rows.json) {
		ck->faults = json_array();
		ck->repairs = json_array();
	}
	faults = look(ck, name, &rc);
	if (faults && ck->repair)
		faults = mend(ck, name, faults, rc);
	report(ck, faults);
	if (rc == STORE_E_VERSION) {
		/* No damage, but nothing that could be said of it either. */
		ck->newer++;
		ck->code = worse(ck->code, EXIT_PERM);
	} else if (rc < 0 && store_error(rc)->retry) {
		ck->unread++;
	} else if (faults) {
		ck->damaged++;
		ck->code = worse(ck->code, EXIT_PERM);
	}
	ck->n++;
	json_decref(ck->faults);
	json_decref(ck->repairs);
	ck->faults = ck->repairs = NULL;
}

static int
run(struct culver *c, const struct args *a)
{
	struct checking ck = {
		.c = c, .rows.json = a->val[O_JSON] != NULL,
		.quick = a->val[O_QUICK] != NULL,
		.repair = a->val[O_REPAIR] != NULL,
		.quiet = a->val[O_QUIET] != NULL
	};
	struct names l = { NULL, 0, 0 };

	ck.code = names_given(&l, a->pos, a->n);
	if (a->n == 0)
		ck.code = names_all(c, true, &l);
	for (size_t i = 0; i < l.n; i++)
		check_one(&ck, l.v[i]);
	names_release(&l);
	rows_end(&ck.rows);
	if (ck.rows.json)
		;
	else if (!ck.quiet && ck.repair)
		printf("%zu checked, %zu repaired, %zu with faults\n", ck.n,
		    ck.repaired, ck.damaged);
	else if (!ck.quiet && ck.unread)
		printf("%zu checked, %zu with faults, %zu could not be "
		    "checked\n", ck.n - ck.unread, ck.damaged, ck.unread);
	else if (!ck.quiet && ck.newer)
		printf("%zu checked, %zu with faults, %zu of a newer version\n",
		    ck.n, ck.damaged, ck.newer);
	else if (!ck.quiet)
		printf("%zu checked, %zu with faults\n", ck.n, ck.damaged);
	return ck.code;
}

const struct command cmd_check = {
	"check", "[ACCOUNT ...]", "verify what is on disk, and repair it",
	opts, 0, SIZE_MAX, run
};
