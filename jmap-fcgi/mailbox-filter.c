/* jmap-fcgi/mailbox-filter.c - conditions and order of Mailbox/query (RFC 8621
 * 2.3) */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/mailbox.h"
#include "libbase/collation.h"

enum { FILTER_NODES_MAX = 1000, SORTS_MAX = 16 };

enum condition { ON_PARENT, ON_NAME, ON_ROLE, ON_ANY_ROLE, ON_SUBSCRIBED };

static const char *const conditions[] = {
	"parentId", "name", "role", "hasAnyRole", "isSubscribed", NULL
};

struct mailbox_filter {
	bool is_operator, yes;
	enum filter_op op;
	enum condition on;
	struct mailbox_filter *child, *next;
	uint64_t id;
	struct slice name;		/* folded */
	enum store_role role;
	bool nothing;			/* an id or role that nobody has */
};

/* ---- the filter -------------------------------------------------------- */

static int
bad_condition(struct mailbox_query *q, const char *key, const char *want)
{
	return jmap_bad(q->c, "filter: %.100s must be %s", key, want);
}

static int
parse_condition(struct mailbox_query *q, const char *key, json_t *v,
    struct mailbox_filter *f)
{
	int i = 0;

	while (conditions[i] != NULL && strcmp(conditions[i], key) != 0)
		i++;
	if (conditions[i] == NULL)
		return jmap_bad(q->c, "filter: %.100s is not a condition", key);
	f->on = (enum condition)i;
	f->yes = json_is_true(v);
	switch (f->on) {
	case ON_PARENT:
		if (!json_is_string(v) && !json_is_null(v))
			return bad_condition(q, key, "an id or null");
		if (json_is_string(v))
			f->nothing = id_resolve(q->c->req, 'M', js_slice(v),
			    &f->id) < 0;
		return 0;
	case ON_NAME:
		if (!json_is_string(v) || utf8_fold(js_slice(v), q->c->arena,
		    &f->name) < 0)
			return bad_condition(q, key, "a string");
		return 0;
	case ON_ROLE:
		if (!json_is_string(v) && !json_is_null(v))
			return bad_condition(q, key, "a role or null");
		if (json_is_string(v))
			f->nothing = store_role_from(js_slice(v),
			    &f->role) < 0;
		return 0;
	case ON_ANY_ROLE:
	case ON_SUBSCRIBED:
		if (!json_is_boolean(v))
			return bad_condition(q, key, "true or false");
		return 0;
	}
	return 0;
}

static struct mailbox_filter *
node_new(struct mailbox_query *q)
{
	q->n_nodes++;
	return arena_alloc(q->c->arena, sizeof(struct mailbox_filter));
}

/* Nesting is bounded: the request's JSON is. */
static int
parse(struct mailbox_query *q, json_t *v, struct mailbox_filter **f_r)
{
	struct mailbox_filter *f = *f_r = node_new(q), **at = &f->child;
	json_t *list, *item;
	const char *key;
	size_t i;
	int rc;

	if (q->n_nodes > FILTER_NODES_MAX) {
		q->c->desc = "too many conditions";
		return JMAP_E_FILTER;
	}
	f->is_operator = true;
	f->op = FILTER_AND;
	if (!json_is_object(v))
		return jmap_bad(q->c, "filter: a condition must be an object");
	if (json_object_get(v, "operator") != NULL) {
		if (filter_operator(v, &f->op, &list) < 0)
			return jmap_bad(q->c, "filter: not a FilterOperator");
		json_array_foreach(list, i, item) {
			if ((rc = parse(q, item, at)) < 0)
				return rc;
			at = &(*at)->next;
		}
		return 0;
	}
	json_object_foreach(v, key, item) {
		*at = node_new(q);
		if ((rc = parse_condition(q, key, item, *at)) < 0)
			return rc;
		at = &(*at)->next;
	}
	return 0;
}

int
mailbox_filter_parse(struct mailbox_query *q, json_t *v)
{
	return v == NULL ? 0 : parse(q, v, &q->filter);
}

