/* libsession/setup.c - configuration and TLS files: read, and read again */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/session-int.h"

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

/* What the files look like; one that is not there looks like nothing. */
static void
look(const struct conf *c, struct stat st[SETUP_FILES])
{
	const char *path[SETUP_FILES] = { c->path, c->certificate, c->key,
		c->certificate != NULL ? c->ticket_key : NULL };

	memset(st, 0, SETUP_FILES * sizeof(*st));
	for (size_t i = 0; i < SETUP_FILES; i++)
		if (path[i] != NULL && stat(path[i], &st[i]) < 0)
			memset(&st[i], 0, sizeof(st[i]));
}

static bool
looks_same(const struct stat *a, const struct stat *b)
{
	for (size_t i = 0; i < SETUP_FILES; i++)
		if (a[i].st_ino != b[i].st_ino || a[i].st_dev != b[i].st_dev ||
		    a[i].st_size != b[i].st_size ||
		    a[i].st_mtim.tv_sec != b[i].st_mtim.tv_sec ||
		    a[i].st_mtim.tv_nsec != b[i].st_mtim.tv_nsec)
			return false;
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

	new.conf = NULL;
	new.tls = NULL;
	new.priv = (struct priv){ .set = false };
	if (conf_load(s->path, &new.conf, err_r) < 0)
		return -1;
	look(new.conf, new.files);
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
		look(new.conf, new.files);	/* a new ticket key */
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
	struct stat now[SETUP_FILES];
	char *err = NULL;

	look(s->conf, now);
	if (!force && looks_same(now, s->files))
		return;
	if (setup_load(s, &err) == 0) {
		log_info("%s: read again", s->path);
		return;
	}
	log_err("%s", err);
	log_err("the change is not in force");
	xfree(err);
	/* Not again before the next change. */
	memcpy(s->files, now, sizeof(now));
}

void
setup_release(struct setup *s)
{
	tls_ctx_free(&s->tls);
	priv_release(&s->priv);
	conf_free(&s->conf);
}
