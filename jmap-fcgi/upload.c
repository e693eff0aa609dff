/* jmap-fcgi/upload.c - the upload resource (RFC 8620 6.1) */
#include "config.h"

#include "jmap-fcgi/uri.h"
#include "jmap-fcgi/web.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

enum { SLOW = 2 };

static void
limit(struct web *w, int status, const char *name, const char *detail)
{
	struct jmap_problem p = { status, "limit", name, detail };

	web_problem(w, &p);
}

static void
too_large(struct web *w)
{
	limit(w, 413, "maxSizeUpload", "The upload is too large.");
}

static void
answer(struct web *w, const struct store_blobid *id, uint64_t size)
{
	struct slice type = web_env(w, "CONTENT_TYPE");
	char text[STORE_BLOBID_LEN + 1];
	json_t *o = json_object();
	struct buf b;

	store_blobid_text(id, text);
	js_put_str(o, "accountId", w->user.account_id);
	js_put_str(o, "blobId", text);
	js_put(o, "type", js_str(type.n > 0 ? type :
	    SLICE_LIT("application/octet-stream")));
	js_put(o, "size", json_integer((json_int_t)size));
	buf_init(&b, 64 << 10);
	js_write(&b, o);
	json_decref(o);
	web_header(w, "Cache-Control: no-store");
	web_send(w, 201, "application/json", buf_slice(&b));
	buf_release(&b);
}

/* What came in the last stretch of time. */
struct pace {
	int64_t since;
	uint64_t octets;
};

/* n octets more: is it slower than anybody's network?  It holds a thread. */
static bool
too_slow(const struct conf *c, struct pace *p, size_t n)
{
	int64_t now = time_mono_ms();
	uint64_t ms = (uint64_t)(now - p->since);
	bool slow;

	p->octets += n;
	if (ms < (uint64_t)c->jmap_upload_grace_s * 1000)
		return false;
	slow = p->octets * 1000 < c->jmap_upload_rate * ms;
	*p = (struct pace){ now, 0 };
	return slow;
}

/* 0, 1: broken off or not the length that was announced; SLOW; enum store_rc. */
static int
fill(struct web *w, struct store_spool *sp, int has, uint64_t want)
{
	char *p = xmalloc(WEB_IO);
	struct pace pace = { time_mono_ms(), 0 };
	uint64_t got = 0;
	int n, rc = 0;

	while (rc == 0 && (n = web_read(w, p, WEB_IO)) != 0) {
		if (n < 0) {
			rc = 1;
			break;
		}
		got += (uint64_t)n;
		rc = store_spool_add(sp, p, (size_t)n);
		if (rc == 0 && too_slow(w->env->conf, &pace, (size_t)n))
			rc = SLOW;
	}
	xfree(p);
	if (rc == 0 && has == 0 && got != want)
		rc = 1;
	return rc;
}

static void
store(struct web *w, int has, uint64_t want)
{
	struct store_spool *sp;
	struct store_blobid id;
	int rc;

	sp = store_spool_new(&w->env->store_conf, false,
	    w->env->conf->jmap_max_size_upload);
	rc = fill(w, sp, has, want);
	if (rc == 0)
		rc = store_spool_done(sp);
	w->user.changed = true;
	if (rc == 0)
		rc = store_upload(w->user.st, sp, &id);
	if (rc == 0)
		answer(w, &id, store_spool_size(sp));
	else if (rc == 1)
		web_fail(w, 400, "The request body broke off.");
	else if (rc == SLOW)
		web_fail(w, 408, "The upload is too slow.");
	else if (rc == STORE_E_TOOBIG)
		too_large(w);
	else if (rc == STORE_E_NOSPACE || rc == STORE_E_QUOTA)
		web_fail(w, 507, "There is no room for this upload.");
	else
		web_store_failed(w, "upload", rc);
	store_spool_free(&sp);
}

void
upload_serve(struct web *w)
{
	const struct jmap_env *env = w->env;
	uint64_t want = 0;
	int has = web_length(w, &want);

	if (!web_account(w, false, NULL))
		return;
	if (has < 0) {
		web_fail(w, 400, "Content-Length is not a number.");
		return;
	}
	if (want > env->conf->jmap_max_size_upload) {
		too_large(w);
		return;
	}
	if (!limits_enter(env->limits, LIMIT_UPLOAD, w->user.account,
	    env->conf->jmap_max_concurrent_upload)) {
		limit(w, 429, "maxConcurrentUpload",
		    "Too many uploads of this user are running.");
		return;
	}
	if (workers_long_begin(env->workers)) {
		store(w, has, want);
		workers_long_end(env->workers);
	} else {
		web_header(w, "Retry-After: 10");
		web_fail(w, 503, "Too many uploads are running.");
	}
	limits_leave(env->limits, LIMIT_UPLOAD, w->user.account);
}
