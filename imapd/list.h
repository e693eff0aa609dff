/* imapd/list.h - the account's mailboxes with their paths */
#ifndef IMAPD_LIST_H
#define IMAPD_LIST_H

#include "imapd/imap.h"

struct entry {
	const struct store_mailbox *mb;
	size_t parent;		/* index, SIZE_MAX at the top */
	struct slice path;	/* UTF-8; the inbox is INBOX */
	bool has_children;
	/* cmd-list.c's */
	bool selected;		/* meets the selection options */
	bool matched;		/* its name matches a pattern */
	bool below;		/* a descendant is selected */
	bool below_unmatched;	/* one is that doesn't match itself */
};

struct listing {		/* parents before children */
	struct entry *e;
	size_t n;
	struct store *st;
};

/* Of the newest state.  enum store_rc. */
int listing_load(struct imap_cmd *cmd, struct listing *l);
/* "\\Sent" of a role, or NULL. */
const char *listing_role(enum store_role role);
/* NONE for what isn't known. */
enum store_role listing_role_from(struct slice name);

#endif
