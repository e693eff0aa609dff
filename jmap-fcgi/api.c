/* jmap-fcgi/api.c - the API resource (RFC 8620 3.1) */
#include "config.h"

#include "jmap-fcgi/uri.h"
#include "jmap-fcgi/web.h"
#include "libsession/trace.h"

static void
limit(struct web *w, int status, const char *name, const char *detail)
{
	struct jmap_problem p = { status, "limit", name, detail };

	web_problem(w, &p);
}

static void
too_large(struct web *w)
{
	limit(w, 413, "maxSizeRequest",
	    "The request is larger than the server is willing to process.");
}

/* false: answered. */
static bool
read_body(struct web *w, struct buf *body)
{
	uint64_t want = 0;
	char *p;
	int n, has = web_length(w, &want);

	if (has < 0) {
		web_fail(w, 400, "Content-Length is not a number.");
		return false;
	}
	if (want > w->env->conf->jmap_max_size_request) {
		too_large(w);
		return false;
	}
	do {
		if ((p = buf_reserve(body, WEB_IO)) == NULL) {
			too_large(w);
			return false;
		}
		if ((n = web_read(w, p, WEB_IO)) < 0)
			break;
		body->n += (size_t)n;
		if (body->n > w->env->conf->jmap_max_size_request) {
			too_large(w);
			return false;
		}
	} while (n > 0);
	if (n < 0 || (has == 0 && body->n != want)) {
		web_fail(w, 400, "The request body broke off.");
		return false;
	}
	return true;
}

static bool
gone(void *arg)
{
	return web_gone(arg);
}

/* With trace-accounts.  A push subscription has secrets. */
static void
trace(const struct web *w, struct slice body, struct slice answer)
{
	static const char secret[] = "PushSubscription/set";
	struct trace *t = trace_open(w->env->conf, w->user.account, CONF_JMAP,
	    web_env(w, "REMOTE_ADDR").p);

	if (memmem(body.p, body.n, secret, strlen(secret)) != NULL)
		trace_skip(t, "C", body.n);
	else
		trace_put(t, "C", body);
	trace_put(t, "S", answer);
	trace_close(&t);
}

static void
run(struct web *w, struct slice body, const char *base)
{
	struct jmap_problem p;
	struct buf out;

	memset(&p, 0, sizeof(p));
	buf_init(&out, JMAP_RESPONSE_MAX + (1 << 20));
	w->user.gone = gone;
	w->user.gone_arg = w;
	if (engine_run(w->env, &w->user, session_state(w, base), body,
	    w->arena, &out, &p) < 0) {
		web_problem(w, &p);
	} else {
		web_header(w, "Cache-Control: no-store");
		web_send(w, 200, "application/json", buf_slice(&out));
		if (trace_wanted(w->env->conf, w->user.account))
			trace(w, body, buf_slice(&out));
	}
	buf_release(&out);
}

static void
serve(struct web *w)
{
	const char *base = session_base(w);
	struct buf body;

	if (base == NULL)
		return;
	buf_init(&body,
	    (size_t)w->env->conf->jmap_max_size_request + 2 * WEB_IO);
	if (read_body(w, &body))
		run(w, buf_slice(&body), base);
	buf_release(&body);
}

void
api_serve(struct web *w)
{
	const struct jmap_env *env = w->env;
	struct jmap_problem type = { 415, "notJSON", NULL,
		"The content type of the request is not application/json." };

	if (!http_media_type_is(web_env(w, "CONTENT_TYPE"),
	    "application/json")) {
		web_problem(w, &type);
		return;
	}
	if (!limits_enter(env->limits, LIMIT_API, w->user.account,
	    env->conf->jmap_max_concurrent_requests)) {
		limit(w, 429, "maxConcurrentRequests",
		    "Too many requests of this user are running.");
		return;
	}
	serve(w);
	limits_leave(env->limits, LIMIT_API, w->user.account);
}
