/* jmap-fcgi/account.h - the accounts of a request: the user's, and others that
 * share mailboxes with the user (RFC 4314, RFC 8620 1.6.2) */
#ifndef JMAP_ACCOUNT_H
#define JMAP_ACCOUNT_H

#include "jmap-fcgi/jmap.h"

enum { OTHERS_MAX = 64 };	/* accounts that are shown to one user */

struct account_right {
	uint64_t mailbox;
	unsigned rights;	/* STORE_RIGHT_* */
};
struct account {
	const char *id, *name;	/* in the request's arena */
	const char *user;	/* who asks */
	struct store *st;
	bool own, broken;
	/* The user's rights in another's account, by mailbox; of the state with
	 * that modseq. */
	struct account_right *v;
	size_t n;
	uint64_t modseq, changed;
	bool loaded;
	/* What the user has subscribed by names that IMAP gives to it. */
	struct slice *subs;
	size_t n_subs;
	bool have_subs;
	struct account *next;
};

/* All accounts, the user's own first, open until accounts_release(). */
struct account *accounts_list(const struct jmap_env *env,
    struct jmap_user *u, struct arena *a);
/* The one with that id, or NULL. */
struct account *accounts_find(const struct jmap_env *env,
    struct jmap_user *u, struct arena *a, struct slice id);
void accounts_release(const struct jmap_env *env, struct jmap_user *u);

/* The rights on a mailbox, all if it is the user's own account's (or ac is
 * NULL); none where they can't be read. */
unsigned account_rights(struct account *ac, uint64_t mailbox);
static inline bool
account_may(struct account *ac, uint64_t mailbox, unsigned need)
{
	return (need & ~account_rights(ac, mailbox)) == 0;
}
static inline bool
account_is_own(const struct account *ac)
{
	return ac == NULL || ac->own;
}
/* The same on any mailbox. */
bool account_may_anywhere(struct account *ac, unsigned need);
/* Nothing in it may be changed. */
bool account_read_only(struct account *ac);
/* The modseq of the last change of anything that rights may hang on: a state of
 * another's account is no older.  The own account: 0. */
uint64_t account_rights_modseq(struct account *ac);
/* Could rights be other ones since that modseq?  Then nobody knows what was
 * visible. */
bool account_moved(struct account *ac, uint64_t since);
/* Is the blob that of an Email which the user may read?  In the own account:
 * always. */
bool account_has_blob(struct account *ac, const struct store_blobid *id,
    uint64_t size);

#endif
