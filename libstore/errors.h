/* libstore/errors.h - the result codes of libstore (public header) */
#ifndef STORE_ERRORS_H
#define STORE_ERRORS_H

/*
 * Negative: failed.  Zero: done.  One: found, more to come, or something
 * changed, as the function says.  Unless a code says otherwise nothing was
 * changed.
 */
enum store_rc {
	STORE_E_IO = -1,	/* the system said no; see store_errmsg(); later */
	STORE_E_NOTFOUND = -2,	/* no such account, mailbox, message, blob */
	STORE_E_FENCED = -3,	/* the account moved away: end the session */
	STORE_E_BUSY = -4,	/* the lock was not had in time; try later */
	STORE_E_CONFLICT = -5,	/* lost a race; store_run() runs it again */
	STORE_E_UNKNOWN = -6,	/* may or may not be done; end the session */
	STORE_E_EXISTS = -7,	/* the name is taken */
	STORE_E_NOMEM = -8,
	STORE_E_NOSPACE = -9,	/* disk full or disk quota; try later */
	STORE_E_QUOTA = -10,	/* the account's own quota */
	STORE_E_LIMIT = -11,	/* a configured or built-in count limit */
	STORE_E_TOOBIG = -12,	/* message or value over the limit */
	STORE_E_INVALID = -13,	/* a name, role or argument is not acceptable */
	STORE_E_CORRUPT = -14,	/* what is on disk contradicts itself */
	STORE_E_VERSION = -15,	/* written by a newer version; left alone */
	STORE_E_HASCHILD = -16,	/* the mailbox has children */
	STORE_E_NOTEMPTY = -17,	/* the mailbox has mail */
	STORE_E_TOOOLD = -18,	/* that state is beyond the change log's horizon */
	STORE_E_DENIED = -19	/* not permitted */
};

/* One row a code: how it is said outside.  retry: the client may try again. */
struct store_error {
	int rc;
	const char *imap;	/* RFC 5530 / 9051 response code, e.g. "OVERQUOTA" */
	const char *jmap;	/* RFC 8620 error type, e.g. "overQuota" */
	const char *pop3;	/* RFC 3206 / 2449 code, e.g. "SYS/TEMP" */
	const char *lmtp;	/* reply and enhanced code, e.g. "452 4.3.1" */
	const char *text;	/* English, for the client */
	int retry;
};

/* What a system call's errno comes to: NOSPACE, or else IO. */
int store_errno_rc(int e);

/* The row of rc; never NULL (an unknown code gives STORE_E_IO's). */
const struct store_error *store_error(int rc);

#endif
