/* jmap-fcgi/session.c - the JMAP Session resource (RFC 8620 2) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/blob-methods.h"
#include "jmap-fcgi/email.h"
#include "jmap-fcgi/uri.h"
#include "jmap-fcgi/web.h"
#include "libbase/collation.h"
#include "libbase/io.h"
#include "libbase/text.h"
#include "libsession/mta.h"

#define JSON_TYPE "application/json"
#define SUBMISSION "urn:ietf:params:jmap:submission"
#define QUOTA "urn:ietf:params:jmap:quota"
#define BLOB "urn:ietf:params:jmap:blob"
#define VAPID "urn:ietf:params:jmap:webpush-vapid"
#define MDN "urn:ietf:params:jmap:mdn"
#define VACATION "urn:ietf:params:jmap:vacationresponse"

const char *
session_base(struct web *w)
{
	const char *url = w->env->conf->jmap_url;
	struct slice host = web_env(w, "HTTP_HOST");
	size_t n;

	if (url != NULL) {
		for (n = strlen(url); n > 0 && url[n - 1] == '/'; n--)
			;
		return arena_strndup(w->arena, url, n);
	}
	if (!http_host_ok(host)) {
		web_fail(w, 400, "The Host header field is not usable.");
		return NULL;
	}
	return arena_printf(w->arena, "%s://%.*s",
	    slice_ieq(web_env(w, "HTTPS"), SLICE_LIT("on")) ? "https" :
	    "http", (int)host.n, host.p);
}

static json_t *
core_limits(const struct conf *cf)
{
	json_t *o = json_object(), *list = json_array();

	js_put(o, "maxSizeUpload",
	    json_integer((json_int_t)cf->jmap_max_size_upload));
	js_put(o, "maxConcurrentUpload",
	    json_integer(cf->jmap_max_concurrent_upload));
	js_put(o, "maxSizeRequest",
	    json_integer((json_int_t)cf->jmap_max_size_request));
	js_put(o, "maxConcurrentRequests",
	    json_integer(cf->jmap_max_concurrent_requests));
	js_put(o, "maxCallsInRequest", json_integer(cf->jmap_max_calls));
	js_put(o, "maxObjectsInGet",
	    json_integer(cf->jmap_max_objects_in_get));
	js_put(o, "maxObjectsInSet",
	    json_integer(cf->jmap_max_objects_in_set));
	for (int i = 0; i < COLLATION_N; i++)
		json_array_append_new(list,
		    json_string(collation_name((enum collation)i)));
	js_put(o, "collationAlgorithms", list);
	return o;
}

/* RFC 8621 1.3.1 */
static json_t *
mail_limits(const struct conf *cf, bool own)
{
	json_t *o = json_object(), *list = json_array();

	js_put(o, "maxMailboxesPerEmail", json_null());
	js_put(o, "maxMailboxDepth", json_integer(STORE_DEPTH_MAX));
	js_put(o, "maxSizeMailboxName", json_integer(STORE_NAME_MAX));
	/* Base64 and line ends make 57 octets to 78. */
	js_put(o, "maxSizeAttachmentsPerEmail",
	    json_integer((json_int_t)(cf->max_message / 78 * 57)));
	for (size_t i = 0; sort_options[i] != NULL; i++)
		json_array_append_new(list, json_string(sort_options[i]));
	js_put(o, "emailQuerySortOptions", list);
	js_put(o, "mayCreateTopLevelMailbox", json_boolean(own));
	return o;
}

/* RFC 8621 1.3.2; the extension is RFC 4865's. */
static json_t *
submission_limits(const struct web *w)
{
	uint32_t max = w->env->conf->max_delayed_send_s;
	json_t *o = json_object(), *ext = json_object(), *args;

	js_put(o, "maxDelayedSend", json_integer(max));
	if (max > 0) {
		args = json_array();
		json_array_append_new(args, js_str(slice_str(arena_printf(
		    w->arena, "%u", (unsigned)max))));
		js_put(ext, "FUTURERELEASE", args);
	}
	js_put(o, "submissionExtensions", ext);
	return o;
}

static json_t *
account_object(const struct web *w, struct account *ac)
{
	json_t *o = json_object(), *caps = json_object();

	js_put_str(o, "name", ac->name);
	js_put(o, "isPersonal", json_boolean(ac->own));
	js_put(o, "isReadOnly", json_boolean(account_read_only(ac)));
	js_put(caps, "urn:ietf:params:jmap:core", json_object());
	js_put(caps, "urn:ietf:params:jmap:mail",
	    mail_limits(w->env->conf, ac->own));
	js_put(caps, BLOB, blob_capability(w->env->conf));
	if (ac->own)
		js_put(caps, QUOTA, json_object());
	if (ac->own && mta_configured(w->env->conf)) {
		js_put(caps, SUBMISSION, submission_limits(w));
		js_put(caps, VACATION, json_object());
		js_put(caps, MDN, json_object());
	}
	js_put(o, "accountCapabilities", caps);
	return o;
}

