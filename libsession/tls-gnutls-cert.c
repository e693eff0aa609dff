/* libsession/tls-gnutls-cert.c - the server's certificates: read, and chosen */
#include "config.h"

#include <gnutls/ocsp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "libsession/tls-gnutls.h"

enum { KEY_ID_MAX = 64, NAME_MAX_LEN = 256, EXT_SIGNATURE_ALGORITHMS = 13 };

static gnutls_datum_t
datum(struct slice s)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)s.p,
		(unsigned int)s.n };
}

static void
warn(struct tls_module_ctx *ctx, const struct tls_cert *t, const char *what,
    const char *why)
{
	char text[512];

	snprintf(text, sizeof(text), "%s: %s (%s)", what, why, t->files->name);
	ctx->host->warn(text);
}

/* ---- OCSP (RFC 6960), stapled (RFC 6066 8, RFC 8446 4.4.2.1) ----------- */

/* NULL, or what is wrong with the response. */
static const char *
ocsp_fault(gnutls_ocsp_resp_t r, const struct tls_cert *t, time_t *until_r)
{
	unsigned int status;
	time_t from, until;
	int rc;

	if (gnutls_ocsp_resp_get_status(r) != GNUTLS_OCSP_RESP_SUCCESSFUL)
		return "the responder refused to answer";
	if (gnutls_ocsp_resp_check_crt(r, 0, t->leaf) < 0)
		return "it is about another certificate";
	rc = gnutls_ocsp_resp_get_single(r, 0, NULL, NULL, NULL, NULL, &status,
	    &from, &until, NULL, NULL);
	if (rc < 0)
		return gnutls_strerror(rc);
	if (status == GNUTLS_OCSP_CERT_REVOKED)
		return "the certificate is revoked";
	if (status != GNUTLS_OCSP_CERT_GOOD)
		return "the responder doesn't know the certificate";
	*until_r = until == (time_t)-1 ? 0 : until;
	return *until_r != 0 && *until_r <= time(NULL) ? "it has expired" :
	    NULL;
}

/* A response that doesn't do is not sent; TLS goes on without. */
static void
ocsp_read(struct tls_module_ctx *ctx, struct tls_cert *t)
{
	static const char pem[] = "-----BEGIN";
	gnutls_datum_t d = datum(t->files->ocsp);
	gnutls_ocsp_resp_t r;
	const char *why;
	int rc;

	if (d.size == 0 || (rc = gnutls_ocsp_resp_init(&r)) < 0)
		return;
	rc = gnutls_ocsp_resp_import2(r, &d, d.size > sizeof(pem) &&
		memcmp(d.data, pem, sizeof(pem) - 1) == 0 ?
	    GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER);
	why = rc < 0 ? gnutls_strerror(rc) : ocsp_fault(r, t, &t->ocsp.exptime);
	if (why == NULL && (rc = gnutls_ocsp_resp_export2(r,
		&t->ocsp.response, GNUTLS_X509_FMT_DER)) < 0)
		why = gnutls_strerror(rc);
	if (why != NULL)
		warn(ctx, t, "OCSP response", why);
	gnutls_ocsp_resp_deinit(r);
}

/* ---- reading ----------------------------------------------------------- */

static int
cert_read(struct tls_module_ctx *ctx, struct tls_cert *t)
{
	gnutls_datum_t pem = datum(t->files->certificate);
	unsigned int n = TLS_CHAIN_MAX;
	int rc;

	if (t->tried)
		return t->leaf != NULL ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
	t->tried = true;
	rc = gnutls_pcert_list_import_x509_raw(t->chain, &n, &pem,
	    GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT);
	if (rc < 0)
		return rc;
	t->n = n;
	if ((rc = gnutls_pcert_export_x509(&t->chain[0], &t->leaf)) < 0)
		return rc;
	if (gnutls_x509_crt_get_expiration_time(t->leaf) < time(NULL))
		warn(ctx, t, "certificate", "it has expired");
	ocsp_read(ctx, t);
	return 0;
}

/*
 * Asked for in a full handshake only: so a resumed one does without the key,
 * whose parsing is what costs (RSA: 21 M instructions).
 */
