/* libsession/tls-gnutls.h - between the files of the module tls.so */
#ifndef SESSION_TLS_GNUTLS_H
#define SESSION_TLS_GNUTLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <time.h>

#include "libsession/tls-int.h"

enum { TLS_CHAIN_MAX = 16 };	/* certificates in a file */
enum { TLS_KIND_RSA = 1, TLS_KIND_ECDSA = 2, TLS_KIND_EDDSA = 4 };

/* One that the server has; from its files when it is first wanted. */
struct tls_cert {
	const struct tls_cert_files *files;
	bool tried;		/* to read it; leaf NULL: that failed */
	gnutls_pcert_st chain[TLS_CHAIN_MAX];
	unsigned int n;
	gnutls_x509_crt_t leaf;	/* chain[0] */
	gnutls_privkey_t key;	/* NULL until a full handshake */
	gnutls_ocsp_data_st ocsp;	/* response.data NULL: none */
};

struct tls_module_ctx {
	const struct tls_host *host;
	struct tls_files files;
	gnutls_certificate_credentials_t cred;
	gnutls_priority_t priority;
	struct tls_cert *cert;	/* files.n_certs */
	time_t crl_until;	/* the first of the lists ends; 0: never */
};

struct tls_conn {
	struct tls_module_ctx *ctx;
	gnutls_session_t s;
	enum conf_client client;
	size_t first;		/* certificate where none has the name */
	bool ticket_set;
	unsigned int kinds;	/* TLS_KIND_* of keys that the client can
				 * verify by; 0: it didn't say */
	char info[160], error[240], peer[240];
};

/*
 * All certificates from their files; full: at once, with the keys and whether
 * they fit.  0, or a GnuTLS error, what it is about in *what_r and the file's
 * name in *file_r.
 */
int tls_certs_init(struct tls_module_ctx *ctx, bool full, const char **what_r,
    const char **file_r);
void tls_certs_release(struct tls_module_ctx *ctx);
/* GnuTLS's callback: by the host name that the client gave (RFC 6066 3). */
int tls_cert_retrieve(gnutls_session_t s,
    const struct gnutls_cert_retr_st *info, gnutls_pcert_st **certs,
    unsigned int *n_certs, gnutls_ocsp_data_st **ocsp, unsigned int *n_ocsp,
    gnutls_privkey_t *key, unsigned int *flags);

/* What the client's hello says about certificates. */
void tls_cert_hello(struct tls_conn *conn, const gnutls_datum_t *hello);

/* Tickets (RFC 5077, RFC 8446 4.6.1) are issued and taken. */
void tls_tickets_on(struct tls_conn *conn);

/* The certificate of the client: see struct tls_module. */
int tls_client_init(struct tls_module_ctx *ctx, const char **what_r);
int tls_client_verify(struct tls_conn *conn, const char **why_r);
int tls_client_name(struct tls_conn *conn, bool common, unsigned i, char *out,
    size_t room);
/* After the handshake: 0, or -1 if it needs a better one; the alert is sent. */
int tls_client_check(struct tls_conn *conn);

#endif
