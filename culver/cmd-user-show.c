/* culver/cmd-user-show.c - culver user show: all that is known of an account */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/xalloc.h"
#include "libsession/passwd.h"
#include "libsession/protocols.h"
#include "libsession/token.h"

enum { O_JSON };

static const struct opt opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

struct job {
	struct culver *c;
	struct arena *ar;
	const char *name;
	struct rows rows;
	json_t *aliases;
	uint64_t tokens;
};

static int
on_entry(void *arg, const struct passwd_entry *e)
{
	struct job *j = arg;

	if (slice_eq(e->alias_of, slice_str(j->name)))
		json_array_append_new(j->aliases,
		    json_stringn(e->name.p, e->name.n));
	return 0;
}

static int
on_token(void *arg, const struct token *t)
{
	struct job *j = arg;

	j->tokens += slice_eq(t->account, slice_str(j->name));
	return 0;
}

/* The login; account_r: of whom the mail is. */
static void
put_login(struct job *j, const struct passwd_entry *e, json_t *o)
{
	json_object_set_new(o, "login", json_true());
	json_object_set_new(o, "password",
	    json_boolean(!slice_eq(e->hash, SLICE_LIT("*"))));
	json_object_set_new(o, "disabled", json_boolean(e->disabled));
	json_object_set_new(o, "maySend", json_boolean(!e->no_send));
	json_object_set_new(o, "for", protocols_json(e->protocols != 0 ?
	    e->protocols : PROTOCOLS_ALL));
	if (e->full_name.n > 0)
		row_text(o, "fullName", e->full_name);
	(void)passwd_list(j->c->conf, on_entry, j);
	json_object_set(o, "aliases", j->aliases);
	(void)token_list(j->c->conf, on_token, j);
	row_u64(o, "tokens", j->tokens);
}

static int
put_store(struct job *j, json_t *o)
{
	struct store *st = NULL;
	struct store_usage u;
	char *dir;
	int rc;

	rc = store_open(&j->c->store_conf, j->name, &st);
	json_object_set_new(o, "store", json_boolean(rc == 0));
	if (rc == 0 && (rc = store_usage(st, &u)) == 0) {
		dir = xasprintf("%s/%s", j->c->conf->mail_dir, j->name);
		row_text(o, "id", slice_str(store_account_id(st)));
		row_text(o, "directory", slice_str(dir));
		row_u64(o, "messages", u.messages);
		row_limit(o, "messageLimit", u.message_limit);
		row_u64(o, "size", u.size);
		row_limit(o, "sizeLimit", u.size_limit);
		row_u64(o, "mailboxes", u.mailboxes);
		xfree(dir);
	}
	store_close(&st);
	return rc;
}

static void
print_text(json_t *o)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v) {
		char *s = json_is_string(v) ? xstrdup(json_string_value(v)) :
		    json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);

		printf("%s: ", key);
		put_clean(slice_str(s ? s : ""));
		putchar('\n');
		xfree(s);
	}
	putchar('\n');
}

static int
one(struct job *j)
{
	struct passwd_entry e;
	json_t *o = json_object();
	int lrc, rc;

	j->aliases = json_array();
	j->tokens = 0;
	row_text(o, "name", slice_str(j->name));
	priv_caller();
	lrc = passwd_find(j->c->conf, slice_str(j->name), j->ar, &e);
	if (lrc < 0 && errno == ENOENT)
		lrc = 1;
	if (lrc == 0 && e.alias_of.n > 0)
		row_text(o, "aliasOf", e.alias_of);
	if (lrc == 0)
		put_login(j, &e, o);
	else
		json_object_set_new(o, "login", json_false());
	priv_service();
	rc = lrc == 0 && e.alias_of.n > 0 ? 0 : put_store(j, o);
	json_decref(j->aliases);
	/* A login whose store comes with the first mail is an account. */
	if (lrc == 0 && rc == STORE_E_NOTFOUND)
		rc = 0;
	if (lrc < 0)
		complain("%s: can't be read", j->c->conf->passwd_file);
	if (rc >= 0 && !j->rows.json)
		print_text(o);
	if (rc >= 0)
		rows_put(&j->rows, o);
	else
		json_decref(o);
	return lrc < 0 ? EXIT_TEMP : rc < 0 ?
	    complain_store(j->name, rc, NULL) : 0;
}

static int
run(struct culver *c, const struct args *a)
{
	struct job j = { .c = c, .rows.json = a->val[O_JSON] != NULL };
	struct names l = { NULL, 0, 0 };
	int code = names_given(&l, a->pos, a->n);

	j.ar = arena_new(0);
	for (size_t i = 0; i < l.n; i++) {
		j.name = l.v[i];
		code = worse(code, one(&j));
		arena_reset(j.ar);
	}
	rows_end(&j.rows);
	arena_free(&j.ar);
	names_release(&l);
	return code;
}

const struct command cmd_user_show = {
	"user show", "NAME ...", "all that is known of accounts", opts, 1,
	SIZE_MAX, run
};
