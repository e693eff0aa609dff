/* culver/cmd-mailbox-list.c - culver mailbox list */
#include "config.h"

#include <jansson.h>
#include <stdio.h>

#include "culver/culver.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum { O_JSON };

static const struct opt opts[] = {
	{ "json", NULL, "as a JSON array" },
	{ NULL, NULL, NULL }
};

static void
set_u64(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void
print_json(const struct store_mailbox *m, struct slice path, bool first)
{
	const char *role = store_role_name(m->role);
	json_t *o = json_object();
	char *s;

	json_object_set_new(o, "path", json_stringn(path.p, path.n));
	json_object_set_new(o, "role", role ? json_string(role) : json_null());
	json_object_set_new(o, "subscribed", json_boolean(m->subscribed));
	set_u64(o, "total", m->total);
	set_u64(o, "unread", m->unread);
	set_u64(o, "deleted", m->deleted);
	set_u64(o, "size", m->size);
	set_u64(o, "uidValidity", m->uidvalidity);
	set_u64(o, "uidNext", m->uidnext);
	set_u64(o, "highestModSeq", m->highestmodseq);
	s = json_dumps(o, JSON_COMPACT);
	if (!s)
		fatal("out of memory");
	printf("%s %s\n", first ? "[" : ",", s);
	xfree(s);
	json_decref(o);
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
list(struct store *st, struct arena *ar, bool json)
{
	struct store_mailbox *m;
	size_t n;
	int rc;

	rc = store_mailbox_list(st, ar, &m, &n);
	if (rc < 0)
		return rc;
	if (!json)
		puts("messages   unread       octets  mailbox");
	for (size_t i = 0; i < n; i++) {
		struct slice path;

		rc = store_mailbox_path(st, ar, m[i].id, &path);
		if (rc < 0)
			return rc;
		if (json)
			print_json(&m[i], path, i == 0);
		else
			print_text(&m[i], path);
	}
	if (json)
		puts(n ? "]" : "[]");
	return 0;
}

static int
run(struct culver *c, const struct args *a)
{
	struct arena *ar = arena_new(0);
	struct store *st = NULL;
	int code, rc = 0;

	code = account_open(c, a->pos[0], &st);
	if (code == 0)
		rc = list(st, ar, a->val[O_JSON] != NULL);
	if (rc < 0)
		code = complain_store(a->pos[0], rc, st);
	store_close(&st);
	arena_free(&ar);
	return code;
}

const struct command cmd_mailbox_list = {
	"mailbox list", "ACCOUNT", "list an account's mailboxes", opts, 1, 1,
	run
};
