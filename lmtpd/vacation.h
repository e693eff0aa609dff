/* lmtpd/vacation.h - vacation responses: whom to answer, and with what */
#ifndef LMTPD_VACATION_H
#define LMTPD_VACATION_H

#include <stdbool.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/slice.h"
#include "libstore/submission.h"

/*
 * Why a message may not be answered (RFC 3834 section 2, RFC 5230 section 4.6):
 * a list's, a machine's, nobody's.  NULL: it may.
 */
const char *vacation_refusal(struct slice octets, struct slice sender);
/* The first address in To, Cc, Bcc and those of Resent- that is mine. */
bool vacation_addressed(struct slice octets,
    bool (*mine)(void *arg, struct slice address), void *arg,
    struct arena *a, struct slice *address_r);

struct vacation_reply {
	const struct store_vacation *v;
	struct slice octets;	/* what is answered */
	struct slice from_name, from, to;
	const char *hostname;
	int64_t now;
};
/* The message, or p NULL: there is no way to write it. */
struct slice vacation_compose(const struct vacation_reply *r,
    struct arena *a);

#endif
