/* culver/cmd-token.c - culver token: passwords of single programs */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/passwd.h"
#include "libsession/protocols.h"
#include "libsession/token.h"

enum { ID = 12 };	/* digits of the hash that are shown, and name it */

static int
file_failed(struct culver *c)
{
	complain("%s: %s", c->conf->token_file, strerror(errno));
	return EXIT_TEMP;
}

/* ---- token add --------------------------------------------------------- */

enum { A_NAME, A_FOR, A_UNTIL };

static const struct opt add_opts[] = {
	{ "name", "TEXT", "what it is for: the program or device" },
	{ "for", "LIST", "the protocols, of imap,jmap,pop3; default: all" },
	{ "until", "TIME", "when it ends" },
	{ NULL, NULL, NULL }
};

static int
options(const struct args *a, struct token *t)
{
	if (args_protocols(&add_opts[A_FOR], a->val[A_FOR] ? a->val[A_FOR] : "imap,jmap,pop3",
	    &t->protocols) < 0 ||
	    (a->val[A_UNTIL] && args_time(&add_opts[A_UNTIL], a->val[A_UNTIL],
	    &t->until) < 0))
		return -1;
	t->made = time(NULL);
	t->name = slice_str(a->val[A_NAME]);
	if (!passwd_full_name_ok(t->name)) {
		complain("--name is not UTF-8, or has a colon, comma or "
		    "control character");
		return -1;
	}
	if (a->val[A_UNTIL] && t->until <= t->made) {
		complain("--until is over already");
		return -1;
	}
	return 0;
}

/* 0, or the exit code: it has to be an account, not another name of one. */
static int
owner(struct culver *c, const char *name, struct arena *ar)
{
	struct passwd_entry e;
	int rc = passwd_find(c->conf, slice_str(name), ar, &e);

	if (rc < 0) {
		complain("%s: %s", c->conf->passwd_file, strerror(errno));
		return EXIT_TEMP;
	}
	if (rc == 1)
		complain("%s: no such account", name);
	else if (e.alias_of.n > 0)
		complain("%s is another name of %.*s", name,
		    (int)e.alias_of.n, e.alias_of.p);
	return rc == 1 || e.alias_of.n > 0 ? EXIT_PERM : 0;
}

static int
add(struct culver *c, const struct args *a)
{
	char text[TOKEN_TEXT + 1], *name;
	struct arena *ar = arena_new(0);
	struct token t = { .until = 0 };
	int code = EXIT_PERM;

	if (options(a, &t) < 0 ||
	    (name = account_name(slice_str(a->pos[0]))) == NULL)
		goto out;
	t.account = slice_str(name);
	priv_caller();
	if ((code = owner(c, name, ar)) == 0) {
		token_make(&t, ar, text);
		if (token_put(c->conf, &t) < 0)
			code = file_failed(c);
		else
			printf("%s\n", text);
		secret_wipe(text, sizeof(text));
	}
	priv_service();
	xfree(name);
out:
	arena_free(&ar);
	return code;
}

const struct command cmd_token_add = {
	"token add", "NAME", "make a password for one program, and print it",
	add_opts, 1, 1, add
};

/* ---- token list -------------------------------------------------------- */

enum { L_JSON };

static const struct opt list_opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

struct listing {
	const char *account;	/* or NULL: of all */
	struct rows rows;
};

static void
put_row(struct rows *rows, const struct token *t)
{
	json_t *o = json_object();

	row_text(o, "id", slice_make(t->hash.p, ID));
	row_text(o, "account", t->account);
	json_object_set_new(o, "for", protocols_json(t->protocols));
	row_until(o, "made", t->made);
	row_until(o, "until", t->until);
	row_text(o, "name", t->name.n ? t->name : SLICE_LIT(""));
	rows_put(rows, o);
}

static void
print_text(const struct token *t)
{
	struct buf b;

	buf_init(&b, 64);
	protocols_put(&b, t->protocols);
	printf("%.*s\t", ID, t->hash.p);
	put_clean(t->account);
	printf("\t%.*s\t", (int)b.n, b.p);
	if (t->until != 0)
		put_time(t->until);
	else
		fputs("-", stdout);
	putchar('\t');
	put_clean(t->name);
	putchar('\n');
	buf_release(&b);
}

static int
one(void *arg, const struct token *t)
{
	struct listing *l = arg;

	if (l->account && !slice_eq(t->account, slice_str(l->account)))
		return 0;
	if (l->rows.json)
		put_row(&l->rows, t);
	else
		print_text(t);
	return 0;
}

static int
list(struct culver *c, const struct args *a)
{
	struct listing l = { .rows.json = a->val[L_JSON] != NULL };
	char *name = NULL;
	int rc;

	if (a->n > 0 && (name = account_name(slice_str(a->pos[0]))) == NULL)
		return EXIT_PERM;
	l.account = name;
	priv_caller();
	rc = token_list(c->conf, one, &l) < 0 ? file_failed(c) : 0;
	priv_service();
	rows_end(&l.rows);
	xfree(name);
	return rc;
}

const struct command cmd_token_list = {
	"token list", "[NAME]", "list these passwords: id, account, protocols, "
	    "end, name", list_opts, 0, 1, list
};

/* ---- token del --------------------------------------------------------- */

struct finding {
	struct arena *a;
	struct slice id;	/* the first digits, or */
	struct slice account;
	struct slice *hash;	/* of those that fit */
	size_t n, cap;
};

static int
fits(void *arg, const struct token *t)
{
	struct finding *f = arg;

	if (f->account.n > 0 ? !slice_eq(t->account, f->account) :
	    !slice_starts(t->hash, f->id))
		return 0;
	f->hash = arena_grow(f->a, f->hash, &f->cap, f->n + 1,
	    sizeof(*f->hash));
	f->hash[f->n++] = arena_slice(f->a, t->hash);
	return 0;
}

static int
find_id(struct culver *c, struct finding *f, const char *id)
{
	size_t before = f->n;

	f->id = slice_str(id);
	if (f->id.n < 6) {
		complain("%s: at least 6 digits of the id, please", id);
		return EXIT_PERM;
	}
	if (token_list(c->conf, fits, f) < 0)
		return file_failed(c);
	if (f->n == before + 1)
		return 0;
	complain(f->n == before ? "%s: no such token" :
	    "%s: the id of several tokens", id);
	f->n = before;
	return EXIT_PERM;
}

static int
del(struct culver *c, const struct args *a)
{
	struct finding f = { .a = arena_new(0) };
	int code = 0;

	priv_caller();
	for (size_t i = 0; i < a->n; i++)
		code = worse(code, find_id(c, &f, a->pos[i]));
	if (f.n > 0 && token_delete(c->conf, f.hash, f.n) < 0)
		code = worse(code, file_failed(c));
	priv_service();
	arena_free(&f.a);
	return code;
}

const struct command cmd_token_del = {
	"token del", "ID ...", "take such passwords back", NULL, 1, SIZE_MAX,
	del
};

int
tokens_delete(struct culver *c, const char *account)
{
	struct finding f = { .a = arena_new(0), .account = slice_str(account) };
	int code = 0;

	if (token_list(c->conf, fits, &f) < 0 ||
	    (f.n > 0 && token_delete(c->conf, f.hash, f.n) < 0))
		code = file_failed(c);
	arena_free(&f.a);
	return code;
}
