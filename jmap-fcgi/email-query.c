/* jmap-fcgi/email-query.c - Email/query (RFC 8620 5.5, RFC 8621 4.4) */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/email.h"
#include "libbase/xalloc.h"

enum { LIMIT_MAX = 10000 };	/* ids in one answer, whatever was asked */

const struct jmap_arg email_query_args[] = {
	{ "filter", ARG_OBJECT, ARG_NULL },
	{ "sort", ARG_ARRAY, ARG_NULL },
	{ "position", ARG_INT, 0 },
	{ "anchor", ARG_ID, ARG_NULL },
	{ "anchorOffset", ARG_INT, 0 },
	{ "limit", ARG_UINT, ARG_NULL },
	{ "calculateTotal", ARG_BOOL, 0 },
	{ "collapseThreads", ARG_BOOL, 0 },
	{ NULL, 0, 0 }
};

/* ---- flags of whole threads -------------------------------------------- */

struct thread_list {
	struct thread_flags *v;
	size_t n, cap;
};

static int
collect_thread(void *arg, const struct store_msg_info *m)
{
	struct thread_list *l = arg;

	if ((m->flags & STORE_DELETED) != 0)
		return 0;
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
	struct thread_list l = { NULL, 0, 0 };
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
	struct store_email e;
	int rc;

	if ((m->flags & STORE_DELETED) != 0) {
		if (q->mailbox != 0)
			return 0;
		/* It may be in another mailbox without \Deleted. */
		rc = email_load(q->c, q->c->req->scratch, m->email, &e);
		arena_reset(q->c->req->scratch);
		if (rc == STORE_E_NOTFOUND)
			return 0;
		if (rc < 0)
			return rc;
	}
	it = (struct query_item){ m->email, m->thread, m->flags, m->size,
		m->received_at, NULL };
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

/* ---- the window -------------------------------------------------------- */

struct window {
	int64_t position, offset;
	uint64_t anchor, limit;
	bool has_anchor, clamped, collapse;
};

static void
window_parse(struct jmap_call *c, struct window *w)
{
	json_t *v;

	memset(w, 0, sizeof(*w));
	if ((v = jmap_arg(c, "position")) != NULL)
		js_int(v, &w->position);
	if ((v = jmap_arg(c, "anchorOffset")) != NULL)
		js_int(v, &w->offset);
	if ((v = jmap_arg(c, "anchor")) != NULL) {
		w->has_anchor = true;
		if (id_resolve(c->req, 'E', js_slice(v), &w->anchor) < 0)
			w->anchor = 0;
	}
	w->limit = UINT64_MAX;
	if ((v = jmap_arg(c, "limit")) != NULL)
		js_uint(v, &w->limit);
	if (w->limit > LIMIT_MAX) {
		w->limit = LIMIT_MAX;
		w->clamped = true;
	}
	w->collapse = jmap_arg_bool(c, "collapseThreads");
}

/* How many items have to be in order to answer. */
static size_t
sorted_need(const struct query *q, const struct window *w)
{
	if (w->has_anchor || w->collapse || w->position < 0)
		return q->n;
	if ((uint64_t)w->position >= q->n ||
	    q->n - (uint64_t)w->position < w->limit)
		return q->n;
	return (size_t)((uint64_t)w->position + w->limit);
}

/* The index of the first result. */
static int
window_first(const struct query *q, const struct window *w, size_t *first_r)
{
	int64_t at = w->position, n = (int64_t)q->n;

	if (w->has_anchor) {
		for (at = 0; at < n; at++)
			if (q->item[at].email == w->anchor)
				break;
		if (at == n)
			return JMAP_E_ANCHOR;
		at += w->offset;
	} else if (at < 0) {
		at += n;
	}
	*first_r = at < 0 ? 0 : (size_t)at;
	return 0;
}

static int
put_result(struct query *q, const struct window *w)
{
	struct jmap_call *c = q->c;
	json_t *ids;
	size_t first, end;
	uint64_t state;
	int rc;

	if ((rc = window_first(q, w, &first)) < 0 ||
	    (rc = type_state(c, &email_type, &state)) < 0)
		return rc;
	ids = json_array();
	end = first < q->n && q->n - first > w->limit ?
	    first + (size_t)w->limit : q->n;
	for (size_t i = first; i < end; i++)
		json_array_append_new(ids, id_json('E', q->item[i].email));
	js_put(c->out, "queryState", state_json(state));
	js_put(c->out, "canCalculateChanges", json_false());
	js_put(c->out, "position", json_integer((json_int_t)first));
	js_put(c->out, "ids", ids);
	if (jmap_arg_bool(c, "calculateTotal"))
		js_put(c->out, "total", json_integer((json_int_t)q->n));
	if (w->clamped)
		js_put(c->out, "limit", json_integer((json_int_t)w->limit));
	return jmap_charge(c, js_size(ids, c->req->left));
}

int
email_query(struct jmap_call *c)
{
	struct query q;
	struct window w;
	struct query_sort *sort;
	int rc;

	memset(&q, 0, sizeof(q));
	q.c = c;
	window_parse(c, &w);
	if ((rc = filter_parse(&q, jmap_arg(c, "filter"))) < 0 ||
	    (rc = sort_parse(&q, jmap_arg(c, "sort"), &sort)) < 0)
		return rc;
	rc = collect_all(&q);
	if (rc == 0) {
		sort_items(&q, sort, sorted_need(&q, &w));
		if (w.collapse)
			collapse(&q);
		rc = put_result(&q, &w);
	}
	xfree(q.item);
	xfree(q.tf);
	return rc;
}
