/* culver/cmd-user-list.c - culver user list */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/passwd.h"
#include "libsession/protocols.h"

enum { O_JSON, O_USAGE };

static const struct opt opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ "usage", NULL, "with messages and octets (opens each account)" },
	{ NULL, NULL, NULL }
};

struct listing {
	struct culver *c;
	struct rows rows;
	bool usage;
	int code;
};

static int
usage_of(struct listing *l, const struct passwd_entry *e,
    struct store_usage *u_r)
{
	char *name = xstrndup(e->name.p, e->name.n);
	struct store *st = NULL;
	int rc;

	*u_r = (struct store_usage){ 0 };
	priv_service();
	rc = store_open(&l->c->store_conf, name, &st);
	if (rc == 0)
		rc = store_usage(st, u_r);
	if (rc < 0)
		l->code = worse(l->code, complain_store(name, rc, st));
	store_close(&st);
	priv_caller();
	xfree(name);
	return rc;
}

static void
put_row(struct rows *rows, const struct passwd_entry *e,
    const struct store_usage *u)
{
	json_t *o = json_object();

	row_text(o, "name", e->name);
	if (e->alias_of.n > 0)
		row_text(o, "aliasOf", e->alias_of);
	else
		json_object_set_new(o, "aliasOf", json_null());
	json_object_set_new(o, "disabled", json_boolean(e->disabled));
	json_object_set_new(o, "password",
	    json_boolean(!slice_eq(e->hash, SLICE_LIT("*"))));
	json_object_set_new(o, "for", protocols_json(e->protocols != 0 ?
	    e->protocols : PROTOCOLS_ALL));
	if (u) {
		row_u64(o, "messages", u->messages);
		row_u64(o, "size", u->size);
		row_limit(o, "sizeLimit", u->size_limit);
		row_limit(o, "messageLimit", u->message_limit);
	}
	rows_put(rows, o);
}

static void
print_text(const struct passwd_entry *e, const struct store_usage *u)
{
	struct buf b;

	put_clean(e->name);
	if (u) {
		printf("\t%llu\t%llu", (unsigned long long)u->messages,
		    (unsigned long long)u->size);
	}
	if (e->alias_of.n > 0) {
		fputs("\talias of ", stdout);
		put_clean(e->alias_of);
	} else if (slice_eq(e->hash, SLICE_LIT("*"))) {
		fputs("\tno password", stdout);
	}
	if (e->protocols != 0) {
		buf_init(&b, 64);
		protocols_put(&b, e->protocols);
		printf("\tfor %.*s", (int)b.n, b.p);
		buf_release(&b);
	}
	if (e->disabled)
		fputs("\tdisabled", stdout);
	putchar('\n');
}

static int
one(void *arg, const struct passwd_entry *e)
{
	struct listing *l = arg;
	struct store_usage u;
	bool have = false;

	if (l->usage && e->alias_of.n == 0)
		have = usage_of(l, e, &u) == 0;
	if (l->rows.json)
		put_row(&l->rows, e, have ? &u : NULL);
	else
		print_text(e, have ? &u : NULL);
	return 0;
}

static int
run(struct culver *c, const struct args *a)
{
	struct listing l = {
		.c = c, .rows.json = a->val[O_JSON] != NULL,
		.usage = a->val[O_USAGE] != NULL
	};
	int rc;

	priv_caller();
	rc = passwd_list(c->conf, one, &l);
	if (rc < 0 && errno != ENOENT) {
		complain("%s: %s", c->conf->passwd_file, strerror(errno));
		l.code = EXIT_TEMP;
	}
	priv_service();
	rows_end(&l.rows);
	return l.code;
}

const struct command cmd_user_list = {
	"user list", "", "list the accounts", opts, 0, 0, run
};
