/* libsession/changed.h - which JMAP types changed in an account (RFC 8620 7.1) */
#ifndef SESSION_CHANGED_H
#define SESSION_CHANGED_H

#include <stdint.h>

#include "libbase/buf.h"
#include "libstore/store.h"

enum {
	CHANGED_EMAIL = 1, CHANGED_MAILBOX = 2, CHANGED_THREAD = 4,
	CHANGED_IDENTITY = 8, CHANGED_SUBMISSION = 16,
	CHANGED_VACATION = 32, CHANGED_DELIVERY = 64, CHANGED_QUOTA = 128,
	CHANGED_ALL = 255, CHANGED_N = 7	/* without Quota */
};
/* Quota's state is all its numbers, so that /changes can tell exactly what is not
 * as it was. */
enum { QUOTA_STATE_MAX = 128 };
void quota_state(const struct store_usage *u, char out[QUOTA_STATE_MAX]);

struct changed {
	uint64_t now;		/* modseq of the account */
	uint64_t of[CHANGED_N];	/* states, by bit */
	char quota[QUOTA_STATE_MAX];
	unsigned types;		/* CHANGED_* */
};
/* The bit of a type's name; 0: that never changes. */
unsigned changed_type(struct slice name);
/* What changed after a modseq, which may be of the future (then: maybe all); and
 * Quota, if anything, as nobody knows what it was then. */
int changed_since(struct store *st, uint64_t since, struct changed *c_r);
/* Adds the StateChange object for those types of one account. */
void changed_put(struct buf *b, const struct changed *c, unsigned types,
    const char *account_id);
/* Only the account's part of it: "id":{...}. */
void changed_put_account(struct buf *b, const struct changed *c,
    unsigned types, const char *account_id);

#endif