static int
key_read(struct tls_cert *t)
{
	gnutls_datum_t pem = datum(t->files->key);
	int rc;

	if (t->key != NULL)
		return 0;
	if ((rc = gnutls_privkey_init(&t->key)) < 0)
		return rc;
	rc = gnutls_privkey_import_x509_raw(t->key, &pem, GNUTLS_X509_FMT_PEM,
	    NULL, 0);
	if (rc < 0) {
		gnutls_privkey_deinit(t->key);
		t->key = NULL;
	}
	return rc;
}

/* Does the private key belong to the first certificate? */
static int
key_check(const struct tls_cert *t)
{
	unsigned char a[KEY_ID_MAX], b[KEY_ID_MAX];
	size_t an = sizeof(a), bn = sizeof(b);
	gnutls_pubkey_t pub;
	int rc;

	if ((rc = gnutls_pubkey_init(&pub)) < 0)
		return rc;
	if ((rc = gnutls_pubkey_import_privkey(pub, t->key, 0, 0)) >= 0 &&
	    (rc = gnutls_pubkey_get_key_id(pub, 0, a, &an)) >= 0 &&
	    (rc = gnutls_pubkey_get_key_id(t->chain[0].pubkey, 0, b, &bn)) >=
		0 &&
	    (an != bn || memcmp(a, b, an) != 0))
		rc = GNUTLS_E_CERTIFICATE_KEY_MISMATCH;
	gnutls_pubkey_deinit(pub);
	return rc < 0 ? rc : 0;
}

int
tls_certs_init(struct tls_module_ctx *ctx, bool full, const char **what_r,
    const char **file_r)
{
	size_t n = ctx->files.n_certs;
	int rc;

	ctx->cert = ctx->host->alloc(n * sizeof(*ctx->cert));
	for (size_t i = 0; i < n; i++)
		ctx->cert[i].files = &ctx->files.certs[i];
	/* The rest when a client asks for another name than the first's. */
	for (size_t i = 0; i < (full ? n : 1); i++) {
		struct tls_cert *t = &ctx->cert[i];

		*file_r = t->files->name;
		*what_r = "certificate";
		if ((rc = cert_read(ctx, t)) < 0)
			return rc;
		*what_r = "private key";
		if (full && ((rc = key_read(t)) < 0 || (rc = key_check(t)) < 0))
			return rc;
	}
	return 0;
}

void
tls_certs_release(struct tls_module_ctx *ctx)
{
	for (size_t i = 0; ctx->cert != NULL && i < ctx->files.n_certs; i++) {
		struct tls_cert *t = &ctx->cert[i];

		if (t->key != NULL)
			gnutls_privkey_deinit(t->key);
		if (t->leaf != NULL)
			gnutls_x509_crt_deinit(t->leaf);
		for (unsigned int k = 0; k < t->n; k++)
			gnutls_pcert_deinit(&t->chain[k]);
		gnutls_free(t->ocsp.response.data);
	}
	ctx->host->release(ctx->cert);
}

/* ---- choosing ---------------------------------------------------------- */

/* RFC 8446 4.2.3, RFC 5246 7.4.1.4.1 */
static unsigned int
kind_of_scheme(unsigned int high, unsigned int low)
{
	if (high == 8)
		return low == 7 || low == 8 ? TLS_KIND_EDDSA : TLS_KIND_RSA;
	return low == 1 ? TLS_KIND_RSA : low == 3 ? TLS_KIND_ECDSA : 0;
}

static int
look_at(void *arg, unsigned int id, const unsigned char *p, unsigned int n)
{
	struct tls_conn *conn = arg;

	if (id == EXT_SIGNATURE_ALGORITHMS)	/* after their length */
		for (unsigned int i = 2; i + 1 < n; i += 2)
			conn->kinds |= kind_of_scheme(p[i], p[i + 1]);
	return 0;
}

void
tls_cert_hello(struct tls_conn *conn, const gnutls_datum_t *hello)
{
	/* One that is damaged is GnuTLS's to refuse. */
	if (conn->ctx->files.n_certs > 1)
		gnutls_ext_raw_parse(conn, look_at, hello,
		    GNUTLS_EXT_RAW_FLAG_TLS_CLIENT_HELLO);
}

