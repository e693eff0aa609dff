/* culver/message.h - culver message: mailboxes, queries, answers */
#ifndef CULVER_MESSAGE_H
#define CULVER_MESSAGE_H

#include "culver/culver.h"
#include "culver/imapc.h"
#include "culver/rows.h"

struct message_job {
	const struct args *a;
	const char *account;
	struct imapc *m;
	struct rows rows;
	/* The query as SEARCH has it; from the arguments. */
	struct buf query;
	uint64_t found;		/* in this mailbox */
	struct buf set;		/* search: UIDs, as ESEARCH tells them */
};
/* What is done in a mailbox that is selected, with what was found ("$").  0, or
 * -1 after a complaint. */
typedef int (*message_fn)(struct message_job *j, struct slice mailbox);

/*
 * Arguments: ACCOUNT MAILBOX, then, from the first-th on, a query.  fn is
 * called for each mailbox in which something is found; MAILBOX "*" is all of
 * the account's own.  read_only: nothing is changed by looking.
 */
int message_run(struct culver *c, const struct args *a, bool json,
    size_t first, bool read_only, message_fn fn);
/* One command; 0 or -1. */
int message_do(struct message_job *j, const char *command);
/* Tells how many there were. */
void message_tell(struct message_job *j, struct slice mailbox);

#endif
