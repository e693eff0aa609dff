/* jmap-fcgi/quota-query.c - Quota/query and /queryChanges (RFC 9425 4.3) */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/quota.h"

enum { SORT_MAX = 10 };

struct sort {
	bool by_used[SORT_MAX], down[SORT_MAX];
	size_t n;
};
struct query {
	struct jmap_call *c;
	struct store_usage usage;
	struct sort sort;
	struct quota v[QUOTA_N];
	size_t n;
};

/* ---- the filter -------------------------------------------------------- */

static bool
contains(struct slice text, struct slice s)
{
	return s.n == 0 || (s.n <= text.n &&
	    memmem(text.p, text.n, s.p, s.n) != NULL);
}

/* 1, 0, or the error. */
static int
condition(struct query *q, const char *key, json_t *v, const struct quota *k)
{
	struct slice s = js_slice(v);
	int is = -1;

	if (strcmp(key, "name") == 0)
		is = contains(slice_str(k->name), s);
	else if (strcmp(key, "scope") == 0)
		is = slice_eq(s, SLICE_LIT("account"));
	else if (strcmp(key, "resourceType") == 0)
		is = slice_eq(s, slice_str(k->resource));
	else if (strcmp(key, "type") == 0)
		is = slice_eq(s, slice_str(k->type));
	if (is < 0) {
		q->c->desc = "no such condition";
		return JMAP_E_FILTER;
	}
	return s.p != NULL ? is :
	    jmap_bad(q->c, "filter: %s must be a string", key);
}

/* The whole of it is looked at, so that each error is found.  Nesting is
 * bounded, as the request's is. */
static int
matches(struct query *q, json_t *f, const struct quota *k)
{
	enum filter_op op;
	json_t *list, *v;
	const char *key;
	size_t i;
	int rc, all = 1, any = 0;

	if (!json_is_object(f))
		return jmap_bad(q->c, "filter: a condition must be an object");
	if (json_object_get(f, "operator") == NULL) {
		json_object_foreach(f, key, v) {
			if ((rc = condition(q, key, v, k)) < 0)
				return rc;
			all &= rc;
		}
		return all;
	}
	if (filter_operator(f, &op, &list) < 0)
		return jmap_bad(q->c, "filter: not a FilterOperator");
	json_array_foreach(list, i, v) {
		if ((rc = matches(q, v, k)) < 0)
			return rc;
		all &= rc;
		any |= rc;
	}
	return op == FILTER_AND ? all : op == FILTER_OR ? any : !any;
}

/* ---- the order --------------------------------------------------------- */

static int
parse_comparator(struct query *q, json_t *v)
{
	json_t *up = json_object_get(v, "isAscending");
	struct slice name = js_slice(json_object_get(v, "property"));
	bool used = slice_eq(name, SLICE_LIT("used"));

	if (name.p == NULL || (up != NULL && !json_is_boolean(up)))
		return jmap_bad(q->c, "sort: not a Comparator");
	if ((!used && !slice_eq(name, SLICE_LIT("name"))) ||
	    q->sort.n == SORT_MAX || json_object_get(v, "collation") != NULL)
		return JMAP_E_SORT;
	q->sort.by_used[q->sort.n] = used;
	q->sort.down[q->sort.n++] = json_is_false(up);
	return 0;
}

static int
compare(const void *va, const void *vb, void *arg)
{
	const struct quota *a = va, *b = vb;
	const struct sort *s = arg;
	int d;

	for (size_t i = 0; i < s->n; i++) {
		d = s->by_used[i] ? (a->used > b->used) - (a->used < b->used) :
		    strcmp(a->name, b->name);
		if (d != 0)
			return s->down[i] ? -d : d;
	}
	return (a->id > b->id) - (a->id < b->id);
}

/* ---- the query --------------------------------------------------------- */

static int
run(struct query *q)
{
	json_t *filter = jmap_arg(q->c, "filter"), *v;
	struct quota all[QUOTA_N];
	size_t i;
	int rc = 1;

	json_array_foreach(jmap_arg(q->c, "sort"), i, v)
		if ((rc = parse_comparator(q, v)) < 0)
			return rc;
	if ((rc = quota_usage(q->c, &q->usage)) < 0)
		return rc;
	quota_list(&q->usage, all);
	for (i = 0; i < QUOTA_N; i++) {
		rc = filter != NULL ? matches(q, filter, &all[i]) : 1;
		if (rc < 0)
			return rc;
		if (rc == 1 && all[i].limit != 0 && quota_shown(q->c))
			q->v[q->n++] = all[i];
	}
	qsort_r(q->v, q->n, sizeof(*q->v), compare, &q->sort);
	return 0;
}

static uint64_t
id_of(const void *items, size_t i)
{
	return ((const struct quota *)items)[i].id;
}

int
quota_query(struct jmap_call *c)
{
	struct query q = { .c = c };
	struct query_window w;
	int rc;

	window_parse(c, &quota_type, &w);
	if ((rc = run(&q)) < 0 ||
	    (rc = window_put(c, &w, true, q.v, q.n, id_of)) < 0)
		return rc;
	quota_put_state(c, "queryState", &q.usage);
	return 0;
}

int
quota_query_changes(struct jmap_call *c)
{
	struct query q = { .c = c };
	struct quota old[QUOTA_N], new[QUOTA_N];
	struct query_changes d;
	struct store_usage u;
	json_t *since = json_object_get(c->args, "sinceQueryState");
	bool changed[QUOTA_N];
	int rc;

	if ((rc = run(&q)) < 0)
		return rc;
	if (quota_state_parse(js_slice(since), &u) < 0)
		return JMAP_E_CHANGES;
	quota_list(&u, old);
	quota_list(&q.usage, new);
	query_changes_begin(&d, c, &quota_type);
	for (size_t i = 0; i < QUOTA_N; i++) {
		changed[i] = old[i].used != new[i].used ||
		    old[i].limit != new[i].limit;
		if (changed[i] && old[i].limit != 0 && quota_shown(c))
			query_changes_remove(&d, old[i].id);
	}
	for (size_t i = 0; i < q.n; i++)
		if (changed[q.v[i].id - 1])
			query_changes_add(&d, q.v[i].id, i);
	if ((rc = query_changes_end(&d, q.n)) < 0)
		return rc;
	quota_put_state(c, "newQueryState", &q.usage);
	return 0;
}
