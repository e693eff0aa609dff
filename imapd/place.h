/* imapd/place.h - where a mailbox name leads, and what may be done there */
#ifndef IMAPD_PLACE_H
#define IMAPD_PLACE_H

#include <stdbool.h>

#include "libbase/slice.h"
#include "libstore/store.h"

struct imap_cmd;
struct imap_session;

struct imap_place {
	struct store *st;	/* the session's; of whose account it is */
	struct slice path;	/* the name in that account */
	bool own;		/* that account is the user's */
	struct store_mailbox mb;
	unsigned rights;	/* STORE_RIGHT_*, those that the user has */
};

/* The account that a name is in, in its newest state: st, path and own.
 * enum store_rc. */
int imap_account(struct imap_cmd *cmd, struct slice name,
    struct imap_place *p_r);
/*
 * The same, and the mailbox.  DENIED: the user doesn't have all rights of need
 * on it; NOTFOUND also where he may not know that it is there.
 */
int imap_mailbox(struct imap_cmd *cmd, struct slice name, unsigned need,
    struct imap_place *p_r);
/* The store of the selected mailbox; without one, of the user's account. */
struct store *imap_store(const struct imap_session *s);
/* Does the user have these rights on the selected mailbox? */
bool imap_may(const struct imap_session *s, unsigned need);

#endif