static void
put_url(const struct web *w, json_t *o, const char *key, const char *base,
    const char *path)
{
	js_put(o, key, js_str(slice_str(arena_printf(w->arena, "%s%s", base,
	    path))));
}

static json_t *
session_object(struct web *w, const char *base)
{
	json_t *o = json_object(), *caps = json_object();
	json_t *accounts = json_object(), *primary = json_object();

	js_put(caps, "urn:ietf:params:jmap:core", core_limits(w->env->conf));
	js_put(caps, "urn:ietf:params:jmap:mail", json_object());
	js_put(caps, BLOB, json_object());
	js_put(caps, QUOTA, json_object());
	if (w->env->vapid != NULL) {
		json_t *key = json_object();

		js_put_str(key, "applicationServerKey", w->env->vapid);
		js_put(caps, VAPID, key);
	}
	if (mta_configured(w->env->conf)) {
		js_put(caps, SUBMISSION, json_object());
		js_put(caps, VACATION, json_object());
		js_put(caps, MDN, json_object());
	}
	js_put(o, "capabilities", caps);
	for (struct account *ac = accounts_list(w->env, &w->user, w->arena);
	    ac != NULL; ac = ac->next)
		js_put(accounts, ac->id, account_object(w, ac));
	js_put(o, "accounts", accounts);
	js_put_str(primary, "urn:ietf:params:jmap:mail", w->user.account_id);
	js_put_str(primary, QUOTA, w->user.account_id);
	js_put_str(primary, BLOB, w->user.account_id);
	if (mta_configured(w->env->conf)) {
		js_put_str(primary, SUBMISSION, w->user.account_id);
		js_put_str(primary, VACATION, w->user.account_id);
		js_put_str(primary, MDN, w->user.account_id);
	}
	js_put(o, "primaryAccounts", primary);
	js_put(o, "username", js_str(slice_str(w->user.name)));
	put_url(w, o, "apiUrl", base, "/jmap/api");
	put_url(w, o, "downloadUrl", base,
	    "/jmap/download/{accountId}/{blobId}/{name}?type={type}");
	put_url(w, o, "uploadUrl", base, "/jmap/upload/{accountId}/");
	put_url(w, o, "eventSourceUrl", base, "/jmap/eventsource"
	    "?types={types}&closeafter={closeafter}&ping={ping}");
	return o;
}

/*
 * All that varies between two session objects of this program: so that an API
 * request need not build one to know its state.
 */
const char *
session_state(struct web *w, const char *base)
{
	const struct conf *cf = w->env->conf;
	const char *text;

	text = arena_printf(w->arena, "%s %s\n%s\n%s\n%s\n"
	    "%ju %ju %u %u %u %u %u %ju %d %u %s", PACKAGE_VERSION, base,
	    w->user.account, w->user.account_id, w->user.name,
	    (uintmax_t)cf->jmap_max_size_upload,
	    (uintmax_t)cf->jmap_max_size_request,
	    (unsigned)cf->jmap_max_concurrent_upload,
	    (unsigned)cf->jmap_max_concurrent_requests,
	    (unsigned)cf->jmap_max_calls,
	    (unsigned)cf->jmap_max_objects_in_get,
	    (unsigned)cf->jmap_max_objects_in_set,
	    (uintmax_t)cf->max_message, mta_configured(cf),
	    (unsigned)cf->max_delayed_send_s,
	    w->env->vapid != NULL ? w->env->vapid : "");
	for (struct account *ac = accounts_list(w->env, &w->user, w->arena);
	    ac != NULL; ac = ac->next)
		text = arena_printf(w->arena, "%s\n%s %s %d", text, ac->id,
		    ac->name, account_read_only(ac));
	return arena_printf(w->arena, "%016jx",
	    (uintmax_t)hash64(slice_str(text)));
}

void
session_serve(struct web *w)
{
	const char *base = session_base(w), *state;
	struct buf out;
	json_t *o;

	if (base == NULL)
		return;
	state = session_state(w, base);
	web_header(w, "Cache-Control: no-cache, no-store, must-revalidate");
	web_header(w, "Vary: Authorization");
	if (web_not_modified(w, arena_printf(w->arena, "\"%s\"", state)))
		return;
	o = session_object(w, base);
	js_put_str(o, "state", state);
	buf_init(&out, 64 << 10);
	js_write(&out, o);
	json_decref(o);
	web_send(w, 200, JSON_TYPE, buf_slice(&out));
	buf_release(&out);
}
