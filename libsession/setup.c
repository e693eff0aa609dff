/* libsession/setup.c - configuration and TLS files: read, and read again */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libsession/secret.h"
#include "libsession/confine.h"
#include "libsession/session-int.h"

enum { TICKET_AGAIN_MS = 60000 };

const struct conf_listener *
setup_listener(const struct conf *c, const struct server *srv,
    const char *name)
{
	const struct conf_listener *l;

	if (name != NULL) {
		l = conf_listener(c, name);
		return l != NULL && l->protocol == srv->protocol ? l : NULL;
	}
	for (size_t i = 0; i < c->n_listeners; i++)
		if (c->listeners[i].protocol == srv->protocol)
			return &c->listeners[i];
	return NULL;
}

/* One that is not there looks like nothing. */
static void
look_at(const char *path, struct stat *st)
{
	if (path == NULL || stat(path, st) < 0)
		memset(st, 0, sizeof(*st));
}

/* What all files look like that are read; how many.  The first is the
 * configuration's. */
static size_t
look(const struct conf *c, struct stat **st_r)
{
	const char *path[] = { c->path,
		c->certificate != NULL ? c->ticket_key : NULL, c->certificate,
		c->key, c->ocsp, c->client_ca, c->client_crl };
	size_t n = sizeof(path) / sizeof(path[0]);
	struct stat *st = xcalloc(n + 3 * c->n_certs, sizeof(*st));

	for (size_t i = 0; i < n; i++)
		look_at(path[i], &st[i]);
	for (size_t i = 0; i < c->n_certs; i++) {
		look_at(c->certs[i].certificate, &st[n++]);
		look_at(c->certs[i].key, &st[n++]);
		look_at(c->certs[i].ocsp, &st[n++]);
	}
	*st_r = st;
	return n;
}

static bool
looks_same(const struct stat *a, const struct stat *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].st_ino != b[i].st_ino || a[i].st_dev != b[i].st_dev ||
		    a[i].st_size != b[i].st_size ||
		    a[i].st_mtim.tv_sec != b[i].st_mtim.tv_sec ||
		    a[i].st_mtim.tv_nsec != b[i].st_mtim.tv_nsec)
			return false;
	return true;
}

/* Is it time for another ticket key, which reading makes?  Once a minute: it may
 * be that there can't be one. */
static bool
ticket_due(struct setup *s)
{
	int64_t now = time_mono_ms();

	if (s->tls == NULL || now - s->ticket_ms < TICKET_AGAIN_MS ||
	    !secret_too_old(tls_ctx_ticket(s->tls), s->conf->ticket_lifetime_s))
		return false;
	s->ticket_ms = now;
	return true;
}

static bool
wants_tls(const struct conf *c, const struct server *srv)
{
	for (size_t i = 0; i < c->n_listeners; i++)
		if (c->listeners[i].protocol == srv->protocol &&
		    c->listeners[i].tls != CONF_TLS_NONE)
			return true;
	return false;
}

int
setup_load(struct setup *s, char **err_r)
{
	struct setup new = *s;
	struct stat st;

	new.conf = NULL;
	new.tls = NULL;
	new.files = NULL;
	new.priv = (struct priv){ .set = false };
	/* Looked at before they are read: what changes then is seen. */
	look_at(s->path, &st);
	if (conf_load(s->path, &new.conf, err_r) < 0)
		return -1;
	new.n_files = look(new.conf, &new.files);
	new.files[0] = st;
	if (setup_listener(new.conf, s->srv, s->listener) == NULL) {
		*err_r = s->listener != NULL ?
		    xasprintf("%s: no listener \"%s\" for %s", s->path,
			s->listener, s->srv->name) :
		    xasprintf("%s: no listener for %s", s->path, s->srv->name);
		goto fail;
	}
	if (priv_lookup(&new.priv, new.conf->user) < 0) {
		*err_r = xasprintf("%s: user \"%s\": %s", s->path,
		    new.conf->user, strerror(errno));
		goto fail;
	}
	if (wants_tls(new.conf, s->srv)) {
		if (tls_ctx_new(new.conf, &new.tls, err_r) < 0 ||
		    (s->preload && tls_ctx_load(new.tls, true, err_r) < 0))
			goto fail;
		new.files[1] = *tls_ctx_ticket(new.tls);	/* maybe new */
	}
	setup_release(s);
	*s = new;
	return 0;
fail:
	setup_release(&new);
	return -1;
}

void
setup_refresh(struct setup *s, bool force)
{
	struct stat *now;
	char *err = NULL;
	size_t n = look(s->conf, &now);

	if (!force && looks_same(now, s->files, n) && !ticket_due(s)) {
		xfree(now);
		return;
	}
	if (setup_load(s, &err) == 0) {
		xfree(now);
		log_info("%s: read again", s->path);
		return;
	}
	log_err("%s", err);
	log_err("the change is not in force");
	xfree(err);
	/* Not again before the next change. */
	xfree(s->files);
	s->files = now;
}

void
setup_release(struct setup *s)
{
	tls_ctx_free(&s->tls);
	priv_release(&s->priv);
	conf_free(&s->conf);
	xfree(s->files);
	s->files = NULL;
}

bool
setup_starts_programs(const struct setup *s)
{
	return confine_starts_programs(s->conf, s->srv->protocol == CONF_LMTP ?
	    CONFINE_DELIVERY : CONFINE_LOGIN);
}
