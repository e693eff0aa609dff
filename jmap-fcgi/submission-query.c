/* jmap-fcgi/submission-query.c - EmailSubmission/query and /queryChanges (RFC
 * 8621 7.3, 7.4) */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/submission.h"
#include "libbase/text.h"

enum { SORT_MAX = 10 };

struct ids {			/* in order; v NULL: any */
	uint64_t *v;
	size_t n;
};

/* An operator with its conditions, or one condition. */
struct filter {
	bool is_operator;
	enum filter_op op;
	struct filter *child, *next;
	struct ids identity, email, thread;
	bool has_undo, has_before, has_after;
	int undo;		/* -1: one that there isn't */
	int64_t before, after;
};

enum sort_on { BY_EMAIL, BY_THREAD, BY_TIME };
struct sort {
	enum sort_on on[SORT_MAX];
	bool down[SORT_MAX];
	size_t n;
};

struct query {
	struct jmap_call *c;
	struct filter *filter;	/* NULL: all */
	struct sort sort;
	struct store_submission *v;
	size_t n;
};

/* ---- the filter -------------------------------------------------------- */

static int
by_number(const void *va, const void *vb)
{
	uint64_t a = *(const uint64_t *)va, b = *(const uint64_t *)vb;

	return a < b ? -1 : a > b;
}

static int
parse_ids(struct query *q, const char *key, char prefix, json_t *v,
    struct ids *l)
{
	json_t *item;
	size_t i;

	if (!json_is_array(v))
		return jmap_bad(q->c, "filter: %s must be an array", key);
	l->v = arena_calloc(q->c->arena, json_array_size(v), sizeof(*l->v));
	json_array_foreach(v, i, item) {
		if (!json_is_string(item))
			return jmap_bad(q->c, "filter: %s must be ids", key);
		/* What is no id of ours is nothing's. */
		if (id_resolve(q->c->req, prefix, js_slice(item),
		    &l->v[l->n]) == 0)
			l->n++;
	}
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), by_number);
	return 0;
}

static int
parse_undo(struct query *q, json_t *v, struct filter *f)
{
	if (!json_is_string(v))
		return jmap_bad(q->c, "filter: undoStatus must be a string");
	f->has_undo = true;
	f->undo = -1;
	for (int u = STORE_UNDO_PENDING; u <= STORE_UNDO_CANCELED; u++)
		if (slice_eq(js_slice(v), slice_str(submission_undo_name(
		    (enum store_undo)u))))
			f->undo = u;
	return 0;
}

static int
parse_time(struct query *q, const char *key, json_t *v, int64_t *t)
{
	struct slice s = js_slice(v);

	return s.p != NULL && time_rfc3339_parse(s, t, NULL) == 0 ? 0 :
	    jmap_bad(q->c, "filter: %s must be a UTCDate", key);
}

