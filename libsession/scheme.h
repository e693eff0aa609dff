/* libsession/scheme.h - hashes of passwords that crypt(3) doesn't know */
#ifndef SESSION_SCHEME_H
#define SESSION_SCHEME_H

#include "libbase/slice.h"

/*
 * A hash that begins with "{SCHEME}", as other servers have them: SCRAM-SHA-256
 * and -1; SSHA, SSHA256, SSHA512, SHA, SHA256, SHA512 (base64 of the digest and
 * a salt; LDAP's, RFC 2307); CRYPT, *-CRYPT (a crypt(3) hash follows); PLAIN.
 * 1 equal, 0 not, or no scheme that is known.
 */
int scheme_check(struct slice hash, struct slice password);

#endif
