/* imapd/list.h - the account's mailboxes with their paths */
#ifndef IMAPD_LIST_H
#define IMAPD_LIST_H

#include "imapd/imap.h"

struct entry {
	const struct store_mailbox *mb;
	size_t parent;		/* index, SIZE_MAX at the top */
	struct slice path;	/* UTF-8; the inbox is INBOX */
	bool has_children;
	bool nonexistent;	/* there is no such mailbox, for the user: mb
				 * says no more than if the name is
				 * subscribed */
	const char *owner;	/* another user's; NULL: one's own */
	unsigned rights;
	/* cmd-list.c's */
	bool selected;		/* meets the selection options */
	bool matched;		/* its name matches a pattern */
	bool below;		/* a descendant is selected */
	bool below_unmatched;	/* one is that doesn't match itself */
};

struct listing {		/* parents before children */
	struct entry *e;
	size_t n, cap;
	size_t others;		/* index of the top of all others, if */
	bool has_others;	/* there are any */
};

/* The user's own, of the newest state.  enum store_rc. */
int listing_load(struct imap_cmd *cmd, struct listing *l);
/* Adds those of other users that he may see. */
int listing_others(struct imap_cmd *cmd, struct listing *l);
/* Adds those of one; 1: there are any. */
int listing_owner(struct imap_cmd *cmd, struct listing *l, struct store *st);
/* Marks other users' mailboxes that he subscribed to; add: adds the names that
 * are subscribed and don't exist, and what is above them.  enum store_rc. */
int listing_subscribed(struct imap_cmd *cmd, struct listing *l, bool add);
/* cmd-list.c: the response word ("* LIST") of an entry, with an attribute more
 * (extra, or NULL) and OLDNAME, unless that is the name or p is NULL. */
void list_entry_put(struct imap_cmd *cmd, const char *word,
    const struct entry *e, const char *extra, bool childinfo,
    struct slice oldname);
/* "\\Sent" of a role, or NULL. */
const char *listing_role(enum store_role role);
/* NONE for what isn't known. */
enum store_role listing_role_from(struct slice name);

#endif
