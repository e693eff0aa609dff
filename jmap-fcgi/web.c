/* jmap-fcgi/web.c - HTTP over FastCGI: routes, answers, problem documents */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/web.h"

#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "jmap-fcgi/uri.h"
#include "libbase/io.h"
#include "libbase/log.h"
#include "libsession/stats.h"

enum {
	HEAD_MAX = 16 << 10,
	SMALL = 16 << 10	/* goes through in one piece */
};

const struct web_route web_routes[] = {
	/* clang-format off */
	{ "/.well-known/jmap",	WEB_GET | WEB_HEAD,	session_serve },
	{ "/jmap/api",		WEB_POST,		api_serve },
	{ "/jmap/upload/{}/",	WEB_POST,		upload_serve },
	{ "/jmap/download/{}/{}/{}", WEB_GET | WEB_HEAD, download_serve },
	{ "/jmap/eventsource",	WEB_GET,		eventsource_serve },
	{ NULL,			0,			NULL }
	/* clang-format on */
};

static const struct {
	int status;
	const char *text;
} reasons[] = {
	{ 200, "OK" }, { 201, "Created" }, { 204, "No Content" },
	{ 206, "Partial Content" }, { 304, "Not Modified" },
	{ 400, "Bad Request" }, { 401, "Unauthorized" },
	{ 403, "Forbidden" }, { 404, "Not Found" },
	{ 405, "Method Not Allowed" }, { 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" }, { 416, "Range Not Satisfiable" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" }, { 503, "Service Unavailable" },
	{ 507, "Insufficient Storage" },
};

static const char *
reason(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Status";
}

/* A web server that stops taking or giving must not hold a thread for ever. */
static void
timeouts(const struct web *w)
{
	int fd = w->fcgi->ipcFd;
	struct timeval t = { WEB_TIMEOUT_S, 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

struct slice
web_env(const struct web *w, const char *name)
{
	return slice_str(FCGX_GetParam(name, w->fcgi->envp));
}

void
web_header(struct web *w, const char *fmt, ...)
{
	va_list ap;
	char line[4096];
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line) ||
	    strpbrk(line, "\r\n") != NULL)
		return;
	buf_add_str(&w->head, line);
	buf_add_str(&w->head, "\r\n");
}

static int
out(struct web *w, const void *p, size_t n)
{
	const char *at = p;

	if (w->capture != NULL)
		return buf_add(w->capture, p, n);
	while (n > 0) {
		int k = n < INT_MAX ? (int)n : INT_MAX;

		if (FCGX_PutStr(at, k, w->fcgi->out) != k)
			return -1;
		at += k;
		n -= (size_t)k;
	}
	return 0;
}

void
web_begin(struct web *w, int status, const char *type, uint64_t len)
{
	struct buf h;

	w->status = status;
	if (len > SMALL && len != UINT64_MAX)
		timeouts(w);
	buf_init(&h, 2 * HEAD_MAX);
	buf_printf(&h, "Status: %d %s\r\n", status, reason(status));
	if (type != NULL)
		buf_printf(&h, "Content-Type: %s\r\n", type);
	if (status != 304 && status != 204 && len != UINT64_MAX)
		buf_printf(&h, "Content-Length: %" PRIu64 "\r\n", len);
	buf_add(&h, w->head.p, w->head.n);
	cors_head(w, &h);
	buf_add_str(&h, "X-Content-Type-Options: nosniff\r\n\r\n");
	out(w, h.p, h.n);
	buf_release(&h);
}

int
web_write(struct web *w, const void *p, size_t n)
{
	if (strcmp(w->method, "HEAD") == 0)
		return 0;
	w->sent += n;
	return out(w, p, n);
}

void
web_send(struct web *w, int status, const char *type, struct slice body)
{
	web_begin(w, status, type, body.n);
	web_write(w, body.p, body.n);
}

