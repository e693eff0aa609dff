/*
 * libsession/mta.h - handing mail over to the mail transfer agent
 *
 * By the sendmail interface or by SMTP, as configured.
 */
#ifndef SESSION_MTA_H
#define SESSION_MTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "libbase/arena.h"
#include "libbase/slice.h"

enum { MTA_ADDRESS_MAX = 254 };	/* octets; RFC 5321 4.5.3.1.3 less <> */
/*
 * May that be an address in an envelope (RFC 5321 Mailbox, RFC 6531): a local
 * part, "@", and a domain or an address literal, without blanks and controls?
 */
bool mta_address_ok(struct slice address);
/* Is there an MTA to hand mail to? */
bool mta_configured(const struct conf *c);

enum mta_rc {
	MTA_OK = 0,		/* accepted, for at least one recipient */
	MTA_E_TEMP = -1,	/* not now; nobody gets it yet */
	MTA_E_PERM = -2,	/* nobody will get it */
	MTA_E_STOPPED = -3	/* by commit() */
};
enum mta_stage {		/* where it failed */
	MTA_AT_CONNECT, MTA_AT_MAIL, MTA_AT_RCPT, MTA_AT_DATA
};
struct mta_rcpt {
	struct slice address;
	int code;		/* 250, 550, ...: how it went; or 0 */
	struct slice reply;	/* "550 5.1.1 No such user", one line */
};
struct mta_mail {
	struct slice from;	/* n 0: the null sender */
	struct mta_rcpt *rcpt;
	size_t n_rcpt;
	struct slice octets;	/* with CRLF line ends */
	struct slice envid;	/* RFC 3461, told where SMTP takes it */
	uint32_t timeout_s;	/* of all of it; 0: 5 minutes */
	/* Called once all but the last word is said; negative: not at all. */
	int (*commit)(void *arg);
	void *arg;
	/* results, for MTA_E_TEMP and MTA_E_PERM */
	enum mta_stage stage;
	struct slice reply;
	bool unknown;		/* it had the last word, and gave no answer */
};
/*
 * rcpt[i].code and .reply are filled unless it was stopped.  With MTA_OK some
 * recipients may have been refused (code 500 and more), or put off (400 and
 * more); with MTA_E_TEMP no code is less than 400, and some may be final.
 */
int mta_send(const struct conf *c, struct mta_mail *m, struct arena *a);

/* The message as it is sent, or the same octets: without Bcc (RFC 8621 7.5), each line ended by
 * CRLF. */
struct slice mta_message(struct slice octets, struct arena *a);

#endif
