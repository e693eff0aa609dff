/* libsession/tls-gnutls.c - the module tls.so: TLS by GnuTLS */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libsession/tls-gnutls.h"

enum { NONFATAL_MAX = 16 };	/* warnings in a row from a peer */

extern const struct tls_module culver_tls_module;

static void
ctx_free(struct tls_module_ctx **ctxp)
{
	struct tls_module_ctx *ctx = *ctxp;

	if (ctx == NULL)
		return;
	tls_certs_release(ctx);
	if (ctx->priority != NULL)
		gnutls_priority_deinit(ctx->priority);
	if (ctx->cred != NULL)
		gnutls_certificate_free_credentials(ctx->cred);
	ctx->host->release(ctx);
	*ctxp = NULL;
}

/* RFC 8996: TLS before 1.2 is not to be spoken. */
static int
priority_init(struct tls_module_ctx *ctx)
{
	const unsigned int *v;
	const char *at;
	int n, rc;

	rc = gnutls_priority_init(&ctx->priority, ctx->files.priority, &at);
	if (rc < 0)
		return rc;
	n = gnutls_priority_protocol_list(ctx->priority, &v);
	for (int i = 0; i < n; i++)
		if (v[i] != GNUTLS_TLS1_2 && v[i] != GNUTLS_TLS1_3 &&
		    v[i] < GNUTLS_DTLS_VERSION_MIN)
			return GNUTLS_E_UNSUPPORTED_VERSION_PACKET;
	return n > 0 ? 0 : GNUTLS_E_NO_PRIORITIES_WERE_SET;
}

static int
ctx_new(const struct tls_host *host, const struct tls_files *files, bool full,
    struct tls_module_ctx **ctx_r, char *err, size_t err_size)
{
	struct tls_module_ctx *ctx = host->alloc(sizeof(*ctx));
	const char *what = "priorities", *file = "tls-priority";
	int rc;

	ctx->host = host;
	ctx->files = *files;
	if ((rc = priority_init(ctx)) < 0)
		goto fail;
	what = "certificate";
	if ((rc = gnutls_certificate_allocate_credentials(&ctx->cred)) < 0 ||
	    (rc = tls_certs_init(ctx, full, &what, &file)) < 0)
		goto fail;
	file = "client-certificate";
	if ((rc = tls_client_init(ctx, &what)) < 0)
		goto fail;
	gnutls_certificate_set_retrieve_function3(ctx->cred, tls_cert_retrieve);
	*ctx_r = ctx;
	return 0;
fail:
	snprintf(err, err_size, "%s: %s (%s)", what,
	    rc == GNUTLS_E_UNSUPPORTED_VERSION_PACKET ?
	    "only TLS 1.2 and 1.3 may be offered" : gnutls_strerror(rc), file);
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

/* RFC 7301: a client that knows ALPN is told the protocol, or is refused if it
 * wants another one; who doesn't is served. */
static int
alpn_set(gnutls_session_t s, const char *alpn)
{
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)alpn,
		alpn != NULL ? (unsigned int)strlen(alpn) : 0 };

	return alpn == NULL ? 0 :
	    gnutls_alpn_set_protocols(s, &d, 1, GNUTLS_ALPN_MANDATORY);
}

static int
conn_new(struct tls_module_ctx *ctx, int fd, const struct tls_want *want,
    struct tls_conn **conn_r)
{
	struct tls_conn *conn = ctx->host->alloc(sizeof(*conn));

	conn->ctx = ctx;
	conn->client = want->client;
	conn->first = want->cert < ctx->files.n_certs ? want->cert : 0;
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
	    alpn_set(conn->s, want->alpn) < 0) {
		conn_free(&conn);
		return -1;
	}
	tls_tickets_on(conn);
	/* tls_client_check() looks for one that is required: after resumption,
	 * too, and its alerts are the right ones. */
	gnutls_certificate_server_set_request(conn->s,
	    want->client == CONF_CLIENT_NONE ? GNUTLS_CERT_IGNORE :
					       GNUTLS_CERT_REQUEST);
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
			return tls_client_check(conn) < 0 ? TLS_FAILED : 0;
		if ((f = failure(conn, "TLS handshake", rc)) == 0)
			continue;
		if (f == TLS_FAILED)
			gnutls_alert_send_appropriate(conn->s, rc);
		return f;
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

/* RFC 9266 4.2: before TLS 1.3 an exporter may be the same on two connections. */
static ssize_t
binding(struct tls_conn *conn, enum tls_binding kind, unsigned char *out,
    size_t room)
{
	bool exporter = kind == TLS_EXPORTER;
	gnutls_datum_t d;
	ssize_t n = -1;

	if ((exporter && gnutls_protocol_get_version(conn->s) < GNUTLS_TLS1_3) ||
	    gnutls_session_channel_binding(conn->s, exporter ?
		GNUTLS_CB_TLS_EXPORTER : GNUTLS_CB_TLS_SERVER_END_POINT,
		&d) < 0)
		return -1;
	if (d.size <= room) {
		memcpy(out, d.data, d.size);
		n = (ssize_t)d.size;
	}
	gnutls_free(d.data);
	return n;
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
	.peer = tls_client_verify,
	.peer_name = tls_client_name,
	.binding = binding,
};
