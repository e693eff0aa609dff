/* jmap-fcgi/mailbox-query.c - Mailbox/query and /queryChanges (RFC 8621 2.3,
 * 2.4) */
#include "config.h"

#include <stdlib.h>

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/mailbox.h"

const struct jmap_arg mailbox_query_args[] = {
	{ "sortAsTree", ARG_BOOL, 0 },
	{ "filterAsTree", ARG_BOOL, 0 },
	{ NULL, 0, 0 }
};

/* ---- the mailboxes ----------------------------------------------------- */

static int
by_id(const void *va, const void *vb)
{
	const struct mailbox_node *const *a = va, *const *b = vb;

	return (*a)->mb->id < (*b)->mb->id ? -1 : (*a)->mb->id > (*b)->mb->id;
}

/* The node with that id among n that are ordered by it, or NULL. */
static struct mailbox_node *
find(struct mailbox_node **v, size_t n, uint64_t id)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v[mid]->mb->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && v[lo]->mb->id == id ? v[lo] : NULL;
}

/* All mailboxes, parents before children, each with its parent. */
static int
load(struct mailbox_query *q)
{
	struct store_mailbox *mb;
	size_t n;
	int rc;

	if ((rc = store_mailbox_list(q->c->st, q->c->arena, &mb, &n)) < 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		if (mailbox_view(q->c, &mb[i]) == 0)
			mb[q->n++] = mb[i];
	q->node = arena_calloc(q->c->arena, q->n, sizeof(*q->node));
	q->by_id = arena_calloc(q->c->arena, q->n, sizeof(*q->by_id));
	for (size_t i = 0; i < q->n; i++) {
		q->node[i].mb = &mb[i];
		q->by_id[i] = &q->node[i];
		if (utf8_fold(mb[i].name, q->c->arena, &q->node[i].fold) < 0)
			q->node[i].fold = mb[i].name;
	}
	if (q->n > 0)
		qsort(q->by_id, q->n, sizeof(*q->by_id), by_id);
	for (size_t i = 0; i < q->n; i++)
		q->node[i].parent = find(q->by_id, q->n, mb[i].parent);
	return 0;
}

/* Puts the children of each behind it: a walk through the tree of what is in
 * order already. */
static void
order_as_tree(struct mailbox_query *q, struct mailbox_node **v)
{
	struct mailbox_node top, *at;
	size_t n = 0;

	memset(&top, 0, sizeof(top));
	for (size_t i = q->n; i-- > 0;) {
		struct mailbox_node *p = v[i]->parent ? v[i]->parent : &top;

		v[i]->next = p->child;
		p->child = v[i];
	}
	for (at = top.child; at != NULL;) {
		v[n++] = at;
		if (at->child != NULL) {
			at = at->child;
			continue;
		}
		while (at != NULL && at->next == NULL)
			at = at->parent;
		if (at != NULL)
			at = at->next;
	}
}

/* The results in order: q->result, q->n_result. */
static int
run(struct mailbox_query *q)
{
	struct mailbox_node **v;
	int rc;

	if ((rc = mailbox_filter_parse(q, jmap_arg(q->c, "filter"))) < 0 ||
	    (rc = mailbox_sort_parse(q, jmap_arg(q->c, "sort"))) < 0)
		return rc;
	if ((rc = load(q)) < 0)
		return jmap_store_failed(q->c->req, q->c->method->name, rc);
	v = arena_calloc(q->c->arena, q->n, sizeof(*v));
	for (size_t i = 0; i < q->n; i++) {
		struct mailbox_node *k = v[i] = &q->node[i];

		k->in = mailbox_filter_match(q, k) &&
		    (!q->filter_tree || k->parent == NULL || k->parent->in);
	}
	mailbox_sort(q, v);
	if (q->sort_tree)
		order_as_tree(q, v);
	q->result = v;
	for (size_t i = 0; i < q->n; i++)
		if (v[i]->in)
			q->result[q->n_result++] = v[i];
	return 0;
}

static void
query_init(struct mailbox_query *q, struct jmap_call *c)
{
	memset(q, 0, sizeof(*q));
	q->c = c;
	q->sort_tree = jmap_arg_bool(c, "sortAsTree");
	q->filter_tree = jmap_arg_bool(c, "filterAsTree");
}

static uint64_t
result_id(const void *items, size_t i)
{
	struct mailbox_node *const *v = items;

	return v[i]->mb->id;
}

int
mailbox_query(struct jmap_call *c)
{
	struct mailbox_query q;
	struct query_window w;
	int rc;

	query_init(&q, c);
	window_parse(c, &mailbox_type, &w);
	if ((rc = run(&q)) < 0)
		return rc;
	return window_put(c, &w, account_is_own(c->acct), q.result, q.n_result, result_id);
}

/* ---- changes ----------------------------------------------------------- */

/* What changed but for counts, by which there is no filter and no order. */
static size_t
without_counts(struct store_change *ch, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (ch[i].kind != STORE_UPDATED || !ch[i].counts_only)
			ch[k++] = ch[i];
	return k;
}

static void
mark_changed(struct mailbox_query *q, const struct store_change *ch, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct mailbox_node *k = find(q->by_id, q->n, ch[i].id);

		if (k == NULL)
			continue;
		k->moved = true;
		k->created = ch[i].kind == STORE_CREATED;
	}
	/* In a tree, what is below comes along. */
	for (size_t i = 0; i < q->n && (q->sort_tree || q->filter_tree); i++)
		if (q->node[i].parent != NULL && q->node[i].parent->moved)
			q->node[i].moved = true;
}

static int
put_changes(struct mailbox_query *q, const struct store_change *ch, size_t n)
{
	struct query_changes d;

	query_changes_begin(&d, q->c, &mailbox_type);
	for (size_t i = 0; i < n; i++)
		if (ch[i].kind == STORE_DESTROYED)
			query_changes_remove(&d, ch[i].id);
	for (size_t i = 0; i < q->n; i++)
		if (q->node[i].moved && !q->node[i].created)
			query_changes_remove(&d, q->node[i].mb->id);
	for (size_t i = 0; i < q->n_result; i++)
		if (q->result[i]->moved)
			query_changes_add(&d, q->result[i]->mb->id, i);
	return query_changes_end(&d, q->n_result);
}

int
mailbox_query_changes(struct jmap_call *c)
{
	struct mailbox_query q;
	struct store_change *ch;
	size_t n;
	int rc;

	query_init(&q, c);
	if ((rc = query_changes_since(c, STORE_T_MAILBOX, &ch, &n)) < 0 ||
	    (rc = run(&q)) < 0)
		return rc;
	n = without_counts(ch, n);
	mark_changed(&q, ch, n);
	return put_changes(&q, ch, n);
}
