/* libsession/submit.h - sending what accounts have in their outboxes */
#ifndef SESSION_SUBMIT_H
#define SESSION_SUBMIT_H

#include "libsession/mta.h"
#include "libstore/submission.h"

struct submit_result {		/* of one submission */
	uint64_t id;		/* which; it goes first */
	bool tried;
	int rc;			/* enum mta_rc */
	enum mta_stage stage;
	struct slice reply;	/* in the arena */
};
/*
 * Hands over what is due of an account.  want (may be NULL): one that the caller
 * wants to hear of.  BUSY: another one is at it, and will see to it.
 */
int submit_account(const struct conf *c, struct store *st, struct arena *a,
    struct submit_result *want);
/*
 * The same for all accounts where something is due.  n_r: how many accounts
 * were looked at; what goes wrong with one is logged.  stop (may be NULL) is
 * asked between two of them.
 */
int submit_all(const struct conf *c, const struct store_conf *sc,
    bool (*stop)(void *arg), void *arg, size_t *n_r);

#endif
