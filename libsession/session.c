/* libsession/session.c - one connection from its first octet to its last */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "libbase/io.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/confine.h"
#include "libsession/proxy.h"
#include "libsession/session-int.h"
#include "libsession/stats.h"
#include "libstore/store.h"

enum { INPUT_BEYOND = 65536 };	/* buffered, beside the longest line */

static void
passwords_update(struct session *s)
{
	bool secure = sio_secure(s->io);

	s->tls_offered = !secure && s->tls != NULL &&
	    s->listener->tls == CONF_TLS_STARTTLS;
	/* Who asks for a certificate wants to see one before a password. */
	s->plaintext_ok = secure ||
	    (s->listener->client != CONF_CLIENT_REQUIRED &&
		(s->local || s->listener->plaintext_login));
}

static int
handshake(struct session *s)
{
	struct tls_want want = { .client = s->listener->client,
		.cert = s->listener->cert };
	const char *why;
	int rc;

	if (s->listener->protocol == CONF_IMAP)	/* IANA's names */
		want.alpn = "imap";
	else if (s->listener->protocol == CONF_POP3)
		want.alpn = "pop3";
	rc = sio_starttls(s->io, s->tls, &want,
	    (int)s->listener->login_timeout_s * 1000);
	if (rc < 0) {
		why = sio_error(s->io);
		/* Who only looks whether we are there is no trouble. */
		log_msg(rc == SIO_EOF || rc == SIO_STOP ? LOG_L_INFO :
							  LOG_L_WARN,
		    "TLS failed: peer=%s listener=%s: %s", s->peer,
		    s->listener->name, why != NULL ? why : "-");
	} else {
		log_debug("TLS: %s", sio_tls_info(s->io));
		s->certified = sio_tls_peer(s->io, &why) == 0;
		if (!s->certified && why != NULL)
			log_warn("TLS: the client's certificate is not taken: "
			    "peer=%s: %s", s->peer, why);
	}
	passwords_update(s);
	return rc;
}

int
session_starttls(struct session *s)
{
	size_t n = sio_input(s->io).n;

	if (!s->tls_offered)
		return SIO_ERROR;
	if (n > 0)	/* a clumsy client, or somebody between us and it */
		log_warn("STARTTLS: %zu octets that came before TLS are not "
		    "obeyed", n);
	return handshake(s);
}

void
session_store_conf(const struct conf *c, struct store_conf *sc_r)
{
	struct store_folder *f = arena_calloc(conf_arena(c), c->n_folders + 1,
	    sizeof(*f));

	for (size_t i = 0; i < c->n_folders; i++) {
		f[i].name = c->folders[i].name;
		f[i].role = STORE_ROLE_NONE;
		if (c->folders[i].role != NULL)
			store_role_from(slice_str(c->folders[i].role),
			    &f[i].role);
	}
	*sc_r = (struct store_conf){
		.mail_dir = c->mail_dir,
		.first_modseq = (uint64_t)time(NULL),
		.engine = c->engine,
		.lock_wait_ms = c->lock_wait_s * 1000,
		.any_fs = c->any_fs,
		.max_message = c->max_message,
		.max_mailboxes = c->max_mailboxes,
		.retention_s = c->retention_s,
		.log_keep_s = c->journal_retention_s == 0 ? STORE_NEVER :
		    c->journal_retention_s,
		.upload_ttl_s = c->upload_ttl_s,
		.meta_value = c->metadata_value,
		.meta_entries = c->metadata_entries,
		.meta_size = c->metadata_size,
		.push_socket = c->push_socket,
		.mime = { .depth = c->mime_depth,
			.parts = c->mime_parts,
			.fields = c->mime_headers,
			.field_len = c->mime_header_len },
		.folders = f,
		.n_folders = c->n_folders
	};
}

void
session_command(struct session *s, const char *name, const char *why)
{
	char text[LOG_QUOTED];

	s->commands++;
	if (why == NULL || ++s->refused > SESSION_REFUSED)
		return;
	log_info("refused: command=\"%s\" why=%s", name,
	    log_quote(slice_str(why), text));
}

