/* imapd/tree.c - the algorithms of THREAD (RFC 5256) */
#include "config.h"

#include <stdlib.h>

#include "imapd/tree.h"
#include "libbase/xalloc.h"

/* ---- a table of texts ---------------------------------------------------- */

struct table {
	struct slot {
		struct slice key;
		size_t node;	/* TREE_NONE: empty */
	} *slot;
	size_t n, mask;
};

static uint64_t
hash(struct slice s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 32;
}

static void
table_init(struct table *tb, size_t n)
{
	*tb = (struct table){ .mask = n - 1 };
	tb->slot = xcalloc(n, sizeof(*tb->slot));
	for (size_t i = 0; i < n; i++)
		tb->slot[i].node = TREE_NONE;
}

static struct slot *
probe(struct table *tb, struct slice key)
{
	size_t i = (size_t)hash(key) & tb->mask;

	while (tb->slot[i].node != TREE_NONE &&
	    !slice_eq(tb->slot[i].key, key))
		i = (i + 1) & tb->mask;
	return &tb->slot[i];
}

/* The slot of a key, perhaps an empty one to fill. */
static struct slot *
table_slot(struct table *tb, struct slice key)
{
	if ((tb->n + 1) * 2 > tb->mask) {
		struct table big;

		table_init(&big, (tb->mask + 1) * 2);
		for (size_t i = 0; i <= tb->mask; i++)
			if (tb->slot[i].node != TREE_NONE)
				*probe(&big, tb->slot[i].key) = tb->slot[i];
		big.n = tb->n;
		xfree(tb->slot);
		*tb = big;
	}
	return probe(tb, key);
}

static void
fill(struct table *tb, struct slot *s, struct slice key, size_t node)
{
	tb->n += s->node == TREE_NONE;
	*s = (struct slot){ key, node };
}

/* ---- steps 1 and 2: who answers whom -------------------------------------- */

static size_t
node_of(struct tree *t, struct table *ids, struct slice id)
{
	struct slot *s = table_slot(ids, id);

	if (s->node == TREE_NONE)
		fill(ids, s, id, tree_add(t, TREE_NONE));
	return s->node;
}

static void
link_refs(struct tree *t, struct table *ids, size_t i)
{
	const struct tree_msg *m = &t->m[i];
	size_t above = TREE_NONE;

	for (uint32_t k = 0; k < m->n_refs; k++) {
		size_t at = node_of(t, ids, m->refs[k]);

		if (above != TREE_NONE && t->node[at].parent == TREE_NONE &&
		    !tree_is_below(t, above, at))
			tree_link(t, above, at);
		above = at;
	}
	/* (B): the last reference is the parent, whatever others said. */
	if (above == TREE_NONE)
		tree_unlink(t, i);
	else if (t->node[i].parent != above) {
		tree_unlink(t, i);
		if (!tree_is_below(t, above, i))
			tree_link(t, above, i);
	}
}

static void
link_all(struct tree *t)
{
	struct table ids;
	size_t n;

	table_init(&ids, 64);
	for (size_t i = 0; i < t->n_m; i++) {
		struct slot *s;

		if (t->m[i].id.n == 0)
			continue;
		s = table_slot(&ids, t->m[i].id);
		if (s->node == TREE_NONE)	/* else it is unique */
			fill(&ids, s, t->m[i].id, i);
	}
	for (size_t i = 0; i < t->n_m; i++)
		link_refs(t, &ids, i);
	xfree(ids.slot);
	n = t->n;
	for (size_t i = 0; i < n; i++)
		if (i != t->root && t->node[i].parent == TREE_NONE)
			tree_link(t, t->root, i);
}

/* ---- step 3: no missing ones below the top --------------------------------- */

static void
prune(struct tree *t)
{
	size_t n, *order = tree_preorder(t, &n);

	for (size_t i = n; i-- > 0;) {
		size_t at = order[i], up = t->node[at].parent, c;

		if (t->node[at].msg != TREE_NONE)
			continue;
		if (t->node[at].first != TREE_NONE && up == t->root &&
		    t->node[at].first != t->node[at].last)
			continue;
		while ((c = t->node[at].first) != TREE_NONE) {
			tree_unlink(t, c);
			tree_link(t, up, c);
		}
		tree_unlink(t, at);
	}
	xfree(order);
}

static void
sort_below(struct tree *t)
{
	size_t n, *order = tree_preorder(t, &n);

	for (size_t i = n; i-- > 0;)
		tree_sort(t, order[i], tree_sent);
	xfree(order);
}

/* ---- step 5: the same subject --------------------------------------------- */

static bool
missing(const struct tree *t, size_t node)
{
	return t->node[node].msg == TREE_NONE;
}

