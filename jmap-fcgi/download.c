/* jmap-fcgi/download.c - the download resource (RFC 8620 6.2) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/blob.h"
#include "jmap-fcgi/uri.h"
#include "jmap-fcgi/web.h"
#include "libbase/log.h"
#include "libbase/text.h"

/* The "type" of the URL, checked; false: answered. */
static bool
media_type(struct web *w, const char **type_r)
{
	struct slice s;
	int rc = uri_param(w->arena, w->query, "type", &s);

	if (rc == 1 || (rc == 0 && s.n == 0))
		s = SLICE_LIT("application/octet-stream");
	if (rc < 0 || !http_media_type_ok(s)) {
		web_fail(w, 400, "\"type\" is not a media type.");
		return false;
	}
	*type_r = arena_strndup(w->arena, s.p, s.n);
	return true;
}

static int
send_piece(void *arg, const void *p, size_t n)
{
	return web_write(arg, p, n) < 0 ? STORE_E_DENIED : 0;
}

static void
send_blob(struct web *w, struct blob *b, const char *type)
{
	struct buf d;
	int rc;

	buf_init(&d, 4000);
	http_disposition(&d, utf8_clean(w->arena, w->var[2]));
	web_header(w, "Cache-Control: private, immutable, max-age=31536000");
	/* A browser must not run what somebody sent by mail. */
	web_header(w, "Content-Security-Policy: default-src 'none'; sandbox");
	if (d.overflow)
		web_header(w, "Content-Disposition: attachment");
	else
		web_header(w, "Content-Disposition: %.*s", (int)d.n, d.p);
	buf_release(&d);
	if (web_not_modified(w, arena_printf(w->arena, "\"%.*s\"",
	    (int)w->var[1].n, w->var[1].p)))
		return;
	web_begin(w, 200, type, b->size);
	if (strcmp(w->method, "HEAD") == 0)
		return;
	rc = blob_each(b, send_piece, w);
	if (rc < 0 && rc != STORE_E_DENIED)
		log_err("%s: download: %s (%d)", w->user.account,
		    store_errmsg(w->user.st), rc);
}

void
download_serve(struct web *w)
{
	const char *type;
	struct account *ac;
	struct blob b;
	int rc;

	if (!web_account(w, true, &ac) || !media_type(w, &type))
		return;
	rc = blob_open_in(ac, &w->env->store_conf.mime, w->var[1], &b);
	if (rc == STORE_E_NOTFOUND)
		web_fail(w, 404, "There is no such blob.");
	else if (rc < 0)
		web_store_failed(w, "download", rc);
	if (rc < 0)
		return;
	send_blob(w, &b, type);
	blob_close(&b);
}
