/*
 * culver/imapc.h - an IMAP client: of our own imapd, or of another server
 *
 * "culver message" asks imapd itself, which it starts logged in as the account:
 * so a query means here what it means to a client, and there is one parser of
 * it.  A response is read in pieces, so that a message of any size passes
 * through.
 */
#ifndef CULVER_IMAPC_H
#define CULVER_IMAPC_H

#include <stdbool.h>
#include <stdint.h>

#include "culver/culver.h"
#include "libbase/buf.h"

struct imapc; /* opaque */

/* imapd, logged in as the account.  0, or the exit code after a complaint. */
int imapc_local(struct culver *c, const char *account, struct imapc **m_r);

enum imapc_tls_mode { IMAPC_TLS, IMAPC_STARTTLS, IMAPC_PLAIN };
struct imapc_server {
	const char *host, *port;	/* port NULL: the usual one */
	enum imapc_tls_mode tls;
	const char *ca_file;		/* NULL: what the system trusts */
	const char *user, *password;
};
/* Another server; the same. */
int imapc_remote(const struct imapc_server *s, struct imapc **m_r);
/* LOGOUT, unless the connection failed. */
void imapc_close(struct imapc **m);

/*
 * Command lines: put them together in a buffer, with strings as this writes
 * them (a quoted string, or a literal that needs no leave).
 */
void imapc_put_string(struct buf *b, struct slice s);

/* Sends a command (without tag and CRLF).  -1 after a complaint. */
int imapc_send(struct imapc *m, struct slice command);
/*
 * The next part of a response: *text_r up to the end of a line, or up to a
 * literal, whose octets are *literal_r and are to be read next by
 * imapc_literal().  *more_r: it ended with a literal, and goes on after it.
 * *text_r lives until the next call.  1; 0: it is the tagged one, an OK; -1
 * after a complaint: it isn't, or the connection failed.
 */
int imapc_next(struct imapc *m, struct slice *text_r, uint64_t *literal_r,
    bool *more_r);
/* Hands the octets of the literal to fn in pieces; fn != 0: the rest is thrown
 * away.  0, fn's result, or -1 after a complaint. */
int imapc_literal(struct imapc *m, uint64_t n,
    int (*fn)(void *arg, const char *p, size_t n), void *arg);
/* Sends and reads on to the tagged response: 0, or -1 after a complaint.  fn
 * gets each line; literals are read over. */
int imapc_command(struct imapc *m, struct slice command,
    void (*fn)(void *arg, struct slice line), void *arg);

/* ---- FETCH (imapc-fetch.c) ---------------------------------------------- */

struct imapc_msg {	/* what isn't told is 0, n 0 */
	uint32_t uid;
	struct slice flags;	/* without parentheses, in a buffer of its own */
	struct slice date;	/* INTERNALDATE, without quotes and blanks
				 * before it */
	uint64_t size;
};
struct imapc_fetch {
	/* Octets of BODY[...]; items before it are known. */
	int (*body)(void *arg, const struct imapc_msg *msg, const char *p,
	    size_t n);
	/* All of a message was read. */
	int (*end)(void *arg, const struct imapc_msg *msg);
	void *arg;
};
/* Sends a FETCH and hands on what comes.  0, a result of the functions, or -1
 * after a complaint. */
int imapc_fetch(struct imapc *m, struct slice command,
    const struct imapc_fetch *f);

#endif