static const struct tree_msg *
speaker(const struct tree *t, size_t node)
{
	while (missing(t, node))
		node = t->node[node].first;
	return &t->m[t->node[node].msg];
}

static bool
is_reply(const struct tree *t, size_t node)
{
	return !missing(t, node) && t->m[t->node[node].msg].reply;
}

static void
adopt_all(struct tree *t, size_t from, size_t to)
{
	size_t c;

	while ((c = t->node[from].first) != TREE_NONE) {
		tree_unlink(t, c);
		tree_link(t, to, c);
	}
	tree_unlink(t, from);
}

static void
move(struct tree *t, size_t node, size_t to)
{
	tree_unlink(t, node);
	tree_link(t, to, node);
}

/* cur and the one in the table have the same subject. */
static void
merge(struct tree *t, struct slot *s, size_t cur)
{
	size_t old = s->node, both;

	if (missing(t, old) && missing(t, cur))
		adopt_all(t, cur, old);
	else if (missing(t, old) || (is_reply(t, cur) && !is_reply(t, old)))
		move(t, cur, old);
	else {
		both = tree_add(t, TREE_NONE);
		tree_link(t, t->root, both);
		move(t, old, both);
		move(t, cur, both);
		s->node = both;
	}
}

static void
gather_subjects(struct tree *t)
{
	struct table subjects;
	size_t n = 0, *top;

	table_init(&subjects, 64);
	for (size_t c = t->node[t->root].first; c != TREE_NONE;
	    c = t->node[c].next)
		n++;
	top = xcalloc(n + 1, sizeof(*top));
	n = 0;
	for (size_t c = t->node[t->root].first; c != TREE_NONE;
	    c = t->node[c].next) {
		struct slice subject = speaker(t, c)->subject;
		struct slot *s;

		top[n++] = c;
		if (subject.n == 0)
			continue;
		s = table_slot(&subjects, subject);
		if (s->node == TREE_NONE || (!missing(t, s->node) &&
		    (missing(t, c) || (is_reply(t, s->node) &&
		    !is_reply(t, c)))))
			fill(&subjects, s, subject, c);
	}
	for (size_t i = 0; i < n; i++) {
		struct slice subject = speaker(t, top[i])->subject;
		struct slot *s;

		if (subject.n == 0)
			continue;
		s = probe(&subjects, subject);
		if (s->node != top[i])
			merge(t, s, top[i]);
	}
	xfree(top);
	xfree(subjects.slot);
}

/* ---- REFS: the latest thread comes last ------------------------------------ */

static int64_t
tree_latest(const struct tree *t, size_t node)
{
	return t->latest[node];
}

static void
sort_latest(struct tree *t)
{
	size_t n, *order = tree_preorder(t, &n);
	int64_t *latest = xcalloc(t->n, sizeof(*latest));

	for (size_t i = 0; i < t->n; i++)
		latest[i] = t->node[i].msg == TREE_NONE ? INT64_MIN :
		    t->m[t->node[i].msg].arrived;
	for (size_t i = n; i-- > 0;) {
		size_t up = t->node[order[i]].parent;

		if (latest[order[i]] > latest[up])
			latest[up] = latest[order[i]];
	}
	t->latest = latest;
	tree_sort(t, t->root, tree_latest);
	t->latest = NULL;
	xfree(latest);
	xfree(order);
}

/* ---- ORDEREDSUBJECT -------------------------------------------------------- */

/* All of a subject below the first one of it. */
static void
ordered_subject(struct tree *t)
{
	struct table subjects;
	size_t n = 0, *order;

	for (size_t i = 0; i < t->n_m; i++)
		tree_link(t, t->root, i);
	tree_sort(t, t->root, tree_sent);
	order = tree_preorder(t, &n);
	table_init(&subjects, 64);
	for (size_t i = 0; i < n; i++) {
		struct slice subject = t->m[t->node[order[i]].msg].subject;
		struct slot *s = table_slot(&subjects, subject);

		if (s->node == TREE_NONE)
			fill(&subjects, s, subject, order[i]);
		else
			move(t, order[i], s->node);
	}
	xfree(order);
	xfree(subjects.slot);
}

void
tree_make(struct tree *t, enum tree_kind kind, const struct tree_msg *m,
    size_t n)
{
	tree_init(t, m, n);
	if (kind == TREE_ORDEREDSUBJECT) {
		ordered_subject(t);
		return;
	}
	link_all(t);
	prune(t);
	sort_below(t);
	if (kind == TREE_REFS) {
		sort_latest(t);
		return;
	}
	tree_sort(t, t->root, tree_sent);
	gather_subjects(t);
	sort_below(t);
	tree_sort(t, t->root, tree_sent);
}