/* The access log: one line a connection. */
static void
log_end(const struct session *s, int rc, int64_t ms, const char *tls)
{
	const char *why = s->stop ? "shutdown" :
	    rc == SIO_EOF	  ? "closed by the peer" :
	    rc == SIO_TIMEOUT	  ? "timeout" :
	    rc == SIO_ERROR	  ? "connection failed" :
				    "done";
	const char *detail = sio_error(s->io);
	char user[LOG_QUOTED], suite[LOG_QUOTED];

	log_info("end: %s%s%s%s; user=%s account=%s in=%" PRIu64
		 " out=%" PRIu64 " time=%" PRId64 ".%03d commands=%" PRIu64
		 " refused=%" PRIu64 " protocol=%s peer=%s tls=%s",
	    why, detail != NULL ? " (" : "", detail != NULL ? detail : "",
	    detail != NULL ? ")" : "", log_quote(slice_str(s->user), user),
	    s->account != NULL ? s->account : "-", sio_bytes_in(s->io),
	    sio_bytes_out(s->io), ms / 1000, (int)(ms % 1000),
	    s->commands, s->refused, conf_protocol_name(s->listener->protocol),
	    s->peer, log_quote(slice_str(tls), suite));
}

/* stats: of stats_open() */
static void
count(const struct session *s, int stats, int64_t ms)
{
	const uint64_t add[STATS_N] = { [STATS_SESSIONS] = 1,
		[STATS_TLS] = sio_secure(s->io),
		[STATS_LOGINS] = s->account != NULL,
		[STATS_LOGIN_FAILURES] = s->failures,
		[STATS_COMMANDS] = s->commands, [STATS_REFUSED] = s->refused,
		[STATS_BYTES_IN] = sio_bytes_in(s->io),
		[STATS_BYTES_OUT] = sio_bytes_out(s->io),
		[STATS_MS] = (uint64_t)ms };

	stats_add(stats, s->listener->protocol, add);
}

/* Behind a proxy, the client is whom it names. */
static int
from_proxy(struct session *s, int fd, const sigset_t *mask,
    char peer[PEER_MAX])
{
	const char *why = NULL;
	bool named;

	if (proxy_client(s->listener, fd, mask, &s->stop, peer, &named,
		&why) < 0) {
		log_warn("PROXY: peer=%s listener=%s: %s", peer,
		    s->listener->name, why);
		return SIO_ERROR;
	}
	if (named) {
		log_debug("for %s", peer);
		log_session(peer);
		s->local = false;
		passwords_update(s);
	}
	return 0;
}

static int
serve(struct session *s, const struct server *srv)
{
	int rc;

	if (s->listener->tls == CONF_TLS_IMPLICIT && s->preauth == NULL &&
	    (rc = handshake(s)) < 0)
		return rc;
	/* Until somebody is logged in; LMTP knows no login. */
	if (s->preauth == NULL && srv->protocol != CONF_LMTP)
		sio_input_deadline(s->io,
		    (int)s->listener->login_timeout_s * 1000);
	return srv->serve(s);
}

void
session_run(const struct setup *setup, const struct conf_listener *l, int rfd,
    int wfd, const char *preauth, const sigset_t *mask,
    volatile sig_atomic_t *volatile *stop_r)
{
	struct session *s = xcalloc(1, sizeof(*s));
	int64_t start = time_mono_ms();
	char peer[PEER_MAX], tls[160] = "";
	int rc, stats = stats_open(setup->conf);

	peer_name(rfd, peer, &s->local);
	log_session(peer);
	log_debug("begin");
	s->conf = setup->conf;
	s->listener = l;
	s->peer = peer;
	s->preauth = preauth;
	s->tls = preauth == NULL ? setup->tls : NULL;
	session_store_conf(s->conf, &s->store_conf);
	if (setup->srv->protocol == CONF_LMTP) {
		confine_files(s->conf, CONFINE_DELIVERY);
		confine_calls(s->conf, CONFINE_DELIVERY);
	} else
		confine_files(s->conf, CONFINE_LOGIN);
	s->io = sio_new(rfd, wfd);
	sio_max_input(s->io, (size_t)s->conf->max_line + INPUT_BEYOND);
	sio_set_stop(s->io, &s->stop, mask);
	s->stop = server_signals.term;
	*stop_r = &s->stop;
	passwords_update(s);
	rc = preauth == NULL ? from_proxy(s, rfd, mask, peer) : 0;
	if (rc == 0)
		rc = serve(s, setup->srv);
	sio_flush(s->io);
	if (sio_secure(s->io))
		snprintf(tls, sizeof(tls), "%s", sio_tls_info(s->io));
	start = time_mono_ms() - start;
	log_end(s, rc, start, tls);
	count(s, stats, start);
	io_close(&stats);
	/* The client need not wait for our upkeep. */
	sio_free(&s->io);
	if (s->store != NULL && !s->stop)
		store_idle(s->store, false);
	*stop_r = NULL;
	login_forget(s);
	xfree(s);
	log_session(NULL);
}
