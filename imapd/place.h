/* imapd/place.h - where a mailbox name leads, and what may be done there */
#ifndef IMAPD_PLACE_H
#define IMAPD_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/slice.h"
#include "libstore/store.h"

struct imap_cmd;
struct imap_session;

/* The mailbox PATH of the account NAME is "Other Users/NAME/PATH". */
#define IMAP_OTHERS "Other Users"

enum { IMAP_STORES_MAX = 16 };

struct imap_stores {		/* of other users, open */
	struct imap_other {
		struct store *st;
		uint64_t used;	/* greater: later */
	} v[IMAP_STORES_MAX];
	size_t n;
	uint64_t tick;
	const struct store *held;	/* not to be closed now */
};

struct imap_place {
	struct store *st;	/* the session's; of whose account it is */
	struct slice path;	/* the name in that account */
	bool own;		/* that account is the user's */
	struct store_mailbox mb;
	unsigned rights;	/* STORE_RIGHT_*, those that the user has */
};

/*
 * The account that a name is in, in its newest state: st, path and own.
 * NOTFOUND: there is none; INVALID: it is a name above other users' mailboxes.
 * The store stays open while the command asks for no more than a few others.
 */
int imap_account(struct imap_cmd *cmd, struct slice name,
    struct imap_place *p_r);
/*
 * The same, and the mailbox.  DENIED: the user doesn't have all rights of need
 * on it; NOTFOUND also where he may not know that it is there.
 */
int imap_mailbox(struct imap_cmd *cmd, struct slice name, unsigned need,
    struct imap_place *p_r);
/* May the user make a mailbox of that name?  As imap_account(). */
int imap_new_mailbox(struct imap_cmd *cmd, struct slice name,
    struct imap_place *p_r);
/* The store of another user by his name, in its newest state. */
int imap_other(struct imap_session *s, struct slice owner,
    struct store **st_r);
void imap_others_close(struct imap_session *s);
/* The user's rights on a mailbox of st. */
int imap_rights(struct imap_session *s, struct store *st, uint64_t mailbox,
    unsigned *rights_r);

/* The store of the selected mailbox; without one, of the user's account. */
struct store *imap_store(const struct imap_session *s);
/* Does the user have these rights on the selected mailbox? */
bool imap_may(const struct imap_session *s, unsigned need);
/* Looks whether he has still the same rights on the selected mailbox, tells
 * if not; without r there is nothing in it any more. */
int imap_rights_check(struct imap_session *s);
/* The flags that may be changed with these rights. */
uint64_t imap_flags_allowed(unsigned rights);

#endif
