/*
 * libsession/tls.h - TLS by a module that is loaded when it is first wanted
 *
 * GnuTLS is linked by the module tls.so alone: linking it costs a process a
 * millisecond.
 */
#ifndef SESSION_TLS_H
#define SESSION_TLS_H

#include <stddef.h>
#include <sys/types.h>

#include "conf/conf.h"

struct tls_ctx;		/* certificate, priorities, ticket key */

/* Loads the module and the files that the configuration names.  0, or -1 with
 * a sentence in *err_r (xmalloc'ed). */
int tls_ctx_new(const struct conf *c, struct tls_ctx **ctx_r, char **err_r);
void tls_ctx_free(struct tls_ctx **ctx);

#endif
