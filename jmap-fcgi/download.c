/* jmap-fcgi/download.c - the download resource (RFC 8620 6.2) */
#include "config.h"

#include <inttypes.h>

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

struct part {			/* of the blob that is sent */
	uint64_t off, len;
};

/* "bytes=5-9", "bytes=5-" or "bytes=-9"; 0: no such thing, or several, which
 * may be ignored (RFC 9110 14.2); -1: there is nothing of it. */
static int
parse_range(struct slice s, uint64_t size, struct part *p)
{
	const struct slice unit = SLICE_LIT("bytes=");
	uint64_t first = 0, last = 0;
	struct slice a, b;
	const char *dash;

	if (!slice_istarts(s, unit))
		return 0;
	a = slice_trim(slice_make(s.p + unit.n, s.n - unit.n));
	if ((dash = memchr(a.p, '-', a.n)) == NULL)
		return 0;
	b = slice_make(dash + 1, a.n - (size_t)(dash - a.p) - 1);
	a.n = (size_t)(dash - a.p);
	if ((a.n > 0 && slice_uint(a, INT64_MAX, &first) < 0) ||
	    (b.n > 0 && slice_uint(b, INT64_MAX, &last) < 0) ||
	    a.n + b.n == 0 || (a.n > 0 && b.n > 0 && last < first))
		return 0;
	if (a.n == 0) {		/* so many at the end */
		first = last < size ? size - last : 0;
		if (last == 0)
			return -1;
		last = size;
	}
	if (first >= size)
		return -1;
	p->off = first;
	p->len = (b.n == 0 || last >= size ? size : last + 1) - first;
	return 1;
}

/* What is asked for: 0 all of it, 1 a part, -1 one that isn't there. */
static int
take_range(const struct web *w, uint64_t size, const char *etag,
    struct part *p)
{
	struct slice unless = web_env(w, "HTTP_IF_RANGE");

	p->off = 0;
	p->len = size;
	/* RFC 9110 13.1.5: there are no dates here to compare. */
	if (strcmp(w->method, "GET") != 0 ||
	    (unless.p != NULL && !slice_eq(slice_trim(unless),
	    slice_str(etag))))
		return 0;
	return parse_range(web_env(w, "HTTP_RANGE"), size, p);
}

static int
send_piece(void *arg, const void *p, size_t n)
{
	return web_write(arg, p, n) < 0 ? STORE_E_DENIED : 0;
}

static void
send_blob(struct web *w, struct blob *b, const char *type)
{
	const char *etag = arena_printf(w->arena, "\"%.*s\"",
	    (int)w->var[1].n, w->var[1].p);
	struct part p;
	int some = take_range(w, b->size, etag, &p), rc;
	struct buf d;

	buf_init(&d, 4000);
	http_disposition(&d, utf8_clean(w->arena, w->var[2]));
	web_header(w, some < 0 ? "Cache-Control: no-store" :
	    "Cache-Control: private, immutable, max-age=31536000");
	web_header(w, "Accept-Ranges: bytes");
	/* A browser must not run what somebody sent by mail. */
	web_header(w, "Content-Security-Policy: default-src 'none'; sandbox");
	if (d.overflow)
		web_header(w, "Content-Disposition: attachment");
	else
		web_header(w, "Content-Disposition: %.*s", (int)d.n, d.p);
	buf_release(&d);
	if (web_not_modified(w, etag))
		return;
	if (some < 0) {
		web_header(w, "Content-Range: bytes */%" PRIu64, b->size);
		web_begin(w, 416, NULL, 0);
		return;
	}
	if (some > 0)
		web_header(w, "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%"
		    PRIu64, p.off, p.off + p.len - 1, b->size);
	web_begin(w, some > 0 ? 206 : 200, type, p.len);
	if (strcmp(w->method, "HEAD") == 0)
		return;
	rc = some > 0 ? blob_range(b, p.off, p.len, send_piece, w) :
	    blob_each(b, send_piece, w);
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
