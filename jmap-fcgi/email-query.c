/* jmap-fcgi/email-query.c - Email/query (RFC 8620 5.5, RFC 8621 4.4) */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/email.h"
#include "libbase/xalloc.h"

enum { KEY_MAX = 4096 };	/* of a query that is kept */

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

	/* It may be in another mailbox without \Deleted. */
	if (((m->flags & STORE_DELETED) != 0 ||
	    !account_is_own(l->q->c->acct)) &&
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

/* ---- running ----------------------------------------------------------- */

/* Keeps the first of each thread (RFC 8621 4.4.3). */
static size_t
collapse(const struct query_list *l, uint64_t *out)
{
	size_t cap = 16, n = 0, k;
	uint64_t *seen;

	while (cap < 2 * l->n)
		cap *= 2;
	seen = xcalloc(cap, sizeof(*seen));	/* 0: free */
	for (size_t i = 0; i < l->n; i++) {
		k = (size_t)((l->thread[i] * UINT64_C(0x9e3779b97f4a7c15)) >>
		    20) & (cap - 1);
		while (seen[k] != 0 && seen[k] != l->thread[i])
			k = (k + 1) & (cap - 1);
		if (seen[k] == 0)
			out[n++] = l->email[i];
		seen[k] = l->thread[i];
	}
	xfree(seen);
	return n;
}

static void
take_items(const struct query *q, struct query_list *l)
{
	query_list_room(l, q->n);
	for (size_t i = 0; i < q->n; i++) {
		l->email[i] = q->item[i].email;
		l->thread[i] = q->item[i].thread;
	}
	l->n = q->n;
}

static void
set_result(struct query *q, const struct query_list *l)
{
	q->result = l->email;
	q->n_result = l->n;
	if (jmap_arg_bool(q->c, "collapseThreads")) {
		q->own = xcalloc(l->n + 1, sizeof(*q->own));
		q->n_result = collapse(l, q->own);
		q->result = q->own;
	}
}

/* The text that two equal queries have in common; NULL: it isn't kept. */
static const char *
key_of(const struct jmap_call *c)
{
	json_t *v = json_pack("[O?,O?]", jmap_arg(c, "filter"),
	    jmap_arg(c, "sort"));
	char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
	const char *key = NULL;

	/* A creation id means something else in each request. */
	if (text != NULL && strlen(text) <= KEY_MAX &&
	    strstr(text, "\"#") == NULL)
		key = arena_printf(c->arena, "%s %s %s", c->acct->id,
		    c->req->user->account_id, text);
	xfree(text);
	json_decref(v);
	return key;
}

int
email_query_begin(struct query *q)
{
	struct jmap_call *c = q->c;
	struct query_cache *cache = c->req->env->queries;
	const char *key;
	int rc;

	if ((rc = filter_parse(q, jmap_arg(c, "filter"))) < 0 ||
	    (rc = sort_parse(q, jmap_arg(c, "sort"), &q->sort)) < 0)
		return rc;
	if (cache != NULL && (key = key_of(c)) != NULL)
		q->entry = query_cache_take(cache, slice_str(key));
	return 0;
}

/* All of it: the list is kept if it is asked for the second time, or will be for
 * its changes. */
static int
run_anew(struct query *q, const struct query_window *w)
{
	struct query_entry *e = q->entry;
	bool whole = w == NULL || jmap_arg_bool(q->c, "collapseThreads");
	uint64_t now;
	int rc;

	if (e != NULL && (e->state != 0 || !account_is_own(q->c->acct)))
		whole = true;
	if ((rc = type_state(q->c, &email_type, &now)) < 0 ||
	    (rc = collect_all(q)) < 0 ||
	    (rc = sort_load(q, q->sort, q->item, q->n)) < 0)
		return rc;
	sort_items(q, q->sort, whole ? q->n : window_need(w, q->n));
	if (e != NULL) {
		e->whole = whole;
		e->state = now;
		e->rights = account_rights_modseq(q->c->acct);
		take_items(q, &e->list);
	} else {
		take_items(q, &q->list);
	}
	return 0;
}

int
email_query_run(struct query *q, const struct query_window *w)
{
	int rc = 0;

	if (!email_query_advance(q))
		rc = run_anew(q, w);
	if (rc == 0)
		set_result(q, q->entry != NULL ? &q->entry->list : &q->list);
	return rc;
}

void
email_query_free(struct query *q)
{
	if (q->entry != NULL) {
		if (!q->entry->whole)
			query_list_free(&q->entry->list);
		query_cache_put(q->c->req->env->queries, &q->entry);
	}
	query_list_free(&q->list);
	xfree(q->own);
	xfree(q->item);
	xfree(q->tf);
}

static uint64_t
result_id(const void *items, size_t i)
{
	const uint64_t *id = items;

	return id[i];
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
	if ((rc = email_query_begin(&q)) == 0 &&
	    (rc = email_query_run(&q, &w)) == 0)
		rc = window_put(c, &w, account_is_own(c->acct) ||
		    q.entry != NULL, q.result, q.n_result, result_id);
	email_query_free(&q);
	return rc;
}
