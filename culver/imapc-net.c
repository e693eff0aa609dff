/* culver/imapc-net.c - an IMAP client: another server, by TCP and TLS */
#include "config.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "culver/imapc-int.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

enum { SILENCE_S = 120 };

struct imapc_tls {
	gnutls_session_t session;
	gnutls_certificate_credentials_t cred;
};

/* ---- TLS --------------------------------------------------------------- */

ssize_t
imapc_tls_read(struct imapc *m, void *p, size_t n)
{
	int64_t end = time_mono_ms() + SILENCE_S * 1000;
	ssize_t rc;

	/* AGAIN is also what isn't for us, as a ticket for a next session. */
	do
		rc = gnutls_record_recv(m->tls->session, p, n);
	while (rc == GNUTLS_E_INTERRUPTED ||
	    (rc == GNUTLS_E_AGAIN && time_mono_ms() < end));
	if (rc == GNUTLS_E_AGAIN)
		errno = EAGAIN;
	else if (rc < 0)
		errno = EIO;
	return rc < 0 ? -1 : rc;
}

int
imapc_tls_write(struct imapc *m, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t rc = gnutls_record_send(m->tls->session, at, n);

		if (rc == GNUTLS_E_INTERRUPTED)
			continue;
		if (rc <= 0)
			return -1;
		at += rc;
		n -= (size_t)rc;
	}
	return 0;
}

void
imapc_tls_end(struct imapc *m)
{
	if (!m->tls)
		return;
	(void)gnutls_bye(m->tls->session, GNUTLS_SHUT_WR);
	gnutls_deinit(m->tls->session);
	gnutls_certificate_free_credentials(m->tls->cred);
	xfree(m->tls);
	m->tls = NULL;
}

static int
handshake_failed(struct imapc *m, int rc)
{
	gnutls_datum_t text;
	unsigned status = gnutls_session_get_verify_cert_status(
	    m->tls->session);

	if (rc == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR &&
	    gnutls_certificate_verification_status_print(status,
	    GNUTLS_CRT_X509, &text, 0) == 0) {
		complain("%s: %s", m->name, (const char *)text.data);
		gnutls_free(text.data);
	} else {
		complain("%s: TLS: %s", m->name, gnutls_strerror(rc));
	}
	m->failed = true;
	return -1;
}

static int
handshake(struct imapc *m, const char *host, const char *ca)
{
	struct imapc_tls *t = m->tls = xcalloc(1, sizeof(*t));
	int rc;

	if (gnutls_certificate_allocate_credentials(&t->cred) < 0 ||
	    gnutls_init(&t->session, GNUTLS_CLIENT) < 0)
		return -1;
	rc = ca ? gnutls_certificate_set_x509_trust_file(t->cred, ca,
	    GNUTLS_X509_FMT_PEM) :
	    gnutls_certificate_set_x509_system_trust(t->cred);
	if (rc <= 0) {
		complain("%s: no certificates to trust", ca ? ca :
		    "the system");
		m->failed = true;
		return -1;
	}
	gnutls_set_default_priority(t->session);
	gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->cred);
	gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, host,
	    strlen(host));
	gnutls_session_set_verify_cert(t->session, host, 0);
	gnutls_transport_set_int(t->session, m->fd);
	do
		rc = gnutls_handshake(t->session);
	while (rc < 0 && !gnutls_error_is_fatal(rc) && rc != GNUTLS_E_AGAIN);
	return rc < 0 ? handshake_failed(m, rc) : 0;
}

/* ---- TCP --------------------------------------------------------------- */

static int
dial(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *all;
	struct timeval tv = { .tv_sec = SILENCE_S };
	int rc = getaddrinfo(host, port, &hints, &all), fd = -1;

	if (rc != 0) {
		complain("%s: %s", host, gai_strerror(rc));
		return -1;
	}
	for (struct addrinfo *a = all; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
		if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
			rc = errno;
			io_close(&fd);
		}
	}
	if (fd < 0)
		complain("%s port %s: %s", host, port, strerror(rc));
	freeaddrinfo(all);
	return fd;
}

/* The greeting comes before STARTTLS, or in TLS; what came in the clear behind
 * the OK isn't believed. */
static int
begin(struct imapc *m, const struct imapc_server *s)
{
	bool preauth;

	if (s->tls == IMAPC_TLS && handshake(m, s->host, s->ca_file) < 0)
		return -1;
	if (imapc_greeting(m, &preauth) < 0)
		return -1;
	if (s->tls == IMAPC_STARTTLS) {
		if (imapc_command(m, SLICE_LIT("STARTTLS"), NULL, NULL) < 0)
			return -1;
		if (preauth || m->in.n > m->used) {
			complain("%s: it talks on after STARTTLS", m->name);
			m->failed = true;
			return -1;
		}
		return handshake(m, s->host, s->ca_file);
	}
	return 0;
}

static int
login(struct imapc *m, const struct imapc_server *s)
{
	struct buf b;
	int rc;

	buf_init(&b, 16384);
	buf_add_str(&b, "LOGIN ");
	imapc_put_string(&b, slice_str(s->user));
	buf_addc(&b, ' ');
	imapc_put_string(&b, slice_str(s->password));
	rc = imapc_command(m, buf_slice(&b), NULL, NULL);
	if (b.n > 0)
		explicit_bzero(b.p, b.n);
	buf_release(&b);
	return rc;
}

int
imapc_remote(const struct imapc_server *s, struct imapc **m_r)
{
	const char *port = s->port ? s->port :
	    s->tls == IMAPC_TLS ? "993" : "143";
	int fd = dial(s->host, port);
	struct imapc *m;

	if (fd < 0)
		return EXIT_TEMP;
	m = imapc_new(fd, s->host);
	if (begin(m, s) == 0 && login(m, s) == 0) {
		*m_r = m;
		return 0;
	}
	imapc_close(&m);
	return EXIT_TEMP;
}
