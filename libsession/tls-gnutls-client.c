/* libsession/tls-gnutls-client.c - the certificate that a client shows */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "libsession/tls-gnutls.h"

/* GnuTLS takes a list for good however old it is. */
static int
crl_times(struct tls_module_ctx *ctx, const gnutls_datum_t *pem)
{
	gnutls_x509_crl_t *crl;
	unsigned int n;
	int rc = gnutls_x509_crl_list_import2(&crl, &n, pem,
	    GNUTLS_X509_FMT_PEM, 0);

	if (rc < 0)
		return rc;
	for (unsigned int i = 0; i < n; i++) {
		time_t t = gnutls_x509_crl_get_next_update(crl[i]);

		if (t > 0 && (ctx->crl_until == 0 || t < ctx->crl_until))
			ctx->crl_until = t;
		gnutls_x509_crl_deinit(crl[i]);
	}
	gnutls_free(crl);
	if (ctx->crl_until != 0 && ctx->crl_until <= time(NULL))
		ctx->host->warn("client-crl-file: a list has expired: no "
		    "certificate of a client is taken");
	return 0;
}

int
tls_client_init(struct tls_module_ctx *ctx, const char **what_r)
{
	struct slice ca = ctx->files.client_ca, crl = ctx->files.client_crl;
	gnutls_datum_t d = { (unsigned char *)(uintptr_t)ca.p,
		(unsigned int)ca.n };
	int rc;

	*what_r = "client-ca-file";
	if (ca.n > 0) {
		rc = gnutls_certificate_set_x509_trust_mem(ctx->cred, &d,
		    GNUTLS_X509_FMT_PEM);
		if (rc <= 0)
			return rc < 0 ? rc : GNUTLS_E_NO_CERTIFICATE_FOUND;
	}
	*what_r = "client-crl-file";
	d = (gnutls_datum_t){ (unsigned char *)(uintptr_t)crl.p,
		(unsigned int)crl.n };
	if (crl.n == 0)
		return 0;
	rc = gnutls_certificate_set_x509_crl_mem(ctx->cred, &d,
	    GNUTLS_X509_FMT_PEM);
	return rc < 0 ? rc : crl_times(ctx, &d);
}

static int
verify(struct tls_conn *conn, unsigned int *status_r)
{
	gnutls_typed_vdata_st want = { GNUTLS_DT_KEY_PURPOSE_OID,
		(unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT, 0 };

	return gnutls_certificate_verify_peers(conn->s, &want, 1, status_r);
}

/* Asked again after resumption: the certificate is in the ticket, and may have
 * expired. */
int
tls_client_verify(struct tls_conn *conn, const char **why_r)
{
	gnutls_datum_t text;
	unsigned int status = 0, n = 0;
	int rc;

	*why_r = NULL;
	if (conn->client == CONF_CLIENT_NONE ||
	    gnutls_certificate_type_get2(conn->s, GNUTLS_CTYPE_CLIENT) !=
		GNUTLS_CRT_X509 ||
	    gnutls_certificate_get_peers(conn->s, &n) == NULL || n == 0)
		return -1;
	*why_r = conn->peer;
	if ((rc = verify(conn, &status)) < 0) {
		snprintf(conn->peer, sizeof(conn->peer), "%s",
		    gnutls_strerror(rc));
		return -1;
	}
	if (status == 0 && (conn->ctx->crl_until == 0 ||
	    conn->ctx->crl_until > time(NULL)))
		return 0;
	if (status == 0) {
		snprintf(conn->peer, sizeof(conn->peer),
		    "the revocation list has expired");
		return -1;
	}
	snprintf(conn->peer, sizeof(conn->peer), "it can't be verified");
	if (gnutls_certificate_verification_status_print(status,
		GNUTLS_CRT_X509, &text, 0) >= 0) {
		snprintf(conn->peer, sizeof(conn->peer), "%s",
		    (const char *)text.data);
		gnutls_free(text.data);
	}
	return -1;
}

static gnutls_alert_description_t
alert_of(struct tls_conn *conn)
{
	unsigned int status = 0;

	if (verify(conn, &status) < 0)	/* RFC 8446 4.4.2.4, RFC 5246 7.4.6 */
		return gnutls_protocol_get_version(conn->s) == GNUTLS_TLS1_3 ?
		    GNUTLS_A_CERTIFICATE_REQUIRED : GNUTLS_A_HANDSHAKE_FAILURE;
	return (status & GNUTLS_CERT_EXPIRED) != 0 ?
	    GNUTLS_A_CERTIFICATE_EXPIRED :
	    (status & GNUTLS_CERT_REVOKED) != 0 ?
	    GNUTLS_A_CERTIFICATE_REVOKED :
	    (status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0 ?
	    GNUTLS_A_UNKNOWN_CA : GNUTLS_A_BAD_CERTIFICATE;
}

int
tls_client_check(struct tls_conn *conn)
{
	const char *why;

	if (conn->client != CONF_CLIENT_REQUIRED ||
	    tls_client_verify(conn, &why) == 0)
		return 0;
	snprintf(conn->error, sizeof(conn->error),
	    "TLS handshake: client certificate: %s",
	    why != NULL ? why : "none was shown");
	gnutls_alert_send(conn->s, GNUTLS_AL_FATAL, alert_of(conn));
	return -1;
}

/* A NUL within is somebody's trick. */
static int
take(char *out, size_t n)
{
	return n > 0 && memchr(out, '\0', n) == NULL ? 0 : -1;
}

static int
common_name(gnutls_x509_crt_t crt, unsigned int i, char *out, size_t room)
{
	size_t n = room - 1;

	if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME,
		(int)i, 0, out, &n) < 0)
		return -1;
	out[n] = '\0';
	return take(out, n);
}

/* The i-th that is an e-mail address (RFC 5280 4.2.1.6). */
static int
email(gnutls_x509_crt_t crt, unsigned int i, char *out, size_t room)
{
	unsigned int critical;

	for (unsigned int k = 0;; k++) {
		size_t n = room - 1;
		int type = gnutls_x509_crt_get_subject_alt_name(crt, k, out,
		    &n, &critical);

		if (type == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue;	/* no name of ours is so long */
		if (type < 0)
			return -1;
		if (type != GNUTLS_SAN_RFC822NAME || i-- > 0)
			continue;
		out[n] = '\0';
		return take(out, n);
	}
}

int
tls_client_name(struct tls_conn *conn, bool common, unsigned i, char *out,
    size_t room)
{
	const gnutls_datum_t *der;
	gnutls_x509_crt_t crt;
	unsigned int n = 0;
	int rc = -1;

	der = gnutls_certificate_get_peers(conn->s, &n);
	if (der == NULL || n == 0 || gnutls_x509_crt_init(&crt) < 0)
		return -1;
	if (gnutls_x509_crt_import(crt, &der[0], GNUTLS_X509_FMT_DER) >= 0)
		rc = common ? common_name(crt, i, out, room) :
		    email(crt, i, out, room);
	gnutls_x509_crt_deinit(crt);
	return rc;
}
