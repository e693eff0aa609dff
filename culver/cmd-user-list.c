/* culver/cmd-user-list.c - culver user list */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "culver/culver.h"
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
	bool json, usage;
	size_t n;
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
print_json(const struct listing *l, const struct passwd_entry *e,
    const struct store_usage *u)
{
	json_t *o = json_object();
	char *s;

	json_object_set_new(o, "name", json_stringn(e->name.p, e->name.n));
	json_object_set_new(o, "aliasOf", e->alias_of.n > 0 ?
	    json_stringn(e->alias_of.p, e->alias_of.n) : json_null());
	json_object_set_new(o, "disabled", json_boolean(e->disabled));
	json_object_set_new(o, "password",
	    json_boolean(!slice_eq(e->hash, SLICE_LIT("*"))));
	json_object_set_new(o, "for", protocols_json(e->protocols != 0 ?
	    e->protocols : PROTOCOLS_ALL));
	if (u) {
		json_object_set_new(o, "messages",
		    json_integer((json_int_t)u->messages));
		json_object_set_new(o, "size",
		    json_integer((json_int_t)u->size));
		json_object_set_new(o, "sizeLimit", u->size_limit ?
		    json_integer((json_int_t)u->size_limit) : json_null());
		json_object_set_new(o, "messageLimit", u->message_limit ?
		    json_integer((json_int_t)u->message_limit) : json_null());
	}
	s = json_dumps(o, JSON_COMPACT);
	if (!s)
		fatal("out of memory");
	printf("%s %s\n", l->n ? "," : "[", s);
	xfree(s);
	json_decref(o);
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
	if (l->json)
		print_json(l, e, have ? &u : NULL);
	else
		print_text(e, have ? &u : NULL);
	l->n++;
	return 0;
}

static int
run(struct culver *c, const struct args *a)
{
	struct listing l = {
		.c = c, .json = a->val[O_JSON] != NULL,
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
	if (l.json)
		puts(l.n ? "]" : "[]");
	return l.code;
}

const struct command cmd_user_list = {
	"user list", "", "list the accounts", opts, 0, 0, run
};