static bool
readable(struct tls_module_ctx *ctx, struct tls_cert *t)
{
	bool first = !t->tried;
	int rc = cert_read(ctx, t);

	if (rc < 0 && first)
		warn(ctx, t, "certificate", gnutls_strerror(rc));
	return rc >= 0;
}

/* Can the client verify what this one signs? */
static bool
usable(const struct tls_conn *conn, const struct tls_cert *t)
{
	unsigned int kind;

	switch (gnutls_pubkey_get_pk_algorithm(t->chain[0].pubkey, NULL)) {
	case GNUTLS_PK_RSA:
	case GNUTLS_PK_RSA_PSS:
		kind = TLS_KIND_RSA;
		break;
	case GNUTLS_PK_ECDSA:
		kind = TLS_KIND_ECDSA;
		break;
	default:
		kind = TLS_KIND_EDDSA;
	}
	return conn->kinds == 0 || (conn->kinds & kind) != 0;
}

/* By name; flags: of check_hostname2.  NULL: there is none. */
static struct tls_cert *
by_name(const struct tls_conn *conn, const char *name, unsigned int flags)
{
	struct tls_module_ctx *ctx = conn->ctx;

	for (size_t i = 0; i < ctx->files.n_certs; i++) {
		struct tls_cert *t = &ctx->cert[i];

		if (readable(ctx, t) && usable(conn, t) &&
		    gnutls_x509_crt_check_hostname2(t->leaf, name,
			flags | GNUTLS_VERIFY_DO_NOT_ALLOW_IP_MATCHES) != 0)
			return t;
	}
	return NULL;
}

/* Of those that the client can verify, one that has the name itself goes before one
 * with a wildcard, both before the listener's first. */
static struct tls_cert *
choose(const struct tls_conn *conn)
{
	struct tls_module_ctx *ctx = conn->ctx;
	struct tls_cert *t = NULL, *first;
	char name[NAME_MAX_LEN];
	size_t n = sizeof(name);
	unsigned int type;

	if (ctx->files.n_certs == 1)
		return &ctx->cert[0];
	if (gnutls_server_name_get(conn->s, name, &n, &type, 0) >= 0 &&
	    type == GNUTLS_NAME_DNS) {
		t = by_name(conn, name, GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS);
		if (t == NULL)
			t = by_name(conn, name, 0);
	}
	first = &ctx->cert[conn->first];
	if (!readable(ctx, first))
		first = &ctx->cert[0];
	if (t == NULL && usable(conn, first))
		t = first;
	for (size_t i = 0; t == NULL && i < ctx->files.n_certs; i++)
		if (readable(ctx, &ctx->cert[i]) && usable(conn, &ctx->cert[i]))
			t = &ctx->cert[i];
	return t != NULL ? t : first;
}

int
tls_cert_retrieve(gnutls_session_t s, const struct gnutls_cert_retr_st *info,
    gnutls_pcert_st **certs, unsigned int *n_certs,
    gnutls_ocsp_data_st **ocsp, unsigned int *n_ocsp, gnutls_privkey_t *key,
    unsigned int *flags)
{
	struct tls_conn *conn = gnutls_session_get_ptr(s);
	struct tls_cert *t = choose(conn);
	int rc;

	(void)info;
	if ((rc = key_read(t)) < 0 || (rc = key_check(t)) < 0) {
		warn(conn->ctx, t, "private key", gnutls_strerror(rc));
		return -1;
	}
	*certs = t->chain;
	*n_certs = t->n;
	*n_ocsp = t->ocsp.response.data != NULL;
	if (*n_ocsp > 0 && t->ocsp.exptime != 0 &&
	    t->ocsp.exptime <= time(NULL)) {	/* since it was read */
		warn(conn->ctx, t, "OCSP response", "it has expired");
		*n_ocsp = 0;
	}
	*ocsp = *n_ocsp > 0 ? &t->ocsp : NULL;
	*key = t->key;
	*flags = 0;		/* all stays ours */
	return 0;
}
