/*
 * libsession/confine.h - what a process may still reach, by Landlock and seccomp
 *
 * Both only ever take away.  A kernel that lacks one of them is logged once, and
 * the process goes on without.  "confine = false" in the configuration switches
 * both off.  Programs of others (sendmail, auth-command, PAM) would be confined
 * with us, and can't live so: who is to start them is left alone.
 */
#ifndef SESSION_CONFINE_H
#define SESSION_CONFINE_H

#include <stdbool.h>

#include "conf/conf.h"

enum confine_who {
	CONFINE_LOGIN,		/* a session of one account, before login */
	CONFINE_DELIVERY,	/* lmtpd: mail-dir, and the relay for answers */
	CONFINE_SERVICE,	/* jmap-fcgi: and the network */
	CONFINE_PUSH		/* jmap-push: the same, and it sends no mail */
};

/*
 * From now on only these files: mail-dir and run-dir to write; the directories
 * of the configuration, password file, tokens, keys and certificates and the
 * system's libraries to read; and nothing to execute.  No TCP but what who is
 * needs.  Call it while there is one thread.  Does nothing where who has to
 * start a program of others.
 */
void confine_files(const struct conf *c, enum confine_who who);
/* After that: of mail-dir only this account, and nothing else but libraries. */
void confine_account(const struct conf *c, const char *account);
/*
 * From now on only the system calls of a list; others fail with EPERM, and the
 * kernel's audit log has them (not SIGSYS: a library that tries a new call and
 * has another way is no reason to lose a session, and EPERM lets nobody out).
 * CONFINE_LOGIN: after the login.
 */
void confine_calls(const struct conf *c, enum confine_who who);
/* Is it to start a program of others, so that neither is done? */
bool confine_starts_programs(const struct conf *c, enum confine_who who);

/* The version of Landlock that this kernel has; less than 1: none. */
long confine_abi(void);

#endif