void
web_problem(struct web *w, const struct jmap_problem *p)
{
	struct buf b;
	json_t *o = json_object();

	js_put(o, "type", json_string(p->type == NULL ? "about:blank" :
	    arena_printf(w->arena, "urn:ietf:params:jmap:error:%s",
	    p->type)));
	js_put(o, "status", json_integer(p->status));
	if (p->type == NULL)
		js_put_str(o, "title", reason(p->status));
	if (p->limit != NULL)
		js_put_str(o, "limit", p->limit);
	if (p->detail != NULL)
		js_put(o, "detail", js_str(slice_str(p->detail)));
	buf_init(&b, HEAD_MAX);
	js_write(&b, o);
	json_decref(o);
	web_header(w, "Cache-Control: no-store");
	web_send(w, p->status, "application/problem+json", buf_slice(&b));
	buf_release(&b);
}

void
web_fail(struct web *w, int status, const char *detail)
{
	struct jmap_problem p = { status, NULL, NULL, detail };

	web_problem(w, &p);
}

void
web_store_failed(struct web *w, const char *what, int rc)
{
	log_err("%s: %s: %s (%d)", w->user.account ? w->user.account : "-",
	    what, w->user.st ? store_errmsg(w->user.st) : "not open", rc);
	web_header(w, "Retry-After: 5");
	web_fail(w, 503, store_error(rc)->text);
}

int
web_length(const struct web *w, uint64_t *n_r)
{
	struct slice s = web_env(w, "CONTENT_LENGTH");

	*n_r = 0;
	if (s.n > 0 && slice_uint(s, UINT64_MAX, n_r) < 0)
		return -1;
	if (s.n == 0 || *n_r > SMALL)
		timeouts(w);
	return s.n == 0;
}

int
web_read(struct web *w, void *p, size_t n)
{
	FCGX_Stream *in = w->fcgi->in;
	int k = FCGX_GetStr(p, 1, in), more;

	if (k <= 0)
		return FCGX_GetError(in) != 0 ? -1 : 0;
	/* FCGX_GetStr() would wait for all of n. */
	more = (int)(in->stop - in->rdNext);
	if ((size_t)more > n - 1)
		more = (int)(n - 1);
	if (more > 0)
		k += FCGX_GetStr((char *)p + 1, more, in);
	return k;
}

/*
 * Half of a connection may be closed as a matter of course; but TCP does not tell
 * it from a whole one.
 */
bool
web_gone(const struct web *w)
{
	struct pollfd p = { .fd = w->fcgi->ipcFd,
		.events = w->env->local ? 0 : POLLRDHUP };

	return poll(&p, 1, 0) > 0;
}

bool
web_not_modified(struct web *w, const char *etag)
{
	struct slice s = web_env(w, "HTTP_IF_NONE_MATCH");
	struct slice tag = slice_make(etag, strlen(etag));

	web_header(w, "ETag: %s", etag);
	while (s.n > 0) {
		const char *end = memchr(s.p, ',', s.n);
		size_t len = end ? (size_t)(end - s.p) : s.n;
		struct slice one = slice_trim(slice_make(s.p, len));

		if (slice_starts(one, SLICE_LIT("W/")))
			one = slice_make(one.p + 2, one.n - 2);
		if (slice_eq(one, tag) || slice_eq(one, SLICE_LIT("*"))) {
			web_begin(w, 304, NULL, 0);
			return true;
		}
		if (end == NULL)
			break;
		s = slice_make(end + 1, s.n - len - 1);
	}
	return false;
}

bool
web_account(struct web *w, bool shared, struct account **ac_r)
{
	struct account *ac = accounts_find(w->env, &w->user, w->arena,
	    w->var[0]);

	if (ac != NULL && (ac->own || shared)) {
		if (ac_r != NULL)
			*ac_r = ac;
		return true;
	}
	web_fail(w, 404, "There is no such account.");
	return false;
}

static unsigned
method_bit(const char *m)
{
	static const struct {
		const char *name;
		unsigned bit;
	} t[] = { { "GET", WEB_GET }, { "HEAD", WEB_HEAD },
		{ "POST", WEB_POST } };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (strcmp(m, t[i].name) == 0)
			return t[i].bit;
	return 0;
}

const char *
web_methods(unsigned methods)
{
	return (methods & WEB_POST) != 0 ? "POST" :
	    (methods & WEB_HEAD) != 0 ? "GET, HEAD" : "GET";
}

/* Not one of its methods; OPTIONS (RFC 9110 9.3.7) is everywhere. */
static void
other_method(struct web *w)
{
	web_header(w, "Allow: %s, OPTIONS", web_methods(w->methods));
	if (strcmp(w->method, "OPTIONS") == 0)
		web_begin(w, 204, NULL, 0);
	else
		web_fail(w, 405, "The resource does not know this method.");
}

