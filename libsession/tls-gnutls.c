/* libsession/tls-gnutls.c - the module tls.so: TLS by GnuTLS */
#include "config.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libsession/tls-int.h"

enum {
	CHAIN_MAX = 16,		/* certificates in the file */
	NONFATAL_MAX = 16,	/* warnings in a row from a peer */
	KEY_ID_MAX = 64
};

struct tls_module_ctx {
	const struct tls_host *host;
	struct tls_files files;
	gnutls_certificate_credentials_t cred;
	gnutls_priority_t priority;
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned int chain_n;
	gnutls_privkey_t key;		/* NULL until a full handshake */
};

struct tls_conn {
	struct tls_module_ctx *ctx;
	gnutls_session_t s;
	char info[160], error[160];
};

extern const struct tls_module culver_tls_module;

static gnutls_datum_t
datum(struct slice s)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)s.p,
		(unsigned int)s.n };
}

static int
key_import(struct tls_module_ctx *ctx)
{
	gnutls_datum_t pem = datum(ctx->files.key);
	int rc;

	if (ctx->key != NULL)
		return 0;
	if ((rc = gnutls_privkey_init(&ctx->key)) < 0)
		return rc;
	rc = gnutls_privkey_import_x509_raw(ctx->key, &pem, GNUTLS_X509_FMT_PEM,
	    NULL, 0);
	if (rc < 0) {
		gnutls_privkey_deinit(ctx->key);
		ctx->key = NULL;
	}
	return rc;
}

/*
 * Asked for in a full handshake only: so a resumed one does without the key,
 * whose parsing is what costs (RSA: 21 M instructions).
 */
static int
retrieve(gnutls_session_t s, const struct gnutls_cert_retr_st *info,
    gnutls_pcert_st **certs, unsigned int *n_certs,
    gnutls_ocsp_data_st **ocsp, unsigned int *n_ocsp,
    gnutls_privkey_t *key, unsigned int *flags)
{
	struct tls_conn *conn = gnutls_session_get_ptr(s);

	(void)info;
	if (key_import(conn->ctx) < 0)
		return -1;
	*certs = conn->ctx->chain;
	*n_certs = conn->ctx->chain_n;
	*ocsp = NULL;
	*n_ocsp = 0;
	*key = conn->ctx->key;
	*flags = 0;		/* all stays ours */
	return 0;
}

/* Does the private key belong to the first certificate? */
static int
key_check(struct tls_module_ctx *ctx)
{
	unsigned char a[KEY_ID_MAX], b[KEY_ID_MAX];
	size_t an = sizeof(a), bn = sizeof(b);
	gnutls_pubkey_t pub;
	int rc;

	if ((rc = gnutls_pubkey_init(&pub)) < 0)
		return rc;
	if ((rc = gnutls_pubkey_import_privkey(pub, ctx->key, 0, 0)) >= 0 &&
	    (rc = gnutls_pubkey_get_key_id(pub, 0, a, &an)) >= 0 &&
	    (rc = gnutls_pubkey_get_key_id(ctx->chain[0].pubkey, 0, b,
		 &bn)) >= 0 &&
	    (an != bn || memcmp(a, b, an) != 0))
		rc = GNUTLS_E_CERTIFICATE_KEY_MISMATCH;
	gnutls_pubkey_deinit(pub);
	return rc;
}

static void
ctx_free(struct tls_module_ctx **ctxp)
{
	struct tls_module_ctx *ctx = *ctxp;

	if (ctx == NULL)
		return;
	if (ctx->key != NULL)
		gnutls_privkey_deinit(ctx->key);
	for (unsigned int i = 0; i < ctx->chain_n; i++)
		gnutls_pcert_deinit(&ctx->chain[i]);
	if (ctx->priority != NULL)
		gnutls_priority_deinit(ctx->priority);
	if (ctx->cred != NULL)
		gnutls_certificate_free_credentials(ctx->cred);
	ctx->host->release(ctx);
	*ctxp = NULL;
}

static int
ctx_new(const struct tls_host *host, const struct tls_files *files, bool full,
    struct tls_module_ctx **ctx_r, char *err, size_t err_size)
{
	struct tls_module_ctx *ctx = host->alloc(sizeof(*ctx));
	gnutls_datum_t pem = datum(files->certificate);
	const char *what = "priorities", *at;
	unsigned int n = CHAIN_MAX;
	int rc;

	ctx->host = host;
	ctx->files = *files;
	if ((rc = gnutls_priority_init(&ctx->priority, files->priority,
		 &at)) < 0)
		goto fail;
	what = "certificate";
	if ((rc = gnutls_certificate_allocate_credentials(&ctx->cred)) < 0 ||
	    (rc = gnutls_pcert_list_import_x509_raw(ctx->chain, &n, &pem,
		 GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT)) < 0)
		goto fail;
	ctx->chain_n = n;
	gnutls_certificate_set_retrieve_function3(ctx->cred, retrieve);
	what = "private key";
	if (full && ((rc = key_import(ctx)) < 0 || (rc = key_check(ctx)) < 0))
		goto fail;
	*ctx_r = ctx;
	return 0;
fail:
	snprintf(err, err_size, "%s: %s", what, gnutls_strerror(rc));
	ctx_free(&ctx);
	return -1;
}

