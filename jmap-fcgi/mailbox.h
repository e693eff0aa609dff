/* jmap-fcgi/mailbox.h - what the Mailbox methods share */
#ifndef JMAP_MAILBOX_H
#define JMAP_MAILBOX_H

#include "jmap-fcgi/type.h"

/* A wanted change of a Mailbox, filled by the property setters. */
struct mailbox_change {
	struct store_mailbox_set set;
	bool is_inbox;		/* of the object that is changed */
	bool wait;		/* parentId is a creation id not known yet */
	bool denied;		/* asks for what the inbox may not have */
};

int mailbox_set_name(struct jmap_call *c, void *change, json_t *v);
int mailbox_set_parent(struct jmap_call *c, void *change, json_t *v);
int mailbox_set_role(struct jmap_call *c, void *change, json_t *v);
int mailbox_set_order(struct jmap_call *c, void *change, json_t *v);
int mailbox_set_subscribed(struct jmap_call *c, void *change, json_t *v);

int mailbox_get(struct jmap_call *c);
int mailbox_changes(struct jmap_call *c);
int mailbox_set(struct jmap_call *c);

#endif
