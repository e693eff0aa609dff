/*
 * lmtpd/dsn.h - the parameters that ask for delivery reports (RFC 3461)
 *
 * They are checked and then forgotten: DSN is not offered, so reports stay the
 * business of the MTA, which some tell us about nevertheless.
 */
#ifndef LMTPD_DSN_H
#define LMTPD_DSN_H

#include "lmtpd/address.h"

enum {	/* bits of what was given */
	DSN_RET = 1, DSN_ENVID = 2, DSN_NOTIFY = 4, DSN_ORCPT = 8
};

/*
 * One parameter of MAIL (RET, ENVID) or RCPT (NOTIFY, ORCPT).  Returns its bit,
 * 0: it is another one, -1: it is malformed.
 */
int dsn_mail_param(const struct param *p);
int dsn_rcpt_param(const struct param *p);

#endif
