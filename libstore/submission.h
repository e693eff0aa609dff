/*
 * libstore/submission.h - what an account has for sending mail (RFC 8621 6 ff.)
 *
 * A part of the API of store.h, whose rules hold here too.
 */
#ifndef STORE_SUBMISSION_H
#define STORE_SUBMISSION_H

#include "libstore/store.h"

struct store_address {
	struct slice name;	/* p NULL: none */
	struct slice email;
};
struct store_addresses {
	bool present;		/* else it is null */
	struct store_address *a;
	size_t n;
};

/* ---- identities -------------------------------------------------------- */

enum {
	STORE_IDENTITIES_MAX = 100,		/* of an account */
	STORE_IDENTITY_ADDRESSES_MAX = 100	/* of a list */
};
enum {	/* what is to be set */
	STORE_IDENTITY_NAME = 1, STORE_IDENTITY_TEXT = 2,
	STORE_IDENTITY_HTML = 4, STORE_IDENTITY_REPLY_TO = 8,
	STORE_IDENTITY_BCC = 16, STORE_IDENTITY_ALL = 31
};
struct store_identity {
	uint64_t id, modseq;
	bool is_default;	/* may not be destroyed */
	struct slice name, email;
	struct slice text_signature, html_signature;
	struct store_addresses reply_to, bcc;
};
/* In the order of their creation. */
int store_identity_list(struct store *st, struct arena *a,
    struct store_identity **v_r, size_t *n_r);
int store_identity_get(struct store *st, struct arena *a, uint64_t id,
    struct store_identity *v_r);
/* LIMIT, TOOBIG (all of it together), INVALID (no address, a list too long). */
int store_identity_create(struct store *st, const struct store_identity *v,
    uint64_t *id_r);
/* Sets what the bits of set name; the address stays. */
int store_identity_update(struct store *st, uint64_t id,
    const struct store_identity *v, unsigned set);
/* DENIED: it is the default one. */
int store_identity_destroy(struct store *st, uint64_t id);
/* Makes sure that the default one is of that address; of another one that was it
 * may now be destroyed.  Changes nothing where it is. */
int store_identity_default(struct store *st, struct slice name,
    struct slice email);

/* ---- the vacation response --------------------------------------------- */

enum {	/* what is to be set */
	STORE_VACATION_ENABLED = 1, STORE_VACATION_FROM = 2,
	STORE_VACATION_TO = 4, STORE_VACATION_SUBJECT = 8,
	STORE_VACATION_TEXT = 16, STORE_VACATION_HTML = 32
};
struct store_vacation {
	uint64_t modseq;
	bool enabled, has_from, has_to;
	int64_t from, to;	/* from <= now < to */
	struct slice subject, text, html;	/* p NULL: none */
};
/* All zero where nothing was ever set. */
int store_vacation_get(struct store *st, struct arena *a,
    struct store_vacation *v_r);
/* Sets what the bits of set name; everybody may get it (once more).  TOOBIG. */
int store_vacation_set(struct store *st, const struct store_vacation *v,
    unsigned set);
/* 1: this sender didn't get it in the interval before now, and is remembered
 * from now on, durably; 0: he did. */
int store_vacation_claim(struct store *st, struct slice sender, int64_t now,
    int64_t interval_s);

/* ---- submissions ------------------------------------------------------- */

