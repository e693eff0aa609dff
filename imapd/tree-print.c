/* imapd/tree-print.c - threads in a THREAD response (RFC 5256 thread-list) */
#include "config.h"

#include "imapd/tree.h"
#include "libbase/xalloc.h"

/* Without recursion: a node that has siblings is in parentheses of its own. */
void
tree_print(const struct tree *t, const uint32_t *no, struct buf *out)
{
	size_t n, *order = tree_preorder(t, &n);

	for (size_t i = 0; i < n; i++) {
		const struct tree_node *node = &t->node[order[i]];
		bool alone = node->parent != t->root &&
		    node->prev == TREE_NONE && node->next == TREE_NONE;

		if (alone)
			buf_addc(out, ' ');
		else {
			/* A space between a message and its children. */
			if (node->prev == TREE_NONE && node->parent != t->root &&
			    t->node[node->parent].msg != TREE_NONE)
				buf_addc(out, ' ');
			buf_addc(out, '(');
		}
		if (node->msg != TREE_NONE)
			buf_add_u64(out, no[node->msg]);
		if (node->first != TREE_NONE)
			continue;
		for (size_t at = order[i]; at != t->root;
		    at = t->node[at].parent) {
			const struct tree_node *x = &t->node[at];

			if (x->parent == t->root || x->prev != TREE_NONE ||
			    x->next != TREE_NONE)
				buf_addc(out, ')');
			if (x->next != TREE_NONE)
				break;
		}
	}
	xfree(order);
}
