/* lmtpd/report.h - delivery status notifications (RFC 3464) */
#ifndef LMTPD_REPORT_H
#define LMTPD_REPORT_H

#include "libbase/arena.h"
#include "libbase/slice.h"
#include "libstore/submission.h"

struct report {
	struct slice envid;		/* of what it is about */
	struct store_rcpt *rcpt;	/* to.email, delivered, reply */
	size_t n;
};
/* 1: it is one that has an envelope id; 0. */
int report_parse(struct slice octets, struct arena *a, struct report *r_r);

#endif
