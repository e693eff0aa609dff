/*
 * libsession/session.h - what one connection needs, whatever its protocol
 *
 * A program's main() is server_main(argc, argv, &server): options, descriptor
 * 0, configuration, forking, and then server.serve() for each connection.
 */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "libbase/arena.h"
#include "libsession/sio.h"
#include "libstore/store.h"

struct session {
	const struct conf *conf;
	const struct conf_listener *listener;
	struct store_conf store_conf;	/* from conf */
	struct sio *io;
	const char *peer;	/* "192.0.2.1:40000", "unix:1000", "stdio" */
	bool local;		/* peer is this host (loopback, unix, stdio) */
	bool tls_offered;	/* STARTTLS may be advertised: certificate, not
				 * yet in TLS */
	bool plaintext_ok;	/* passwords may be sent now: TLS, local peer, or
				 * plaintext_login */
	bool certified;		/* the client's certificate was verified */
	const char *preauth;	/* stdio mode: the account that is logged in */
	struct store *store;	/* of the account, after login; closed by the
				 * frame */
	char *account;		/* its name, after login; xmalloc */
	char *user;		/* the login name as given; xmalloc */
	struct trace *trace;	/* of the account; or NULL */
	int who;		/* descriptor of who_enter(); 0: none */
	uint64_t commands, refused;	/* see session_command() */
	unsigned failures;	/* logins that failed on this connection */
	/* SIGTERM: end with the protocol's goodbye; sio_fill() tells too. */
	volatile sig_atomic_t stop;
	struct tls_ctx *tls;	/* NULL: none */
	char mechanisms[160];	/* see sasl_mechanisms() */
	void *proto;		/* the program's own state */
};

struct server {
	const char *name;		/* "imapd", in the log */
	enum conf_protocol protocol;
	/* Serves one connection to its end; s->io is open, implicit TLS is done.
	 * Its result is logged only. */
	int (*serve)(struct session *s);
	/* What to send when there are too many connections, or a broken
	 * configuration, before closing; a whole line. */
	const char *busy_line;
};

/*
 * Options: -f FILE (configuration), -l NAME (listener section; default: the
 * first of the protocol), -u ACCOUNT (stdio mode), -d (debug to stderr, stay
 * attached).  Mode by descriptor 0, or the one that LISTEN_FDS passes: see
 * the table in HACKING.  Returns an exit code.
 */
int server_main(int argc, char **argv, const struct server *srv);

/* Does STARTTLS: sends nothing itself; call after the OK was put.  0 or SIO_*.
 * Updates tls_offered and plaintext_ok. */
int session_starttls(struct session *s);

/*
 * A command was answered, for the log and its count; name is from the protocol's
 * table ("-": none), why NULL where it was done, else the answer's code or text,
 * which has nothing of a password.  A line for each refused one, until there are
 * SESSION_REFUSED of them.
 */
enum { SESSION_REFUSED = 50 };
void session_command(struct session *s, const char *name, const char *why);

/* ---- login ------------------------------------------------------------- */

enum login_rc {
	LOGIN_OK = 0,
	LOGIN_MORE = 1,
	LOGIN_E_BAD = -1,	/* wrong name or password; already delayed */
	LOGIN_E_TEMP = -2,	/* store or password file out of reach, busy */
	LOGIN_E_DENIED = -3,	/* disabled or expired, not allowed here */
	LOGIN_E_SYNTAX = -4,	/* malformed SASL message */
	LOGIN_E_MECH = -5,	/* unknown or unavailable mechanism */
	LOGIN_E_CRYPT = -6,	/* needs TLS first */
	LOGIN_E_TOOMANY = -7,	/* failures: say goodbye and end */
	LOGIN_E_CORRUPT = -8,	/* the store is damaged */
	LOGIN_E_ADDRESS = -9	/* too many failures from that address */
};

/* Verifies a name and password (equal time for an unknown user), logs, delays
 * failures, opens s->store, sets s->account and s->user. */
