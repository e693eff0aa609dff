/* culver/cmd-acl.c - culver acl list, set, delete: rights on mailboxes */
#include "config.h"

#include <stdio.h>

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/xalloc.h"

enum { O_JSON };

static const struct opt list_opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

/* The name of an entry as the store has it, in the arena; NULL after a
 * complaint. */
static const char *
who_of(const char *given, struct arena *ar)
{
	bool minus = given[0] == '-';
	char *name = account_name(slice_str(given + minus));
	const char *who = NULL;

	if (name != NULL)
		who = arena_printf(ar, "%s%s", minus ? "-" : "", name);
	xfree(name);
	return who;
}

/* ---- list -------------------------------------------------------------- */

static void
put_row(struct rows *rows, const struct store_acl *acl, struct slice path)
{
	char text[STORE_RIGHTS_TEXT];
	json_t *o = json_object();

	row_text(o, "mailbox", path);
	row_text(o, "who", acl->who);
	row_text(o, "rights", slice_str(store_rights_text(acl->rights, false,
	    text)));
	rows_put(rows, o);
}

static int
print_acl(struct store *st, struct arena *ar, uint64_t mailbox,
    struct rows *rows)
{
	char text[STORE_RIGHTS_TEXT];
	struct store_acl *v;
	struct slice path;
	size_t n;
	int rc;

	if ((rc = store_mailbox_path(st, ar, mailbox, &path)) < 0 ||
	    (rc = store_acl_get(st, ar, mailbox, &v, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (rows->json) {
			put_row(rows, &v[i], path);
			continue;
		}
		printf("%-12s  ", store_rights_text(v[i].rights, false, text));
		put_clean(v[i].who);
		fputs("  ", stdout);
		put_clean(path);
		putchar('\n');
	}
	return 0;
}

static int
print_all(struct store *st, struct arena *ar, struct rows *rows)
{
	struct store_mailbox *m;
	size_t n;
	int rc;

	if ((rc = store_mailbox_list(st, ar, &m, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n && rc >= 0; i++)
		rc = print_acl(st, ar, m[i].id, rows);
	return rc;
}

/* ---- all --------------------------------------------------------------- */

enum what { LIST, SET, DELETE };

static int
set(struct store *st, uint64_t mailbox, const struct args *a, enum what what,
    struct arena *ar, int *rc_r)
{
	const char *who = who_of(a->pos[2], ar), *r;
	enum store_acl_op op = STORE_ACL_SET;
	unsigned rights = 0;

	if (who == NULL)
		return EXIT_PERM;
	if (strcmp(who[0] == '-' ? who + 1 : who,
	    store_account_name(st)) == 0) {
		complain("%s: the owner has all rights", a->pos[0]);
		return EXIT_PERM;
	}
	if (what == SET) {
		r = a->pos[3];
		if (*r == '+' || *r == '-')
			op = *r++ == '+' ? STORE_ACL_ADD : STORE_ACL_DEL;
		if (store_rights_from(slice_str(r), &rights) < 0) {
			complain("\"%s\": rights are letters of lrswipkxtean",
			    a->pos[3]);
			return EXIT_PERM;
		}
	}
	*rc_r = store_acl_set(st, mailbox, slice_str(who), op, rights);
	return 0;
}

static int
act(struct store *st, struct arena *ar, const struct args *a, enum what what)
{
	struct rows rows = { .json = what == LIST && a->val[O_JSON] != NULL };
	struct store_mailbox mb;
	int rc, code = 0;

	if (a->n == 1) {
		rc = print_all(st, ar, &rows);
		rows_end(&rows);
		return rc < 0 ? complain_store(a->pos[0], rc, st) : 0;
	}
	rc = store_mailbox_find(st, ar, slice_str(a->pos[1]), &mb);
	if (rc < 0)
		return complain_store(a->pos[1], rc, st);
	if (what == LIST) {
		rc = print_acl(st, ar, mb.id, &rows);
		rows_end(&rows);
	} else
		code = set(st, mb.id, a, what, ar, &rc);
	return rc < 0 ? complain_store(a->pos[1], rc, st) : code;
}

static int
run(struct culver *c, const struct args *a, enum what what)
{
	struct arena *ar = arena_new(0);
	struct store *st = NULL;
	int code = account_open(c, a->pos[0], &st);

	if (code == 0)
		code = act(st, ar, a, what);
	store_close(&st);
	arena_free(&ar);
	return code;
}

static int
run_list(struct culver *c, const struct args *a)
{
	return run(c, a, LIST);
}

static int
run_set(struct culver *c, const struct args *a)
{
	return run(c, a, SET);
}

static int
run_delete(struct culver *c, const struct args *a)
{
	return run(c, a, DELETE);
}

const struct command cmd_acl_list = {
	"acl list", "ACCOUNT [MAILBOX]", "list who has rights on mailboxes",
	list_opts, 1, 2, run_list
};
const struct command cmd_acl_set = {
	"acl set", "ACCOUNT MAILBOX USER RIGHTS", "give rights on a mailbox",
	NULL, 4, 4, run_set
};
const struct command cmd_acl_delete = {
	"acl delete", "ACCOUNT MAILBOX USER", "remove a user's entry",
	NULL, 3, 3, run_delete
};