static bool
matches(const struct mailbox_filter *f, const struct mailbox_node *k)
{
	const struct store_mailbox *m = k->mb;

	if (f->is_operator) {
		for (const struct mailbox_filter *c = f->child; c != NULL;
		    c = c->next)
			if (matches(c, k) != (f->op == FILTER_AND))
				return f->op == FILTER_OR;
		return f->op != FILTER_OR;
	}
	switch (f->on) {
	case ON_PARENT:
		return !f->nothing && m->parent == f->id;
	case ON_NAME:
		return f->name.n == 0 || memmem(k->fold.p, k->fold.n, f->name.p,
		    f->name.n) != NULL;
	case ON_ROLE:
		return !f->nothing && m->role == f->role;
	case ON_ANY_ROLE:
		return f->yes == (m->role != STORE_ROLE_NONE);
	case ON_SUBSCRIBED:
		return f->yes == m->subscribed;
	}
	return false;
}

bool
mailbox_filter_match(const struct mailbox_query *q,
    const struct mailbox_node *k)
{
	return q->filter == NULL || matches(q->filter, k);
}

/* ---- the order --------------------------------------------------------- */

static const char *const properties[] = { "sortOrder", "name", NULL };

struct mailbox_sort {
	size_t n;
	struct mailbox_comparator {
		bool by_name, descending;
		enum collation coll;
		struct slice *key;	/* of each node's name */
	} by[SORTS_MAX];
};

static int
index_of(const char *const *list, struct slice s)
{
	for (int i = 0; list[i] != NULL; i++)
		if (slice_eq(s, slice_str(list[i])))
			return i;
	return -1;
}

static int
parse_comparator(struct mailbox_query *q, json_t *v,
    struct mailbox_comparator *by)
{
	json_t *name = json_object_get(v, "property");
	json_t *asc = json_object_get(v, "isAscending");
	json_t *coll = json_object_get(v, "collation");
	int i = 0, k = 0;

	if (!json_is_string(name) ||
	    (asc != NULL && !json_is_boolean(asc)) ||
	    (coll != NULL && !json_is_string(coll)))
		return jmap_bad(q->c, "sort: not a Comparator");
	if ((i = index_of(properties, js_slice(name))) < 0 ||
	    (coll != NULL && (k = collation_find(js_slice(coll))) < 0)) {
		q->c->desc = "no such property or collation";
		return JMAP_E_SORT;
	}
	by->by_name = i == 1;
	by->descending = json_is_false(asc);
	by->coll = (enum collation)k;
	return 0;
}

int
mailbox_sort_parse(struct mailbox_query *q, json_t *v)
{
	struct mailbox_sort *s = arena_alloc(q->c->arena, sizeof(*s));
	json_t *item;
	size_t i;
	int rc;

	q->sort = s;
	json_array_foreach(v, i, item) {
		if (s->n == SORTS_MAX) {
			q->c->desc = "too many comparators";
			return JMAP_E_SORT;
		}
		if ((rc = parse_comparator(q, item, &s->by[s->n++])) < 0)
			return rc;
	}
	return 0;
}

static int
compare(const void *va, const void *vb, void *arg)
{
	const struct mailbox_node *a = *(struct mailbox_node *const *)va;
	const struct mailbox_node *b = *(struct mailbox_node *const *)vb;
	const struct mailbox_query *q = arg;
	const struct mailbox_sort *s = q->sort;

	for (size_t i = 0; i < s->n; i++) {
		const struct mailbox_comparator *by = &s->by[i];
		uint32_t x = a->mb->sort_order, y = b->mb->sort_order;
		int d = by->by_name ?
		    slice_cmp(by->key[a - q->node], by->key[b - q->node]) :
		    x < y ? -1 : x > y;

		if (d != 0)
			return by->descending ? -d : d;
	}
	return a->mb->id < b->mb->id ? -1 : a->mb->id > b->mb->id;
}

void
mailbox_sort(struct mailbox_query *q, struct mailbox_node **v)
{
	struct arena *a = q->c->arena;

	for (size_t i = 0; i < q->sort->n; i++) {
		struct mailbox_comparator *by = &q->sort->by[i];

		if (!by->by_name || by->key != NULL)
			continue;
		by->key = arena_calloc(a, q->n + 1, sizeof(*by->key));
		for (size_t k = 0; k < q->n; k++)
			by->key[k] = collation_key(by->coll,
			    q->node[k].mb->name, a);
	}
	if (q->n > 0)
		qsort_r(v, q->n, sizeof(*v), compare, q);
}