int login_password(struct session *s, struct slice user, struct slice pass);
/* Opens the account without a password (preauth). */
int login_preauth(struct session *s);
/* store_open(); an account that the password file knows and that has no store
 * yet gets one, with the configured folders and quota.  enum store_rc. */
int login_open(const struct conf *c, const struct store_conf *sc,
    const char *account, struct store **st_r);
/* Closes the store and forgets the account. */
void login_forget(struct session *s);

/* SASL (RFC 4422) by mechanism name; `mechanisms` is "PLAIN LOGIN", those that
 * can be used now, "" if none; it lives until the next call. */
struct sasl;
const char *sasl_mechanisms(struct session *s);
int sasl_start(struct session *s, struct slice mech, struct sasl **sasl_r);
/* in: the client's decoded message ({NULL,0}: none given yet).  LOGIN_MORE: send the
 * challenge (undecoded octets, maybe empty).  Else as login_password. */
int sasl_step(struct sasl *sasl, struct arena *a, struct slice in,
    struct slice *challenge_r);
void sasl_free(struct sasl **sasl);

/* Who logged in without a session (jmap-fcgi, threads). */
struct login_who {
	struct slice account;	/* its name; in the arena */
	struct slice user;	/* the name as given; the account's by a token */
	struct slice by;	/* for login_credential(); in the arena */
	int64_t until;		/* of a token, seconds since 1970; 0: no end */
};
/*
 * Is this the password of user, or a token of his (libsession/token.h)?  Uses
 * the verified-password cache; does not delay (the caller answers; *delay_ms_r
 * says how long to wait first).
 */
int login_verify(const struct conf *c, enum conf_protocol proto,
    struct slice user, struct slice pass, const char *peer, struct arena *a,
    struct login_who *who_r, uint32_t *delay_ms_r);
/* Whose token is it?  The same. */
int login_token(const struct conf *c, enum conf_protocol proto,
    struct slice text, const char *peer, struct arena *a,
    struct login_who *who_r, uint32_t *delay_ms_r);
enum { LOGIN_CREDENTIAL = 32 };
/*
 * A hash of what somebody logged in by, a password or a token, which is another
 * one as soon as that is; for who remembers that a login was right.  LOGIN_OK,
 * LOGIN_E_BAD (no such user or token), LOGIN_E_DENIED (disabled, over),
 * LOGIN_E_TEMP.
 */
int login_credential(const struct conf *c, struct slice by,
    struct arena *a, unsigned char out[LOGIN_CREDENTIAL]);
/* May mail be delivered to this address (RFC 5321 Mailbox, without <>)?  The
 * account's name, and the detail that the address has beside it (n 0: none;
 * in the arena or the address); or LOGIN_E_BAD (no such user), LOGIN_E_TEMP. */
int login_recipient(const struct conf *c, struct slice address,
    struct arena *a, struct slice *account_r, struct slice *detail_r);

/*
 * May the account send mail as that address (with a domain, without <>)?  It may
 * where mail for it would be delivered to it: LOGIN_OK, else LOGIN_E_DENIED,
 * LOGIN_E_TEMP.  Where no domains are configured the domain is the host's name.
 */
int login_sender(const struct conf *c, const char *account,
    struct slice address, struct arena *a);
/* May the account send mail at all?  The same. */
int login_may_send(const struct conf *c, const char *account,
    struct arena *a);
/* The account's own address, and its owner's name as the password file has it
 * (may be empty).  LOGIN_OK or LOGIN_E_TEMP. */
int login_own_address(const struct conf *c, const char *account,
    struct arena *a, struct slice *address_r, struct slice *name_r);

enum { LISTEN_FDS_START = 3, LISTEN_FDS_MAX = 64 };
/* How many sockets systemd passes to this process, descriptors from
 * LISTEN_FDS_START on. */
size_t listen_fds(void);

/* Becomes that user, where root calls and there is a name, or ends the process;
 * from then on it leaves no core file and can't be traced by others. */
void priv_become(const char *user);

/* conf -> store_conf, pointers borrowed from c.  Once for each c. */
void session_store_conf(const struct conf *c, struct store_conf *sc_r);

#endif
