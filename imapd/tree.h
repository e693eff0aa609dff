/* imapd/tree.h - threads of messages as trees (RFC 5256, THREAD) */
#ifndef IMAPD_TREE_H
#define IMAPD_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/buf.h"
#include "libbase/slice.h"

#define TREE_NONE SIZE_MAX

struct tree_msg {		/* in the order of the mailbox */
	int64_t sent, arrived;
	struct slice subject;	/* the base subject's key */
	bool reply;
	struct slice id;	/* n 0: it has none */
	struct slice *refs;	/* as the REFERENCES algorithm wants them */
	uint32_t n_refs;
};

struct tree_node {
	size_t msg;		/* index, or TREE_NONE: a message that isn't here */
	size_t parent, first, last, next, prev;	/* TREE_NONE: there is none */
};

struct tree {
	const struct tree_msg *m;
	size_t n_m;
	struct tree_node *node;	/* [i < n_m]: message i, then others; xmalloc */
	size_t n, cap;
	size_t root;		/* its children are the threads */
	int64_t *latest;	/* tree.c's, while it sorts */
};

enum tree_kind { TREE_ORDEREDSUBJECT, TREE_REFERENCES, TREE_REFS };

/* Threads n messages; no recursion, however deep they are. */
void tree_make(struct tree *t, enum tree_kind kind, const struct tree_msg *m,
    size_t n);
void tree_free(struct tree *t);

/* "(3 6 (4 23)(44 7 96))" with the numbers no[] of the messages. */
void tree_print(const struct tree *t, const uint32_t *no, struct buf *out);

/* ---- tree-node.c ------------------------------------------------------- */

void tree_init(struct tree *t, const struct tree_msg *m, size_t n);
size_t tree_add(struct tree *t, size_t msg);
void tree_link(struct tree *t, size_t parent, size_t child);
void tree_unlink(struct tree *t, size_t child);
/* Is a below b, or b itself?  Looks up a bounded way; too far counts as yes. */
bool tree_is_below(const struct tree *t, size_t a, size_t b);
/* Parents before children, all below the root; xmalloc, *n_r of them. */
size_t *tree_preorder(const struct tree *t, size_t *n_r);
/* Puts the children of a node in order; key is that of a node. */
void tree_sort(struct tree *t, size_t parent,
    int64_t (*key)(const struct tree *t, size_t node));
/* Sent date of a message, of a missing one that of its first child. */
int64_t tree_sent(const struct tree *t, size_t node);

#endif
