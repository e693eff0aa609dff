/* jmap-fcgi/email-query.c - Email/query (RFC 8620 5.5, RFC 8621 4.4) */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/email.h"
#include "libbase/xalloc.h"

const struct jmap_arg email_query_args[] = {
	{ "collapseThreads", ARG_BOOL, 0 },
	{ NULL, 0, 0 }
};

/* ---- flags of whole threads -------------------------------------------- */

struct thread_list {
	struct query *q;
	struct thread_flags *v;
	size_t n, cap;
};

/* 1: the user may see it; 0; enum store_rc. */
static int
is_visible(struct query *q, uint64_t email)
{
	struct store_email e;
	int rc = email_load(q->c, q->c->req->scratch, email, &e);

	arena_reset(q->c->req->scratch);
	return rc == 0 ? 1 : rc == STORE_E_NOTFOUND ? 0 : rc;
}

static int
collect_thread(void *arg, const struct store_msg_info *m)
{
	struct thread_list *l = arg;
	int rc;

	if ((m->flags & STORE_DELETED) != 0)
		return 0;
	if (!account_is_own(l->q->c->acct) &&
	    (rc = is_visible(l->q, m->email)) <= 0)
		return rc;
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 256;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = (struct thread_flags){ m->thread, m->flags,
		m->flags };
	return 0;
}

static int
by_thread(const void *va, const void *vb)
{
	const struct thread_flags *a = va, *b = vb;

	return a->thread < b->thread ? -1 : a->thread > b->thread;
}

/* Merges the Emails of each thread. */
static int
load_threads(struct query *q)
{
	struct thread_list l = { q, NULL, 0, 0 };
	size_t n = 0;
	int rc;

	rc = store_email_scan(q->c->st, 0, collect_thread, &l);
	if (rc < 0) {
		xfree(l.v);
		return jmap_store_failed(q->c->req, "scan", rc);
	}
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), by_thread);
	for (size_t i = 0; i < l.n; i++) {
		if (n > 0 && l.v[n - 1].thread == l.v[i].thread) {
			l.v[n - 1].all &= l.v[i].all;
			l.v[n - 1].some |= l.v[i].some;
		} else {
			l.v[n++] = l.v[i];
		}
	}
	q->tf = l.v;
	q->n_tf = n;
	return 0;
}

static const struct thread_flags *
find_thread(const struct query *q, uint64_t thread)
{
	static const struct thread_flags none;
	struct thread_flags key = { thread, 0, 0 };
	const struct thread_flags *tf = NULL;

	if (q->n_tf > 0)
		tf = bsearch(&key, q->tf, q->n_tf, sizeof(key), by_thread);
	return tf != NULL ? tf : &none;
}

/* ---- collecting -------------------------------------------------------- */

static int
collect(void *arg, const struct store_msg_info *m)
{
	struct query *q = arg;
	struct query_item it;
	int rc;

	if (jmap_gone(q->c))
		return JMAP_E_GONE;
	if ((m->flags & STORE_DELETED) != 0 && q->mailbox != 0)
		return 0;
	/* It may be in another mailbox without \Deleted. */
	if (((m->flags & STORE_DELETED) != 0 || (q->mailbox == 0 &&
	    !account_is_own(q->c->acct))) &&
	    (rc = is_visible(q, m->email)) <= 0)
		return rc;
	it = (struct query_item){ m->email, m->thread, m->flags, m->size,
		m->received_at, NULL, NULL };
	if (q->want_threads)
		it.tf = find_thread(q, m->thread);
	if ((rc = filter_match(q, &it)) <= 0)
		return rc;
	if (q->n == q->cap) {
		q->cap = q->cap ? 2 * q->cap : 1024;
		q->item = xreallocarray(q->item, q->cap, sizeof(it));
	}
	q->item[q->n++] = it;
	return 0;
}

static int
collect_all(struct query *q)
{
	int rc;

	if (q->mailbox != 0 && !account_may(q->c->acct, q->mailbox,
	    STORE_RIGHT_READ))
		return 0;
	if (q->want_threads && (rc = load_threads(q)) < 0)
		return rc;
	rc = store_email_scan(q->c->st, q->mailbox, collect, q);
	if (rc == STORE_E_NOTFOUND)	/* no such mailbox: nothing in it */
		rc = 0;
	return rc < 0 ? jmap_store_failed(q->c->req, "Email/query", rc) : 0;
}

/* Keeps the first of each thread (RFC 8621 4.4.3). */
static int
by_number(const void *va, const void *vb)
{
	uint64_t a = *(const uint64_t *)va, b = *(const uint64_t *)vb;

	return a < b ? -1 : a > b;
}

static void
collapse(struct query *q)
{
	size_t n = 0, k = 0, cap = q->n ? q->n : 1;
	uint64_t *ids = xcalloc(cap, sizeof(*ids));
	bool *seen = xcalloc(cap, sizeof(*seen));

	for (size_t i = 0; i < q->n; i++)
		ids[i] = q->item[i].thread;
	qsort(ids, q->n, sizeof(*ids), by_number);
	for (size_t i = 0; i < q->n; i++)
		if (k == 0 || ids[k - 1] != ids[i])
			ids[k++] = ids[i];
	for (size_t i = 0; i < q->n; i++) {
		uint64_t *at = bsearch(&q->item[i].thread, ids, k,
		    sizeof(*ids), by_number);

		if (!seen[at - ids])
			q->item[n++] = q->item[i];
		seen[at - ids] = true;
	}
	q->n = n;
	xfree(ids);
	xfree(seen);
}

static uint64_t
item_id(const void *items, size_t i)
{
	const struct query_item *it = items;

	return it[i].email;
}

int
email_query_run(struct query *q, const struct query_window *w)
{
	bool threads = jmap_arg_bool(q->c, "collapseThreads");
	struct query_sort *sort;
	int rc;

	if ((rc = filter_parse(q, jmap_arg(q->c, "filter"))) < 0 ||
	    (rc = sort_parse(q, jmap_arg(q->c, "sort"), &sort)) < 0 ||
	    (rc = collect_all(q)) < 0 || (rc = sort_load(q, sort)) < 0)
		return rc;
	sort_items(q, sort, threads || w == NULL ? q->n :
	    window_need(w, q->n));
	if (threads)
		collapse(q);
	return 0;
}

void
email_query_free(struct query *q)
{
	xfree(q->item);
	xfree(q->tf);
}

int
email_query(struct jmap_call *c)
{
	struct query q;
	struct query_window w;
	int rc;

	memset(&q, 0, sizeof(q));
	q.c = c;
	window_parse(c, &email_type, &w);
	if ((rc = email_query_run(&q, &w)) == 0)
		rc = window_put(c, &w, account_is_own(c->acct), q.item, q.n, item_id);
	email_query_free(&q);
	return rc;
}