static int
parse_condition(struct query *q, json_t *v, struct filter *f)
{
	const char *key;
	json_t *x;
	int rc = 0;

	json_object_foreach(v, key, x) {
		if (strcmp(key, "identityIds") == 0) {
			rc = parse_ids(q, key, 'I', x, &f->identity);
		} else if (strcmp(key, "emailIds") == 0) {
			rc = parse_ids(q, key, 'E', x, &f->email);
		} else if (strcmp(key, "threadIds") == 0) {
			rc = parse_ids(q, key, 'T', x, &f->thread);
		} else if (strcmp(key, "undoStatus") == 0) {
			rc = parse_undo(q, x, f);
		} else if (strcmp(key, "before") == 0) {
			f->has_before = true;
			rc = parse_time(q, key, x, &f->before);
		} else if (strcmp(key, "after") == 0) {
			f->has_after = true;
			rc = parse_time(q, key, x, &f->after);
		} else {
			q->c->desc = "no such condition";
			rc = JMAP_E_FILTER;
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* As deep as a request may be. */
static int
parse_filter(struct query *q, json_t *v, struct filter **f_r)
{
	struct filter *f = arena_alloc(q->c->arena, sizeof(*f)), **at;
	json_t *list, *item;
	size_t i;
	int rc;

	*f_r = f;
	if (!json_is_object(v))
		return jmap_bad(q->c, "filter: a condition must be an object");
	if (json_object_get(v, "operator") == NULL)
		return parse_condition(q, v, f);
	f->is_operator = true;
	if (filter_operator(v, &f->op, &list) < 0)
		return jmap_bad(q->c, "filter: not a FilterOperator");
	at = &f->child;
	json_array_foreach(list, i, item) {
		if ((rc = parse_filter(q, item, at)) < 0)
			return rc;
		at = &(*at)->next;
	}
	return 0;
}

static bool
in(const struct ids *l, uint64_t id)
{
	return l->v == NULL || (l->n > 0 &&
	    bsearch(&id, l->v, l->n, sizeof(*l->v), by_number) != NULL);
}

static bool
matches(const struct filter *f, const struct store_submission *v)
{
	if (!f->is_operator)
		return in(&f->identity, v->identity) &&
		    in(&f->email, v->email) && in(&f->thread, v->thread) &&
		    (!f->has_undo || f->undo == (int)v->undo) &&
		    (!f->has_before || v->send_at < f->before) &&
		    (!f->has_after || v->send_at >= f->after);
	for (const struct filter *c = f->child; c != NULL; c = c->next)
		if (matches(c, v) != (f->op == FILTER_AND))
			return f->op == FILTER_OR;
	return f->op != FILTER_OR;
}

/* ---- the order --------------------------------------------------------- */

static int
parse_comparator(struct query *q, json_t *v)
{
	static const struct {
		const char *name;
		enum sort_on on;
	} names[] = {	/* RFC 8621 7.3 says "sentAt"; the property is sendAt */
		{ "emailId", BY_EMAIL }, { "threadId", BY_THREAD },
		{ "sentAt", BY_TIME }, { "sendAt", BY_TIME }
	};
	json_t *up = json_object_get(v, "isAscending");
	struct slice name = js_slice(json_object_get(v, "property"));
	size_t i = 0;

	if (name.p == NULL || (up != NULL && !json_is_boolean(up)))
		return jmap_bad(q->c, "sort: not a Comparator");
	while (i < 4 && !slice_eq(name, slice_str(names[i].name)))
		i++;
	if (i == 4 || q->sort.n == SORT_MAX ||
	    json_object_get(v, "collation") != NULL)
		return JMAP_E_SORT;
	q->sort.on[q->sort.n] = names[i].on;
	q->sort.down[q->sort.n++] = json_is_false(up);
	return 0;
}

static int
parse_sort(struct query *q, json_t *list)
{
	json_t *v;
	size_t i;
	int rc;

	json_array_foreach(list, i, v)
		if ((rc = parse_comparator(q, v)) < 0)
			return rc;
	return 0;
}

static int
compare(const void *va, const void *vb, void *arg)
{
	const struct store_submission *a = va, *b = vb;
	const struct sort *s = arg;

	for (size_t i = 0; i < s->n; i++) {
		int d;

		if (s->on[i] == BY_TIME)
			d = (a->send_at > b->send_at) -
			    (a->send_at < b->send_at);
		else if (s->on[i] == BY_EMAIL)
			d = (a->email > b->email) - (a->email < b->email);
		else
			d = (a->thread > b->thread) -
			    (a->thread < b->thread);
		if (d != 0)
			return s->down[i] ? -d : d;
	}
	return (a->id > b->id) - (a->id < b->id);
}

/* ---- the query --------------------------------------------------------- */

static int
run(struct query *q)
{
	json_t *filter = jmap_arg(q->c, "filter");
	size_t n = 0;
	int rc;

	if (filter != NULL && (rc = parse_filter(q, filter, &q->filter)) < 0)
		return rc;
	if ((rc = parse_sort(q, jmap_arg(q->c, "sort"))) < 0)
		return rc;
	rc = store_submission_list(q->c->st, q->c->arena, &q->v, &q->n);
	if (rc < 0)
		return jmap_store_failed(q->c->req, q->c->method->name, rc);
	for (size_t i = 0; i < q->n; i++)
		if (q->filter == NULL || matches(q->filter, &q->v[i]))
			q->v[n++] = q->v[i];
	q->n = n;
	if (n > 1)
		qsort_r(q->v, n, sizeof(*q->v), compare, &q->sort);
	return 0;
}

static uint64_t
id_of(const void *items, size_t i)
{
	return ((const struct store_submission *)items)[i].id;
}

int
submission_query(struct jmap_call *c)
{
	struct query q = { .c = c };
	struct query_window w;
	int rc;

	window_parse(c, &submission_type, &w);
	if ((rc = run(&q)) < 0)
		return rc;
	return window_put(c, &w, true, q.v, q.n, id_of);
}

int
submission_query_changes(struct jmap_call *c)
{
	struct query q = { .c = c };
	struct query_changes d;
	struct store_change *ch;
	size_t n;
	int rc;

	rc = query_changes_since(c, STORE_T_SUBMISSION, &ch, &n);
	if (rc < 0 || (rc = run(&q)) < 0)
		return rc;
	query_changes_begin(&d, c, &submission_type);
	for (size_t i = 0; i < n; i++)
		if (ch[i].kind != STORE_CREATED)
			query_changes_remove(&d, ch[i].id);
	for (size_t i = 0; i < q.n; i++)
		for (size_t k = 0; k < n; k++)
			if (ch[k].id == q.v[i].id) {
				query_changes_add(&d, q.v[i].id, i);
				break;
			}
	return query_changes_end(&d, q.n);
}
