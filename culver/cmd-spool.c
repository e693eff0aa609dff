/* culver/cmd-spool.c - culver spool: send what is due */
#include "config.h"

#include <stdio.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/log.h"
#include "libsession/submit.h"

enum { O_ALL, O_LIST, O_JSON };

static const struct opt opts[] = {
	{ "all", NULL, "look into all accounts, for lost hints" },
	{ "list", NULL, "print what is waiting, and send nothing" },
	{ "json", NULL, "with --list: as a JSON array" },
	{ NULL, NULL, NULL }
};

static int
one(struct culver *c, const char *name)
{
	struct arena *a = arena_new(0);
	struct store *st = NULL;
	int rc, code = 0;

	if ((rc = store_open(&c->store_conf, name, &st)) == 0)
		rc = submit_account(c->conf, st, a, NULL);
	if (rc == STORE_E_BUSY)
		complain("%s: somebody else is sending", name);
	else if (rc < 0)
		code = complain_store(name, rc, st);
	store_close(&st);
	arena_free(&a);
	return code;
}

static void
put_row(struct rows *rows, const char *name,
    const struct store_submission *v)
{
	json_t *o = json_object(), *to = json_array();
	char id[24];

	snprintf(id, sizeof(id), "S%llx", (unsigned long long)v->id);
	row_text(o, "account", slice_str(name));
	row_text(o, "id", slice_str(id));
	row_time(o, "nextTry", v->next_try);
	row_u64(o, "attempts", v->attempts);
	row_text(o, "from", v->from.email);
	for (size_t k = 0; k < v->n_rcpt; k++)
		json_array_append_new(to, json_stringn(v->rcpt[k].to.email.p,
		    v->rcpt[k].to.email.n));
	json_object_set_new(o, "to", to);
	rows_put(rows, o);
}

static int
list_one(struct culver *c, const char *name, struct rows *rows)
{
	struct store_submission *v;
	struct arena *a = arena_new(0);
	struct store *st = NULL;
	size_t n = 0;
	int rc;

	if ((rc = store_open(&c->store_conf, name, &st)) == 0)
		rc = store_submission_list(st, a, &v, &n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (!store_submission_open(&v[i]))
			continue;
		if (rows->json) {
			put_row(rows, name, &v[i]);
			continue;
		}
		put_clean(slice_str(name));
		printf(" S%llx ", (unsigned long long)v[i].id);
		put_time(v[i].next_try);
		printf(" attempts %u from <", v[i].attempts);
		put_clean(v[i].from.email);
		printf(">");
		for (size_t k = 0; k < v[i].n_rcpt; k++) {
			printf(k > 0 ? ", <" : " to <");
			put_clean(v[i].rcpt[k].to.email);
			printf(">");
		}
		printf("\n");
	}
	rc = rc < 0 ? complain_store(name, rc, st) : 0;
	store_close(&st);
	arena_free(&a);
	return rc;
}

static int
note(void *arg, const char *account)
{
	names_add(arg, account, strlen(account));
	return 0;
}

/* Those that are named; all; or those in the outbox. */
static int
accounts(struct culver *c, const struct args *a, struct names *l)
{
	if (a->n > 0)
		return names_given(l, a->pos, a->n);
	if (a->val[O_ALL] != NULL)
		return names_all(c, false, l);
	if (store_outbox_each(&c->store_conf, INT64_MAX, note, l) < 0) {
		complain("the outbox can't be read");
		return EXIT_TEMP;
	}
	return 0;
}

static int
run(struct culver *c, const struct args *a)
{
	struct names l = { NULL, 0, 0 };
	bool list = a->val[O_LIST] != NULL;
	struct rows rows = { .json = a->val[O_JSON] != NULL };
	int code;

	if (!list && !mta_configured(c->conf)) {
		complain("neither sendmail nor smtp-relay is configured");
		return EXIT_PERM;
	}
	code = accounts(c, a, &l);
	for (size_t i = 0; i < l.n; i++)
		code = worse(code, list ? list_one(c, l.v[i], &rows) :
		    one(c, l.v[i]));
	if (list)
		rows_end(&rows);
	names_release(&l);
	return code;
}

const struct command cmd_spool = {
	"spool", "[ACCOUNT ...]", "send what is due of what users submitted",
	opts, 0, SIZE_MAX, run
};
