/* imapd/notify.h - what NOTIFY asked for (RFC 5465) */
#ifndef IMAPD_NOTIFY_H
#define IMAPD_NOTIFY_H

#include "imapd/fetch.h"
#include "imapd/list.h"

enum {	/* events */
	NOTIFY_NEW = 1, NOTIFY_EXPUNGE = 2, NOTIFY_FLAGS = 4,
	NOTIFY_NAME = 8, NOTIFY_SUBSCRIPTION = 16, NOTIFY_METADATA = 32,
	NOTIFY_SERVER = 64, NOTIFY_ANNOTATIONS = 128,
	NOTIFY_MESSAGES = NOTIFY_NEW | NOTIFY_EXPUNGE | NOTIFY_FLAGS |
	    NOTIFY_ANNOTATIONS
};

enum notify_filter {
	NOTIFY_SELECTED, NOTIFY_SELECTED_DELAYED, NOTIFY_INBOXES,
	NOTIFY_PERSONAL, NOTIFY_SUBSCRIBED, NOTIFY_SUBTREE, NOTIFY_MAILBOXES
};

struct notify_group {
	enum notify_filter filter;
	struct slice *name;	/* SUBTREE, MAILBOXES */
	size_t n;
	unsigned events;
};

/* An account as it was looked at. */
struct notify_account {
	const char *owner;	/* NULL: the user's own */
	uint64_t modseq;
	uint64_t metadata;	/* modseq of its last annotation */
	uint64_t since;		/* modseq at the look before; 0: none */
	bool own;		/* what changed since is this session's doing */
};

/* The mailboxes at one time. */
struct notify_look {
	struct arena *a;
	struct listing l;
	unsigned *events;	/* of the entries */
	struct notify_account *accounts;
	size_t n_accounts;
};

struct notify {
	struct arena *a;	/* of the command that set it */
	struct notify_group *group;
	size_t n;
	unsigned events;	/* of all groups but the selected mailbox's */
	unsigned selected;	/* those of the selected mailbox */
	bool delayed;		/* EXPUNGE only in answer to a command */
	struct fetch_request *fetch;	/* of new messages there; NULL: none */
	bool status;		/* STATUS of all now */
	struct store_watch *watch;	/* NULL: nothing is watched */
	char **watched;		/* names of accounts, xmalloc */
	size_t n_watched;
	struct notify_look last;	/* a NULL: none yet */
};

/* ---- notify-look.c ----------------------------------------------------- */

/*
 * The mailboxes now, and which events are wanted of each.  1: nothing moved
 * since the last look; STORE_E_LIMIT: they are too many.
 */
int notify_look(struct imap_session *s, struct notify_look *r);
void notify_look_free(struct notify_look *r);
/* The account of an entry's owner. */
const struct notify_account *notify_account_of(const struct notify_look *k,
    const char *owner);
/* The owners of accounts beside the user's that may be asked for. */
int notify_owners(struct imap_session *s, struct arena *a,
    const char ***owner_r, size_t *n_r);

/* ---- notify-tell.c ----------------------------------------------------- */

/* Tells what became of the mailboxes between two looks. */
int notify_tell(struct imap_session *s, const struct notify_look *old,
    const struct notify_look *new);
/* What NOTIFY itself is answered with: STATUS and \NoAccess. */
int notify_tell_first(struct imap_session *s, const struct notify_look *k);

#endif
