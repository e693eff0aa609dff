/*
 * libsession/tls.h - TLS by a module that is loaded when it is first wanted
 *
 * GnuTLS is linked by the module tls.so alone: linking it costs a process a
 * millisecond.
 */
#ifndef SESSION_TLS_H
#define SESSION_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "conf/conf.h"

struct tls_ctx;		/* certificates, priorities, ticket keys */

struct tls_want {	/* of one connection */
	const char *alpn;	/* RFC 7301: the protocol's name; NULL: any */
	enum conf_client client;
	size_t cert;		/* as in struct conf_listener */
};

/*
 * Reads the files that the configuration names (a missing ticket key is made),
 * which may need privileges that the process gives up later.  0, or -1 with a
 * sentence in *err_r (xmalloc'ed).  c lives as long as the context.
 */
int tls_ctx_new(const struct conf *c, struct tls_ctx **ctx_r, char **err_r);
/*
 * Would all of that do: certificates, keys, priorities?  Nothing is made.  Files
 * that this user may not read are not looked at: the daemons read them as root.
 * 0, or -1 with a sentence in *err_r (xmalloc'ed).
 */
int tls_check(const struct conf *c, char **err_r);
/*
 * Loads the module and parses the files: what the first handshake would do
 * otherwise.  full: the private key too, and does it fit the certificate?  0,
 * or -1 with a sentence in *err_r (xmalloc'ed).
 */
int tls_ctx_load(struct tls_ctx *ctx, bool full, char **err_r);
/* The file of the ticket keys, as it was read. */
const struct stat *tls_ctx_ticket(const struct tls_ctx *ctx);
void tls_ctx_free(struct tls_ctx **ctx);

#endif
