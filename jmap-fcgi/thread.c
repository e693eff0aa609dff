/* jmap-fcgi/thread.c - Thread/get and Thread/changes (RFC 8621 3) */
#include "config.h"

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

const struct jmap_type thread_type = {
	.name = "Thread",
	.prefix = 'T',
	.store = STORE_T_THREAD,
	.props = props,
	.load = load,
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
