/* jmap-fcgi/email-query-changes.c - Email/queryChanges (RFC 8621 4.5) */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/email.h"
#include "libbase/xalloc.h"

/* Emails that may have moved since the state, ordered by id. */
struct moved {
	struct moved_email {
		uint64_t id;
		bool created;
	} *v;
	size_t n, cap;
};

static void
add(struct moved *m, uint64_t id, bool created)
{
	if (m->n == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 64;
		m->v = xreallocarray(m->v, m->cap, sizeof(*m->v));
	}
	m->v[m->n++] = (struct moved_email){ id, created };
}

/* Of the same Email the one that was created first. */
static int
by_id(const void *va, const void *vb)
{
	const struct moved_email *a = va, *b = vb;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return b->created - a->created;
}

static void
settle(struct moved *m)
{
	size_t n = 0;

	if (m->n > 0)
		qsort(m->v, m->n, sizeof(*m->v), by_id);
	for (size_t i = 0; i < m->n; i++)
		if (n == 0 || m->v[n - 1].id != m->v[i].id)
			m->v[n++] = m->v[i];
	m->n = n;
}

static bool
has(const struct moved *m, uint64_t id)
{
	struct moved_email key = { id, true };
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_id(&m->v[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < m->n && m->v[lo].id == id;
}

/* All Emails of a thread come along where one shows which of it is a result,
 * or makes the others match. */
static int
add_thread(struct jmap_call *c, struct moved *m, uint64_t thread)
{
	uint64_t *ids;
	size_t n;
	int rc;

	rc = store_thread_get(c->st, c->req->scratch, thread, &ids, &n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		add(m, ids[i], false);
	arena_reset(c->req->scratch);
	return rc == STORE_E_NOTFOUND ? 0 : rc;
}

static int
add_threads(struct jmap_call *c, struct moved *m, const struct store_change *ch,
    size_t n)
{
	struct store_change *tch;
	struct store_email e;
	size_t n_tch;
	int rc;

	rc = query_changes_since(c, STORE_T_THREAD, &tch, &n_tch);
	for (size_t i = 0; rc == 0 && i < n_tch; i++)
		rc = add_thread(c, m, tch[i].id);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (ch[i].kind == STORE_DESTROYED)
			continue;
		rc = store_email_get(c->st, c->req->scratch, ch[i].id, &e);
		if (rc == 0)
			rc = add_thread(c, m, e.thread);
		arena_reset(c->req->scratch);
		rc = rc == STORE_E_NOTFOUND ? 0 : rc;
	}
	return rc;
}

static int
put_changes(struct query *q, struct moved *m)
{
	struct query_changes d;

	query_changes_begin(&d, q->c, &email_type);
	for (size_t i = 0; i < m->n; i++)
		if (!m->v[i].created)
			query_changes_remove(&d, m->v[i].id);
	for (size_t i = 0; i < q->n && m->n > 0; i++)
		if (has(m, q->item[i].email))
			query_changes_add(&d, q->item[i].email, i);
	return query_changes_end(&d, q->n);
}

int
email_query_changes(struct jmap_call *c)
{
	struct moved m = { NULL, 0, 0 };
	struct store_change *ch;
	struct query q;
	size_t n;
	int rc;

	memset(&q, 0, sizeof(q));
	q.c = c;
	if ((rc = query_changes_since(c, STORE_T_EMAIL, &ch, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		add(&m, ch[i].id, ch[i].kind == STORE_CREATED);
	rc = email_query_run(&q, NULL);
	if (rc == 0 && (q.want_threads || jmap_arg_bool(c, "collapseThreads")))
		rc = add_threads(c, &m, ch, n);
	if (rc == 0) {
		settle(&m);
		rc = put_changes(&q, &m);
	}
	email_query_free(&q);
	xfree(m.v);
	return rc;
}
