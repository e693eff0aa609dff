/* lmtpd/lmtp.h - what the files of lmtpd share */
#ifndef LMTPD_LMTP_H
#define LMTPD_LMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/slice.h"
#include "libsession/session.h"

enum {
	LMTP_RCPT_MAX = 1000,	/* of one message; RFC 5321 4.5.3.1.8: >= 100 */
	LMTP_PATH_MAX = 1000,	/* octets of an address */
	LMTP_BAD_MAX = 50,	/* nonsense in a row, then goodbye */
	LMTP_EXCESS = 16	/* a message of so many times the limit is not
				 * even listened to */
};

enum lmtp_next {
	LMTP_CONT,		/* read the next line */
	LMTP_BYE		/* the answer is given; end the session */
};

struct lmtp_rcpt {
	struct slice address;	/* as it was given */
	char *account;
	struct slice detail;	/* the folder that it asks for; n 0: none */
	uint64_t mailbox;	/* where it is delivered; 0: not known yet */
	size_t same;		/* the first recipient with this account and
				 * detail: it gets the message, both get the
				 * answer */
	int rc;			/* of its delivery: 0 or enum store_rc */
	const struct store_vacation *vacation;	/* NULL: none */
	bool duplicate;		/* it was delivered before, see lmtp-once */
	struct store_blobid blob;	/* of what was delivered */
};

struct lmtp {
	const char *command;	/* the last one's name */
	bool refused;		/* and it was */
	struct session *s;
	struct arena *arena;	/* of one command */
	struct arena *txn;	/* of one message, from MAIL on */
	struct slice client;	/* LHLO's argument; p NULL: none yet */
	char *client_mem;
	bool mail;		/* MAIL was accepted */
	bool utf8;		/* ... with SMTPUTF8 */
	struct slice sender;
	struct lmtp_rcpt *rcpt;
	size_t n_rcpt, cap_rcpt;
	struct store_spool *spool;	/* from DATA or the first BDAT on */
	int64_t arrived;	/* ... when that came */
	struct slice once;	/* its Message-ID; n 0: it has none, or that
				 * doesn't matter */
	bool apart;		/* each recipient gets its own copy; the spool
				 * has no trace */
	bool chunked;		/* BDAT came */
	int chunk_rc;		/* ... and failed: 0 or enum store_rc */
	uint64_t octets;	/* ... and brought so much */
	unsigned bad;		/* lines in a row that made no sense */
	int end;		/* SIO_*: why DATA or BDAT ended the session */
	unsigned delivered;	/* into the open store */
};

struct lmtp_command {
	const char *name;
	enum lmtp_next (*fn)(struct lmtp *l, struct slice args);
};

/* The row of a command (any case), or NULL. */
const struct lmtp_command *lmtp_command(struct slice name);

/* One line: "250 2.0.0 text".  Returns LMTP_CONT. */
enum lmtp_next lmtp_reply(struct lmtp *l, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Makes l->s->store the account's; enum store_rc. */
int lmtp_account(struct lmtp *l, const char *account);
/* vacation.c: after a delivery into the open store; when all is said. */
void vacation_note(struct lmtp *l, struct lmtp_rcpt *r, int64_t now);
void vacation_answer(struct lmtp *l, struct slice octets, int64_t now);
/* data.c: begins the message. */
void lmtp_begin(struct lmtp *l);
/* trace.c: RFC 5321 4.4, into a spool.  r: the one recipient whose copy it is;
 * NULL: nobody is named. */
void lmtp_trace(struct lmtp *l, struct store_spool *sp,
    const struct lmtp_rcpt *r);
/* deliver.c: when all of the message came, and rc tells how the spool took it:
 * delivers, answers for each recipient, forgets it. */
void lmtp_finish(struct lmtp *l, int rc);
/* An answer that says why not: enum store_rc. */
void lmtp_failure(struct lmtp *l, int rc);
/* Forgets the message that was begun. */
void lmtp_reset(struct lmtp *l);

enum lmtp_next cmd_bdat(struct lmtp *l, struct slice args);
enum lmtp_next cmd_data(struct lmtp *l, struct slice args);
enum lmtp_next cmd_hello(struct lmtp *l, struct slice args);
enum lmtp_next cmd_help(struct lmtp *l, struct slice args);
enum lmtp_next cmd_lhlo(struct lmtp *l, struct slice args);
enum lmtp_next cmd_mail(struct lmtp *l, struct slice args);
enum lmtp_next cmd_noop(struct lmtp *l, struct slice args);
enum lmtp_next cmd_quit(struct lmtp *l, struct slice args);
enum lmtp_next cmd_rcpt(struct lmtp *l, struct slice args);
enum lmtp_next cmd_rset(struct lmtp *l, struct slice args);
enum lmtp_next cmd_unknown(struct lmtp *l, struct slice args);
enum lmtp_next cmd_vrfy(struct lmtp *l, struct slice args);

#endif
