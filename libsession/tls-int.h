/* libsession/tls-int.h - between sio.c, tls.c and the module tls.so */
#ifndef SESSION_TLS_INT_H
#define SESSION_TLS_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libbase/slice.h"
#include "libsession/tls.h"

enum { TLS_MODULE_VERSION = 3, TLS_TICKET_KEY_LEN = 64, TLS_RECORD = 16384 };

/* Results of handshake, receive and send below 0.  TLS_TRUNCATED: the peer's
 * socket closed without TLS's own goodbye. */
enum {
	TLS_WANT_READ = -1, TLS_WANT_WRITE = -2, TLS_FAILED = -3,
	TLS_TRUNCATED = -4
};

/* What the program lends to the module, which links GnuTLS and nothing of
 * ours. */
struct tls_host {
	void *(*alloc)(size_t n);	/* zeroed, never NULL */
	void (*release)(void *p);
	/* Wrong, but not so that there can't be TLS. */
	void (*warn)(const char *text);
};

struct tls_cert_files {
	const char *name;		/* of the certificate's file */
	struct slice certificate, key;	/* PEM */
	struct slice ocsp;		/* a response, DER or PEM; n 0: none */
};

struct tls_files {	/* borrowed as long as the context lives */
	const struct tls_cert_files *certs;	/* by tls_want.cert */
	size_t n_certs;
	struct slice ticket_key;	/* TLS_TICKET_KEY_LEN octets */
	struct slice ticket_key_before;	/* the same; tickets by it are taken */
	struct slice client_ca, client_crl;	/* PEM; n 0: none */
	const char *priority;
};

enum tls_binding {
	TLS_EXPORTER,		/* RFC 9266 */
	TLS_SERVER_END_POINT	/* RFC 5929 4 */
};

struct tls_module_ctx;	/* both are the module's own */
struct tls_conn;

/* The module exports this structure as "culver_tls_module". */
struct tls_module {
	uint32_t version;	/* TLS_MODULE_VERSION, and the size of this */
	uint32_t size;
	/* 0, or -1 and a sentence in err. */
	int (*ctx_new)(const struct tls_host *host,
	    const struct tls_files *files, bool full,
	    struct tls_module_ctx **ctx_r, char *err, size_t err_size);
	void (*ctx_free)(struct tls_module_ctx **ctx);
	/* A server's end on a non-blocking socket. */
	int (*conn_new)(struct tls_module_ctx *ctx, int fd,
	    const struct tls_want *want, struct tls_conn **conn_r);
	void (*conn_free)(struct tls_conn **conn);
	int (*handshake)(struct tls_conn *conn);	/* 0 or TLS_* */
	ssize_t (*receive)(struct tls_conn *conn, void *p, size_t n);
	/* Called again with the same octets after TLS_WANT_*. */
	ssize_t (*send)(struct tls_conn *conn, const void *p, size_t n);
	size_t (*pending)(struct tls_conn *conn);
	void (*bye)(struct tls_conn *conn);
	/* "TLS1.3 ..."; what failed last.  Live as long as the connection. */
	const char *(*info)(struct tls_conn *conn);
	const char *(*error)(struct tls_conn *conn);
	/* After the handshake: did the client show a certificate of our
	 * authorities?  0, or -1; why is in *why_r, live as long as the
	 * connection, NULL: it showed none. */
	int (*peer)(struct tls_conn *conn, const char **why_r);
	/* The i-th e-mail address (subjectAltName), or common name, of that
	 * certificate, NUL-ended.  0, or -1: there is none. */
	int (*peer_name)(struct tls_conn *conn, bool common, unsigned i,
	    char *out, size_t room);
	/* Channel binding data; how many octets, or -1: this connection has
	 * none of that kind. */
	ssize_t (*binding)(struct tls_conn *conn, enum tls_binding kind,
	    unsigned char *out, size_t room);
};

/* Loads the module if that wasn't done.  NULL, and why in *err_r
 * (xmalloc'ed), if it can't be. */
const struct tls_module *tls_ctx_module(struct tls_ctx *ctx,
    struct tls_module_ctx **mc_r, char **err_r);

#endif
