/* libsession/session-int.h - between the files that make a connection a session */
#ifndef SESSION_SESSION_INT_H
#define SESSION_SESSION_INT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "libsession/peer.h"
#include "libsession/session.h"
#include "libsession/tls.h"

/* The user that the process becomes; an empty one changes nothing. */
struct priv {
	bool set;
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	int n_groups;
};

/* 0, or -1 with errno; for root only, nothing is set for others. */
int priv_lookup(struct priv *p, const char *user);
/* Becomes it for good, or ends the process. */
void priv_drop(const struct priv *p);
void priv_release(struct priv *p);
/* No core files, no tracing by others: there are passwords in memory.  And no new
 * privileges, unless programs are started that need theirs: sendmail(1) hands
 * mail over as another group, PAM reads hashes so. */
void priv_harden(bool programs);

/* What is read once, and again when a file changed. */
struct setup {
	const struct server *srv;
	const char *path;	/* of the configuration */
	const char *listener;	/* -l, or NULL: the first of the protocol */
	bool preload;		/* TLS: load and parse all at once */
	struct conf *conf;
	struct tls_ctx *tls;	/* NULL: no listener of ours has any */
	struct priv priv;
	struct stat *files;	/* as they were; see setup.c */
	size_t n_files;
	int64_t ticket_ms;	/* when another ticket key was due */
};

/* Reads the configuration and what it names.  0, or -1 and all that is wrong in
 * *err_r (xmalloc'ed); *s is then as it was. */
int setup_load(struct setup *s, char **err_r);
/* Is it to start programs of others (confine.h)? */
bool setup_starts_programs(const struct setup *s);
/* Reads again if a file changed (or if force); a fault is logged, and the old
 * state goes on. */
void setup_refresh(struct setup *s, bool force);
void setup_release(struct setup *s);
/* The section that -l names, or the first of the protocol; NULL: none. */
const struct conf_listener *setup_listener(const struct conf *c,
    const struct server *srv, const char *name);

/*
 * Serves one connection from its first octet to its last; closes the
 * descriptors.  preauth: the account's name, or NULL.  mask: the signals that
 * are blocked while it waits.  stop_r is where SIGTERM's handler finds the
 * session's flag while it runs.
 */
void session_run(const struct setup *s, const struct conf_listener *l,
    int rfd, int wfd, const char *preauth, const sigset_t *mask,
    volatile sig_atomic_t *volatile *stop_r);

/* login_password() with SASL's authorization identity (may be empty). */
int login_check(struct session *s, struct slice user, struct slice pass,
    struct slice authzid);

/* The same by a token; authzid is the name that the client gives (may be
 * empty). */
int login_bearer(struct session *s, struct slice token, struct slice authzid);

/* The same by the client's certificate. */
int login_external(struct session *s, struct slice authzid);

/* Signals of server.c. */
struct signals {
	volatile sig_atomic_t term, hup;
	volatile sig_atomic_t *volatile stop;
	sigset_t mask;		/* while waiting */
};
extern struct signals server_signals;

struct waiter_socket {
	int fd;
	const char *listener;	/* its section, or NULL: the default */
};
/* Wait mode: accepts, forks, reaps; returns an exit code. */
int waiter_run(struct setup *s, struct waiter_socket *sock, size_t n);

#endif