enum store_undo {
	STORE_UNDO_PENDING, STORE_UNDO_FINAL, STORE_UNDO_CANCELED
};
enum store_phase {
	STORE_PHASE_WAITING,
	STORE_PHASE_COMMITTED	/* the MTA may have it, whatever we hear */
};
enum store_delivered {	/* RFC 8621 7 */
	STORE_DELIVERED_QUEUED, STORE_DELIVERED_YES, STORE_DELIVERED_NO,
	STORE_DELIVERED_UNKNOWN
};
enum {
	STORE_SUBMISSIONS_MAX = 1000,	/* that are kept; of those that are
					 * done the oldest go */
	STORE_RCPTS_MAX = 1000,
	STORE_REPLY_MAX = 500		/* octets of a reply that are kept */
};
struct store_param {
	struct slice name, value;	/* value.p NULL: none */
};
struct store_path {		/* an address of an envelope */
	struct slice email;
	struct store_param *param;
	size_t n_param;
};
struct store_rcpt {
	struct store_path to;
	enum store_delivered delivered;
	struct slice reply;
};
struct store_submission {
	uint64_t id, modseq;
	uint64_t identity, email, thread;
	struct store_blobid blob;	/* what is sent; kept while it is
					 * open */
	enum store_undo undo;
	enum store_phase phase;
	int64_t send_at;	/* seconds */
	int64_t next_try;	/* of one that is pending */
	uint32_t attempts;	/* that failed for now */
	struct store_path from;
	struct store_rcpt *rcpt;
	size_t n_rcpt;
	struct store_blobid *dsn;	/* reports that came, oldest first */
	size_t n_dsn;
};
/* Is there something to send: is it pending, or final with recipients that are
 * queued? */
bool store_submission_open(const struct store_submission *v);
/* In the order of their creation. */
int store_submission_list(struct store *st, struct arena *a,
    struct store_submission **v_r, size_t *n_r);
int store_submission_get(struct store *st, struct arena *a, uint64_t id,
    struct store_submission *v_r);
/*
 * A pending one of what v has beside id, modseq, undo, phase and attempts; the
 * account is in the outbox from before it is durable.  NOTFOUND (blob), TOOBIG
 * (recipients), LIMIT (too many are pending).
 */
int store_submission_create(struct store *st,
    const struct store_submission *v, uint64_t *id_r);
/* DENIED: it is done, or about to be. */
int store_submission_cancel(struct store *st, uint64_t id);
/* DENIED: it is open.  What was sent stays so. */
int store_submission_destroy(struct store *st, uint64_t id);

/*
 * An envelope id (RFC 3461) that only the mail systems which the submission
 * comes through get to know.  from: NOTFOUND if it is none of this account.
 */
enum { STORE_ENVID_TEXT = 48 };
void store_submission_envid(struct store *st, uint64_t id,
    char buf[STORE_ENVID_TEXT]);
int store_submission_from_envid(struct store *st, struct slice envid,
    uint64_t *id_r);
/*
 * What a report (RFC 3464) says: rcpt[i].delivered YES or NO and .reply for those
 * whose end isn't known yet, others (UNKNOWN) stay; and its blob.
 */
int store_submission_report(struct store *st, uint64_t id,
    const struct store_rcpt *rcpt, size_t n, const struct store_blobid *blob);

/* ---- the outbox -------------------------------------------------------- */

/*
 * Whoever sends an account's submissions holds the outbox: one that is
 * in phase committed meanwhile was left by somebody who died.  BUSY: another
 * one has it.
 */
struct store_outbox;
int store_outbox_open(struct store *st, struct store_outbox **o_r);
/* Enters when the next one of the account is due, or takes it out. */
int store_outbox_settle(struct store_outbox *o);
void store_outbox_close(struct store_outbox **o);
/* Those that are open, by next_try. */
int store_outbox_list(struct store_outbox *o, struct arena *a,
    struct store_submission **v_r, size_t *n_r);
/* Durable just before the MTA is told to take it.  DENIED: it was canceled. */
int store_outbox_commit(struct store_outbox *o, uint64_t id);
/* How it went: rcpt[i].delivered and .reply, undo, and if it is still open,
 * next_try and attempts. */
int store_outbox_done(struct store_outbox *o,
    const struct store_submission *v);
/* Calls fn with each account in whose outbox something may be due at now
 * (INT64_MAX: ever).  fn != 0 stops and is returned. */
int store_outbox_each(const struct store_conf *cf, int64_t now,
    int (*fn)(void *arg, const char *account), void *arg);

#endif
