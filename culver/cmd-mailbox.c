/* culver/cmd-mailbox.c - culver mailbox create, rename, delete, (un)subscribe */
#include "config.h"

#include "culver/culver.h"
#include "culver/rows.h"
#include "libbase/xalloc.h"

enum { O_JSON, O_ROLE };		/* create */
enum { O_WITH_MAIL = 1 };		/* delete */

static const struct opt create_opts[] = {
	{ "json", NULL, "tell path and id as a JSON array" },
	{ "role", "ROLE", "archive, drafts, junk, sent, trash, ..." },
	{ NULL, NULL, NULL }
};
static const struct opt delete_opts[] = {
	{ "json", NULL, "tell path and id as a JSON array" },
	{ "with-mail", NULL, "also what isn't empty" },
	{ NULL, NULL, NULL }
};
static const struct opt opts[] = {
	{ "json", NULL, "tell path and id as a JSON array" },
	{ NULL, NULL, NULL }
};

struct job {
	struct store *st;
	struct arena *ar;
	const struct args *a;
	struct rows rows;
};
/* What is done to one path; *id_r: 0 where there is no mailbox. */
typedef int (*act_fn)(struct job *j, struct slice path, uint64_t *id_r);

static int
find(struct job *j, struct slice path, uint64_t *id_r)
{
	struct store_mailbox mb;
	int rc = store_mailbox_find(j->st, j->ar, path, &mb);

	if (rc >= 0)
		*id_r = mb.id;
	return rc;
}

/* Who can't see a mailbox believes that it isn't there: it is subscribed. */
static int
create(struct job *j, struct slice path, uint64_t *id_r)
{
	enum store_role role = STORE_ROLE_NONE;
	const char *name = j->a->val[O_ROLE];
	int rc;

	if (name != NULL && store_role_from(slice_str(name), &role) < 0)
		return STORE_E_INVALID;
	rc = store_mailbox_create_path(j->st, path, role, id_r);
	return rc < 0 ? rc : store_subscribe(j->st, path, true);
}

static int
destroy(struct job *j, struct slice path, uint64_t *id_r)
{
	int rc = find(j, path, id_r);

	return rc < 0 ? rc : store_mailbox_destroy(j->st, *id_r,
	    j->a->val[O_WITH_MAIL] != NULL);
}

static int
subscribe(struct job *j, struct slice path, uint64_t *id_r)
{
	(void)find(j, path, id_r);
	return store_subscribe(j->st, path, true);
}

static int
unsubscribe(struct job *j, struct slice path, uint64_t *id_r)
{
	(void)find(j, path, id_r);
	return store_subscribe(j->st, path, false);
}

static int
rename_to(struct job *j, struct slice path, uint64_t *id_r)
{
	int rc = find(j, slice_str(j->a->pos[1]), id_r);

	return rc < 0 ? rc : store_mailbox_rename(j->st, *id_r, path);
}

static int
one(struct job *j, const char *path, act_fn act)
{
	uint64_t id = 0;
	int rc = act(j, slice_str(path), &id);
	char text[STORE_ID_TEXT];
	json_t *o;

	if (rc < 0)
		return complain_store(path, rc, j->st);
	if (!j->rows.json)
		return 0;
	o = json_object();
	row_text(o, "path", slice_str(path));
	json_object_set_new(o, "id", id == 0 ? json_null() :
	    json_string(store_id_text('M', id, text)));
	rows_put(&j->rows, o);
	return 0;
}

/* Paths are the arguments from the first on. */
static int
run(struct culver *c, const struct args *a, size_t first, act_fn act)
{
	struct job j = { .a = a, .rows.json = a->val[O_JSON] != NULL };
	int code;

	if ((code = account_open(c, a->pos[0], &j.st)) != 0)
		return code;
	j.ar = arena_new(0);
	for (size_t i = first; i < a->n; i++)
		code = worse(code, one(&j, a->pos[i], act));
	rows_end(&j.rows);
	store_close(&j.st);
	arena_free(&j.ar);
	return code;
}

static int
run_create(struct culver *c, const struct args *a)
{
	enum store_role role;

	if (a->val[O_ROLE] != NULL &&
	    store_role_from(slice_str(a->val[O_ROLE]), &role) < 0) {
		complain("--role: there is no role \"%s\"", a->val[O_ROLE]);
		return EXIT_PERM;
	}
	return run(c, a, 1, create);
}

static int
run_rename(struct culver *c, const struct args *a)
{
	return run(c, a, 2, rename_to);
}

static int
run_delete(struct culver *c, const struct args *a)
{
	return run(c, a, 1, destroy);
}

static int
run_subscribe(struct culver *c, const struct args *a)
{
	return run(c, a, 1, subscribe);
}

static int
run_unsubscribe(struct culver *c, const struct args *a)
{
	return run(c, a, 1, unsubscribe);
}

const struct command cmd_mailbox_create = {
	"mailbox create", "ACCOUNT MAILBOX ...", "make mailboxes, subscribed",
	create_opts, 2, SIZE_MAX, run_create
};
const struct command cmd_mailbox_rename = {
	"mailbox rename", "ACCOUNT MAILBOX NEW", "rename or move a mailbox",
	opts, 3, 3, run_rename
};
const struct command cmd_mailbox_delete = {
	"mailbox delete", "ACCOUNT MAILBOX ...", "delete mailboxes",
	delete_opts, 2, SIZE_MAX, run_delete
};
const struct command cmd_mailbox_subscribe = {
	"mailbox subscribe", "ACCOUNT MAILBOX ...", "subscribe mailboxes",
	opts, 2, SIZE_MAX, run_subscribe
};
const struct command cmd_mailbox_unsubscribe = {
	"mailbox unsubscribe", "ACCOUNT MAILBOX ...",
	"take subscriptions back", opts, 2, SIZE_MAX, run_unsubscribe
};
