/* jmap-fcgi/email-query-changes.c - Email/queryChanges (RFC 8621 4.5) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/email.h"

/* Is what the client has the list in the cache? */
static bool
is_known(const struct query *q, uint64_t since)
{
	const struct query_entry *e = q->entry;

	return e != NULL && e->whole && e->state == since &&
	    e->rights == account_rights_modseq(q->c->acct);
}

/* What wasn't there need not be removed. */
static void
note_known(const struct query *q, struct moved *m)
{
	const struct query_list *l = &q->entry->list;
	struct moved_email *e;

	for (size_t i = 0; i < m->n; i++)
		m->v[i].created = true;
	for (size_t i = 0; i < l->n && m->n > 0; i++)
		if ((e = moved_find(m, l->email[i])) != NULL)
			e->created = false;
}

static int
put_changes(struct query *q, struct moved *m)
{
	struct query_changes d;

	query_changes_begin(&d, q->c, &email_type);
	for (size_t i = 0; i < m->n; i++)
		if (!m->v[i].created)
			query_changes_remove(&d, m->v[i].id);
	for (size_t i = 0; i < q->n_result && m->n > 0; i++)
		if (moved_find(m, q->result[i]) != NULL)
			query_changes_add(&d, q->result[i], i);
	return query_changes_end(&d, q->n_result);
}

static int
run(struct query *q, struct moved *m)
{
	struct jmap_call *c = q->c;
	uint64_t since;
	bool known;
	int rc;

	if (state_parse(js_slice(json_object_get(c->args, "sinceQueryState")),
	    &since) < 0)
		return JMAP_E_CHANGES;
	if ((rc = email_query_begin(q)) < 0)
		return rc;
	known = is_known(q, since);
	/* What others could see then is known by that list alone. */
	if (!known && !account_is_own(c->acct))
		return JMAP_E_CHANGES;
	rc = moved_since(c, m, since, q->want_threads ||
	    jmap_arg_bool(c, "collapseThreads"));
	if (rc == STORE_E_TOOOLD || rc == STORE_E_INVALID)
		return JMAP_E_CHANGES;
	if (rc < 0)
		return jmap_store_failed(c->req, c->method->name, rc);
	if (known)
		note_known(q, m);
	return email_query_run(q, NULL);
}

int
email_query_changes(struct jmap_call *c)
{
	struct moved m = { NULL, 0, 0, 0 };
	struct query q;
	int rc;

	memset(&q, 0, sizeof(q));
	q.c = c;
	if ((rc = run(&q, &m)) == 0)
		rc = put_changes(&q, &m);
	email_query_free(&q);
	moved_free(&m);
	return rc;
}