static const struct web_route *
route(struct web *w)
{
	for (const struct web_route *r = web_routes; r->pattern; r++)
		if (uri_match(w->arena, r->pattern, w->path, w->var,
		    WEB_VARS))
			return r;
	return NULL;
}

/* The variables die with the request: what is used after it is copied. */
static void
split_uri(struct web *w)
{
	struct slice uri = arena_slice(w->arena, web_env(w, "REQUEST_URI"));
	const char *q = uri.n ? memchr(uri.p, '?', uri.n) : NULL;

	w->path = uri;
	if (q == NULL)
		return;
	w->path.n = (size_t)(q - uri.p);
	w->query = slice_make(q + 1, uri.n - w->path.n - 1);
}

static void
dispatch(struct web *w)
{
	const struct web_route *r = route(w);

	if (r == NULL) {
		web_fail(w, 404, "There is no such resource.");
		return;
	}
	w->methods = r->methods;
	if ((method_bit(w->method) & r->methods) == 0) {
		other_method(w);
		return;
	}
	if (auth_check(w))
		r->fn(w);
}

void
web_take(struct web *w, int *fd_r, int *request_id_r)
{
	FCGX_Request *f = w->fcgi;

	*fd_r = f->ipcFd;
	*request_id_r = f->requestId;
	io_cloexec(*fd_r);
	/* Without its end: that is the new owner's to send. */
	FCGX_Free(f, 0);
	FCGX_InitRequest(f, f->listen_sock, f->flags);
	w->parked = true;
}

/*
 * As FCGX_Finish_r(), which lingers until the peer closed.  A local connection
 * whose input is all read needs no such wait: what was sent arrives.
 */
static void
end_request(const struct web *w)
{
	FCGX_Request *f = w->fcgi;
	int fd = f->ipcFd;

	if (!w->env->local || f->keepConnection ||
	    FCGX_GetChar(f->in) != EOF || FCGX_GetError(f->in) != 0) {
		FCGX_Finish_r(f);
		return;
	}
	FCGX_FClose(f->err);
	FCGX_FClose(f->out);
	FCGX_Free(f, 0);
	FCGX_InitRequest(f, f->listen_sock, f->flags);
	io_close(&fd);
}

/* Upkeep comes after the answer is out, and not in its time. */
static void
finish(struct web *w)
{
	if (!w->parked)
		end_request(w);
	if (w->user.st == NULL)
		return;
	if (w->user.changed && !w->user.broken)
		store_idle(w->user.st, false);
	accounts_release(w->env, &w->user);
	pool_put(w->env->pool, &w->user.st, w->user.broken);
}

static void
access_log(const struct web *w)
{
	const uint64_t add[STATS_N] = { [STATS_SESSIONS] = 1,
		[STATS_LOGIN_FAILURES] = w->status == 401,
		[STATS_COMMANDS] = 1, [STATS_REFUSED] = w->status >= 400,
		[STATS_BYTES_OUT] = w->sent };

	stats_add(w->env->stats, CONF_JMAP, add);
	log_info("%s %s %s %.*s %d %" PRIu64,
	    w->user.account ? w->user.account : "-", w->peer, w->method, (int)(w->path.n < 200 ? w->path.n : 200),
	    w->path.p ? w->path.p : "", w->status, w->sent);
}

static const char *
copy_env(struct web *w, const char *name, const char *or)
{
	struct slice s = web_env(w, name);

	return s.n > 0 ? arena_strndup(w->arena, s.p, s.n) : or;
}

void
web_serve(const struct jmap_env *env, FCGX_Request *fcgi, struct arena *a)
{
	struct web w;

	memset(&w, 0, sizeof(w));
	w.env = env;
	w.fcgi = fcgi;
	w.arena = a;
	buf_init(&w.head, HEAD_MAX);
	w.method = copy_env(&w, "REQUEST_METHOD", "");
	w.peer = copy_env(&w, "REMOTE_ADDR", "-");
	split_uri(&w);
	dispatch(&w);
	access_log(&w);
	finish(&w);
	buf_release(&w.head);
	arena_reset(a);
}
