/* lmtpd/address.h - paths and parameters of MAIL and RCPT (RFC 5321 4.1.2) */
#ifndef LMTPD_ADDRESS_H
#define LMTPD_ADDRESS_H

#include <stdbool.h>

#include "libbase/slice.h"

struct path {
	struct slice mailbox;	/* without <> and source route; empty: "<>" */
	bool ascii;
};

/*
 * Takes a path from the front of *in.  0, or -1: *in is then undefined.  More
 * is accepted than RFC 5321 writes, as far as it is unambiguous: dots anywhere
 * in the local part, no domain, underscores in the domain.
 */
int path_parse(struct slice *in, struct path *p_r);

struct param {
	struct slice keyword, value;	/* value.p NULL: no "=" */
};
/* Takes " keyword[=value]" from the front.  1, 0: nothing is left, -1. */
int param_parse(struct slice *in, struct param *p_r);

#endif
