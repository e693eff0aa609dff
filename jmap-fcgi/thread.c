/* jmap-fcgi/thread.c - Thread/get and Thread/changes (RFC 8621 3) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/email.h"

struct thread {
	uint64_t id;
	uint64_t *emails;
	size_t n;
};

static json_t *
get_id(struct jmap_call *c, void *obj, const char *name)
{
	const struct thread *t = obj;

	(void)c;
	(void)name;
	return id_json('T', t->id);
}

static json_t *
get_emails(struct jmap_call *c, void *obj, const char *name)
{
	const struct thread *t = obj;
	json_t *list = json_array();

	(void)c;
	(void)name;
	for (size_t i = 0; i < t->n; i++)
		json_array_append_new(list, id_json('E', t->emails[i]));
	return list;
}

static const struct jmap_prop props[] = {
	{ "id", PROP_SERVER, get_id, NULL },
	{ "emailIds", PROP_SERVER, get_emails, NULL },
	{ NULL, 0, NULL, NULL }
};

/* The Emails that JMAP may see: not those with \Deleted everywhere. */
static int
load(struct jmap_call *c, void *ctx, uint64_t id, void **obj_r)
{
	struct arena *a = c->req->scratch;
	struct thread *t = arena_alloc(a, sizeof(*t));
	struct store_email e;
	size_t n, k = 0;
	int rc;

	(void)ctx;
	t->id = id;
	if ((rc = store_thread_get(c->st, a, id, &t->emails, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		rc = email_load(c, a, t->emails[i], &e);
		if (rc == 0)
			t->emails[k++] = t->emails[i];
		else if (rc != STORE_E_NOTFOUND)
			return rc;
	}
	t->n = k;
	*obj_r = t;
	return k > 0 ? 0 : STORE_E_NOTFOUND;
}

/* In another's account only what is visible; in the own the store knows. */
static int
filter(struct jmap_call *c, struct store_change *ch, size_t *n)
{
	size_t k = 0;
	void *t;
	int rc;

	for (size_t i = 0; i < *n && !account_is_own(c->acct); i++) {
		arena_reset(c->req->scratch);
		rc = ch[i].kind == STORE_DESTROYED ? 0 :
		    load(c, NULL, ch[i].id, &t);
		if (rc < 0 && rc != STORE_E_NOTFOUND)
			return jmap_store_failed(c->req, "changes", rc);
		if (rc < 0 && ch[i].kind == STORE_CREATED)
			continue;
		if (rc < 0)
			ch[i].kind = STORE_DESTROYED;
		ch[k++] = ch[i];
	}
	if (!account_is_own(c->acct))
		*n = k;
	return 0;
}

const struct jmap_type thread_type = {
	.name = "Thread",
	.prefix = 'T',
	.store = STORE_T_THREAD,
	.props = props,
	.load = load,
	.filter = filter,
};

int
thread_get(struct jmap_call *c)
{
	return type_get(c, &thread_type, NULL);
}

int
thread_changes(struct jmap_call *c)
{
	return type_changes(c, &thread_type);
}
