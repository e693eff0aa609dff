/* imapd/tree-node.c - trees of messages: nodes, links, order */
#include "config.h"

#include <stdlib.h>

#include "imapd/tree.h"
#include "libbase/xalloc.h"

enum { DEPTH_MAX = 10000 };

void
tree_init(struct tree *t, const struct tree_msg *m, size_t n)
{
	*t = (struct tree){ .m = m, .n_m = n };
	for (size_t i = 0; i < n; i++)
		tree_add(t, i);
	t->root = tree_add(t, TREE_NONE);
}

void
tree_free(struct tree *t)
{
	xfree(t->node);
	*t = (struct tree){ 0 };
}

size_t
tree_add(struct tree *t, size_t msg)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->node = xreallocarray(t->node, t->cap, sizeof(*t->node));
	}
	t->node[t->n] = (struct tree_node){
		msg, TREE_NONE, TREE_NONE, TREE_NONE, TREE_NONE, TREE_NONE
	};
	return t->n++;
}

void
tree_link(struct tree *t, size_t parent, size_t child)
{
	struct tree_node *p = &t->node[parent], *c = &t->node[child];

	c->parent = parent;
	c->next = TREE_NONE;
	c->prev = p->last;
	if (p->last == TREE_NONE)
		p->first = child;
	else
		t->node[p->last].next = child;
	p->last = child;
}

void
tree_unlink(struct tree *t, size_t child)
{
	struct tree_node *c = &t->node[child], *p;

	if (c->parent == TREE_NONE)
		return;
	p = &t->node[c->parent];
	if (c->prev == TREE_NONE)
		p->first = c->next;
	else
		t->node[c->prev].next = c->next;
	if (c->next == TREE_NONE)
		p->last = c->prev;
	else
		t->node[c->next].prev = c->prev;
	c->parent = c->next = c->prev = TREE_NONE;
}

bool
tree_is_below(const struct tree *t, size_t a, size_t b)
{
	if (t->node[b].first == TREE_NONE)
		return a == b;
	for (int i = 0; i < DEPTH_MAX; i++) {
		if (a == b)
			return true;
		if ((a = t->node[a].parent) == TREE_NONE)
			return false;
	}
	return true;
}

size_t *
tree_preorder(const struct tree *t, size_t *n_r)
{
	size_t *order = xcalloc(t->n + 1, sizeof(*order)), n = 0;
	size_t at = t->node[t->root].first;

	while (at != TREE_NONE) {
		order[n++] = at;
		if (t->node[at].first != TREE_NONE) {
			at = t->node[at].first;
			continue;
		}
		while (at != t->root && t->node[at].next == TREE_NONE)
			at = t->node[at].parent;
		at = at == t->root ? TREE_NONE : t->node[at].next;
	}
	*n_r = n;
	return order;
}

int64_t
tree_sent(const struct tree *t, size_t node)
{
	/* Only at the top is one missing, and then it has children. */
	while (t->node[node].msg == TREE_NONE &&
	    t->node[node].first != TREE_NONE)
		node = t->node[node].first;
	return t->node[node].msg == TREE_NONE ? 0 :
	    t->m[t->node[node].msg].sent;
}

struct sibling {
	int64_t key;
	size_t msg, node;
};

static int
compare(const void *a, const void *b)
{
	const struct sibling *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->msg > y->msg) - (x->msg < y->msg);
}

/* The message that stands for a node where dates are equal. */
static size_t
first_msg(const struct tree *t, size_t node)
{
	while (t->node[node].msg == TREE_NONE &&
	    t->node[node].first != TREE_NONE)
		node = t->node[node].first;
	return t->node[node].msg;
}

void
tree_sort(struct tree *t, size_t parent,
    int64_t (*key)(const struct tree *t, size_t node))
{
	struct sibling *s;
	size_t n = 0, i = 0;

	for (size_t c = t->node[parent].first; c != TREE_NONE;
	    c = t->node[c].next)
		n++;
	if (n < 2)
		return;
	s = xcalloc(n, sizeof(*s));
	for (size_t c = t->node[parent].first; c != TREE_NONE;
	    c = t->node[c].next)
		s[i++] = (struct sibling){ key(t, c), first_msg(t, c), c };
	qsort(s, n, sizeof(*s), compare);
	t->node[parent].first = t->node[parent].last = TREE_NONE;
	for (i = 0; i < n; i++)
		tree_link(t, parent, s[i].node);
	xfree(s);
}
