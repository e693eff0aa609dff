/* jmap-fcgi/mailbox.h - what the Mailbox methods share */
#ifndef JMAP_MAILBOX_H
#define JMAP_MAILBOX_H

#include "jmap-fcgi/type.h"
#include "libbase/text.h"

/* A wanted change of a Mailbox, filled by the property setters. */
struct mailbox_change {
	struct store_mailbox_set set;
	bool is_inbox;		/* of the object that is changed */
	bool wait;		/* parentId is a creation id not known yet */
	bool denied;		/* asks for what the inbox may not have */
};

/* IMAP has the mailboxes of other accounts below that. */
#define MAILBOX_OTHERS "Other Users"

/* What the user may know of it; NOTFOUND: nothing. */
int mailbox_view(struct jmap_call *c, struct store_mailbox *m);

int mailbox_set_name(struct jmap_call *c, void *change, json_t *v);
int mailbox_set_parent(struct jmap_call *c, void *change, json_t *v);
int mailbox_set_role(struct jmap_call *c, void *change, json_t *v);
int mailbox_set_order(struct jmap_call *c, void *change, json_t *v);
int mailbox_set_subscribed(struct jmap_call *c, void *change, json_t *v);

/* ---- query (mailbox-query.c, mailbox-filter.c) ------------------------- */

/* A mailbox that may be a result. */
struct mailbox_node {
	const struct store_mailbox *mb;
	struct slice fold;		/* its name, folded */
	struct mailbox_node *parent, *child, *next;
	bool in;			/* it is one */
	bool moved, created;		/* since the state that is asked about */
};
struct mailbox_filter;
struct mailbox_sort;
struct mailbox_query {
	struct jmap_call *c;
	bool sort_tree, filter_tree;
	struct mailbox_filter *filter;
	size_t n_nodes;			/* of the filter */
	struct mailbox_sort *sort;
	struct mailbox_node *node, **by_id;	/* all */
	size_t n;
	struct mailbox_node **result;
	size_t n_result;
};
/* Compile "filter" and "sort"; JMAP_E_ARGS, _FILTER, _SORT. */
int mailbox_filter_parse(struct mailbox_query *q, json_t *v);
int mailbox_sort_parse(struct mailbox_query *q, json_t *v);
bool mailbox_filter_match(const struct mailbox_query *q,
    const struct mailbox_node *k);
/* Orders all q->n nodes of v; those that are equal by id. */
void mailbox_sort(struct mailbox_query *q, struct mailbox_node **v);

extern const struct jmap_arg mailbox_query_args[];
int mailbox_get(struct jmap_call *c);
int mailbox_changes(struct jmap_call *c);
int mailbox_query(struct jmap_call *c);
int mailbox_query_changes(struct jmap_call *c);
int mailbox_set(struct jmap_call *c);

#endif
