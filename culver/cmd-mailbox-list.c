/* culver/cmd-mailbox-list.c - culver mailbox list, status */
#include "config.h"

#include <stdio.h>

#include "culver/culver.h"
#include "culver/rows.h"

enum { O_JSON };

static const struct opt opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

static void
put_json(struct rows *r, const struct store_mailbox *m, struct slice path)
{
	const char *role = store_role_name(m->role);
	char id[STORE_ID_TEXT];
	json_t *o = json_object();

	row_text(o, "path", path);
	json_object_set_new(o, "id",
	    json_string(store_id_text('M', m->id, id)));
	json_object_set_new(o, "role", role ? json_string(role) : json_null());
	json_object_set_new(o, "subscribed", json_boolean(m->subscribed));
	row_u64(o, "total", m->total);
	row_u64(o, "unread", m->unread);
	row_u64(o, "deleted", m->deleted);
	row_u64(o, "size", m->size);
	row_u64(o, "uidValidity", m->uidvalidity);
	row_u64(o, "uidNext", m->uidnext);
	row_u64(o, "highestModSeq", m->highestmodseq);
	rows_put(r, o);
}

static void
print_text(const struct store_mailbox *m, struct slice path)
{
	const char *role = store_role_name(m->role);

	printf("%8u %8u %12llu  ", m->total, m->unread,
	    (unsigned long long)m->size);
	put_clean(path);
	if (role && m->role != STORE_ROLE_INBOX)
		printf("  (%s)", role);
	putchar('\n');
}

static int
print(struct store *st, struct arena *ar, struct rows *r,
    const struct store_mailbox *m)
{
	struct slice path;
	int rc = store_mailbox_path(st, ar, m->id, &path);

	if (rc < 0)
		return rc;
	if (r->json)
		put_json(r, m, path);
	else
		print_text(m, path);
	return 0;
}

/* Those that are named; all where none is. */
static int
list(struct store *st, struct arena *ar, struct rows *r, const struct args *a)
{
	struct store_mailbox *m, one;
	int rc, code = 0;
	size_t n = 0;

	if (!r->json)
		puts("messages   unread       octets  mailbox");
	if (a->n == 1 && (rc = store_mailbox_list(st, ar, &m, &n)) < 0)
		return complain_store(a->pos[0], rc, st);
	for (size_t i = 0; i < n; i++)
		if ((rc = print(st, ar, r, &m[i])) < 0)
			return complain_store(a->pos[0], rc, st);
	for (size_t i = 1; i < a->n; i++) {
		rc = store_mailbox_find(st, ar, slice_str(a->pos[i]), &one);
		if (rc >= 0)
			rc = print(st, ar, r, &one);
		if (rc < 0)
			code = worse(code, complain_store(a->pos[i], rc, st));
	}
	return code;
}

static int
run(struct culver *c, const struct args *a)
{
	struct rows r = { .json = a->val[O_JSON] != NULL };
	struct store *st = NULL;
	struct arena *ar;
	int code = account_open(c, a->pos[0], &st);

	if (code != 0)
		return code;
	ar = arena_new(0);
	code = list(st, ar, &r, a);
	rows_end(&r);
	store_close(&st);
	arena_free(&ar);
	return code;
}

const struct command cmd_mailbox_list = {
	"mailbox list", "ACCOUNT", "list an account's mailboxes", opts, 1, 1,
	run
};
const struct command cmd_mailbox_status = {
	"mailbox status", "ACCOUNT MAILBOX ...", "the same of some", opts, 2,
	SIZE_MAX, run
};