static void
conn_free(struct tls_conn **connp)
{
	struct tls_conn *conn = *connp;

	if (conn == NULL)
		return;
	if (conn->s != NULL)
		gnutls_deinit(conn->s);
	conn->ctx->host->release(conn);
	*connp = NULL;
}

static int
conn_new(struct tls_module_ctx *ctx, int fd, struct tls_conn **conn_r)
{
	struct tls_conn *conn = ctx->host->alloc(sizeof(*conn));
	gnutls_datum_t ticket = datum(ctx->files.ticket_key);

	conn->ctx = ctx;
	if (gnutls_init(&conn->s, GNUTLS_SERVER | GNUTLS_NONBLOCK |
		    GNUTLS_NO_SIGNAL) < 0) {
		conn->s = NULL;
		conn_free(&conn);
		return -1;
	}
	gnutls_session_set_ptr(conn->s, conn);
	if (gnutls_priority_set(conn->s, ctx->priority) < 0 ||
	    gnutls_credentials_set(conn->s, GNUTLS_CRD_CERTIFICATE,
		ctx->cred) < 0 ||
	    gnutls_session_ticket_enable_server(conn->s, &ticket) < 0) {
		conn_free(&conn);
		return -1;
	}
	gnutls_certificate_server_set_request(conn->s, GNUTLS_CERT_IGNORE);
	gnutls_transport_set_int(conn->s, fd);
	*conn_r = conn;
	return 0;
}

/* What GnuTLS's negative results mean to the caller; 0: call again. */
static int
failure(struct tls_conn *conn, const char *what, int rc)
{
	if (rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED)
		return gnutls_record_get_direction(conn->s) ? TLS_WANT_WRITE :
							      TLS_WANT_READ;
	if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED)
		snprintf(conn->error, sizeof(conn->error), "%s: alert: %s",
		    what, gnutls_alert_get_name(gnutls_alert_get(conn->s)));
	else
		snprintf(conn->error, sizeof(conn->error), "%s: %s", what,
		    gnutls_strerror(rc));
	if (rc == GNUTLS_E_PREMATURE_TERMINATION)
		return TLS_TRUNCATED;
	/* Renegotiation is not offered: its end would be a new handshake. */
	if (rc == GNUTLS_E_REHANDSHAKE || gnutls_error_is_fatal(rc))
		return TLS_FAILED;
	return 0;
}

static int
handshake(struct tls_conn *conn)
{
	int rc = 0, f;

	for (int i = 0; i < NONFATAL_MAX; i++) {
		if ((rc = gnutls_handshake(conn->s)) == GNUTLS_E_SUCCESS)
			return 0;
		if ((f = failure(conn, "TLS handshake", rc)) == 0)
			continue;
		if (f == TLS_FAILED)
			gnutls_alert_send_appropriate(conn->s, rc);
		return f == TLS_TRUNCATED ? TLS_FAILED : f;
	}
	return TLS_FAILED;
}

static ssize_t
receive(struct tls_conn *conn, void *p, size_t n)
{
	for (int i = 0; i < NONFATAL_MAX; i++) {
		ssize_t k = gnutls_record_recv(conn->s, p, n);
		int f;

		if (k >= 0)
			return k;
		if ((f = failure(conn, "TLS", (int)k)) != 0)
			return f;
	}
	return TLS_FAILED;
}

static ssize_t
send_record(struct tls_conn *conn, const void *p, size_t n)
{
	for (int i = 0; i < NONFATAL_MAX; i++) {
		ssize_t k = gnutls_record_send(conn->s, p, n);
		int f;

		if (k >= 0)
			return k;
		if ((f = failure(conn, "TLS", (int)k)) != 0)
			return f == TLS_TRUNCATED ? TLS_FAILED : f;
	}
	return TLS_FAILED;
}

static size_t
pending(struct tls_conn *conn)
{
	return gnutls_record_check_pending(conn->s);
}

static void
bye(struct tls_conn *conn)
{
	gnutls_bye(conn->s, GNUTLS_SHUT_WR);
}

static const char *
info(struct tls_conn *conn)
{
	char *desc = gnutls_session_get_desc(conn->s);

	snprintf(conn->info, sizeof(conn->info), "%s%s",
	    desc != NULL ? desc : "TLS",
	    gnutls_session_is_resumed(conn->s) ? " resumed" : "");
	gnutls_free(desc);
	return conn->info;
}

static const char *
error(struct tls_conn *conn)
{
	return conn->error;
}

__attribute__((visibility("default")))
const struct tls_module culver_tls_module = {
	.version = TLS_MODULE_VERSION,
	.size = sizeof(struct tls_module),
	.ctx_new = ctx_new,
	.ctx_free = ctx_free,
	.conn_new = conn_new,
	.conn_free = conn_free,
	.handshake = handshake,
	.receive = receive,
	.send = send_record,
	.pending = pending,
	.bye = bye,
	.info = info,
	.error = error,
};
