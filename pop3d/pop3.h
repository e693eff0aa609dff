/* pop3d/pop3.h - what the files of pop3d share */
#ifndef POP3D_POP3_H
#define POP3D_POP3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/slice.h"
#include "libsession/session.h"

enum pop3_state {	/* RFC 1939 section 3 */
	POP3_AUTHORIZATION = 1,
	POP3_TRANSACTION = 2
};

enum pop3_next {
	POP3_CONT,	/* read the next line */
	POP3_BYE	/* the answer is given; end the session */
};

struct pop3_msg {
	uint32_t uid;
	bool deleted;		/* by DELE in this session */
	uint64_t size;
	uint64_t email;
	unsigned char ref[16];
};

/* The maildrop as it was at login; it does not change under the session. */
struct pop3_drop {
	uint64_t mailbox;
	uint32_t uidvalidity;
	uint64_t hidden;	/* the flag of what "flag" has deleted; 0 */
	struct pop3_msg *msg;	/* message number n is msg[n - 1] */
	size_t n, cap;
	size_t n_live;		/* not deleted */
	uint64_t live_size;
};

struct pop3 {
	struct session *s;
	struct arena *arena;	/* reset after each command */
	enum pop3_state state;
	bool utf8;		/* RFC 6856: the client sent UTF8 */
	char *user;		/* of USER, until PASS */
	struct sasl *sasl;	/* an AUTH exchange waits for its next line */
	struct pop3_drop drop;
	const char *command;	/* the last one's name */
	bool refused;		/* and it was */
	unsigned bad;		/* commands before login that were not understood */
};

struct pop3_command {
	const char *name;
	enum pop3_next (*fn)(struct pop3 *p, struct slice args);
	int states;		/* enum pop3_state, or-ed */
	bool wants_args;	/* an argument is needed; checked before fn */
	bool takes_args;
};

/* The row of a command (any case), or NULL. */
const struct pop3_command *pop3_command(struct slice name);

/* "+OK text", "-ERR text"; code, if not NULL, goes before the text in brackets
 * (RFC 2449 section 8, RFC 3206).  Return POP3_CONT. */
enum pop3_next pop3_ok(struct pop3 *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
enum pop3_next pop3_err(struct pop3 *p, const char *code, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
/* -ERR from a libstore code; the detail goes to the log. */
enum pop3_next pop3_store_err(struct pop3 *p, int rc, const char *what);

/* maildrop.c */

enum { DROP_E_DELAY = -1000 };
/* Locks and loads pop3-mailbox of p->s->store.  0 or enum store_rc;
 * STORE_E_BUSY: another POP3 session has it; DROP_E_DELAY: the last login was a
 * moment ago. */
int drop_open(struct pop3 *p);
void drop_release(struct pop3_drop *d);
/* The message of a decimal number, or NULL: no such message, or deleted. */
struct pop3_msg *drop_msg(struct pop3 *p, struct slice number);
void drop_delete(struct pop3_drop *d, struct pop3_msg *m);
void drop_reset(struct pop3_drop *d);
/* UPDATE state: as pop3-delete has it, removes what was deleted; durable on 0. */
int drop_commit(struct pop3 *p);

/* uidl.c: the unique-id of a message, in pop3-uidl's pattern. */
void uidl_put(struct pop3 *p, const struct pop3_msg *m);

/* send.c */

/*
 * Sends a message (without UTF8 mode one whose header is UTF-8 with encoded
 * words in it, RFC 6856 2.1) as a multi-line answer with byte-stuffing and the closing
 * dot; lines < 0: all of it, else the header and that many lines of the body
 * (RFC 1939 TOP).  0, or enum store_rc; after the answer has begun a failure
 * can't be told to the client, so the caller ends the session.
 */
int send_message(struct pop3 *p, struct store_blob *b, int64_t lines);

/* auth.c: a line of an AUTH exchange (RFC 5034). */
enum pop3_next auth_line(struct pop3 *p, struct slice line);

enum pop3_next cmd_auth(struct pop3 *p, struct slice args);
enum pop3_next cmd_capa(struct pop3 *p, struct slice args);
enum pop3_next cmd_dele(struct pop3 *p, struct slice args);
enum pop3_next cmd_lang(struct pop3 *p, struct slice args);
enum pop3_next cmd_list(struct pop3 *p, struct slice args);
enum pop3_next cmd_noop(struct pop3 *p, struct slice args);
enum pop3_next cmd_pass(struct pop3 *p, struct slice args);
enum pop3_next cmd_quit(struct pop3 *p, struct slice args);
enum pop3_next cmd_retr(struct pop3 *p, struct slice args);
enum pop3_next cmd_rset(struct pop3 *p, struct slice args);
enum pop3_next cmd_stat(struct pop3 *p, struct slice args);
enum pop3_next cmd_stls(struct pop3 *p, struct slice args);
enum pop3_next cmd_top(struct pop3 *p, struct slice args);
enum pop3_next cmd_uidl(struct pop3 *p, struct slice args);
enum pop3_next cmd_user(struct pop3 *p, struct slice args);
enum pop3_next cmd_utf8(struct pop3 *p, struct slice args);

#endif
