/* jmap-fcgi/eventsource.c - the event source resource (RFC 8620 7.3) */
#include "config.h"

#include "jmap-fcgi/uri.h"
#include "jmap-fcgi/web.h"
#include "libsession/changed.h"

enum { PING_MAX_S = 3600 };

/* false: the list is empty. */
static bool
parse_types(struct slice s, unsigned *types_r)
{
	struct slice one;

	if (s.n == 0)
		return false;
	*types_r = 0;
	while (s.n > 0) {
		const char *end = memchr(s.p, ',', s.n);
		size_t n = end ? (size_t)(end - s.p) : s.n;

		one = slice_trim(slice_make(s.p, n));
		*types_r |= slice_eq(one, SLICE_LIT("*")) ? CHANGED_ALL :
		    changed_type(one);
		if (end == NULL)
			break;
		s = slice_make(end + 1, s.n - n - 1);
	}
	return true;
}

static bool
parse(struct web *w, struct park *k)
{
	struct slice types, close, ping;
	uint64_t s = 0;

	if (uri_param(w->arena, w->query, "types", &types) != 0 ||
	    !parse_types(types, &k->types)) {
		web_fail(w, 400, "\"types\" must list type names, or be *.");
		return false;
	}
	if (uri_param(w->arena, w->query, "closeafter", &close) != 0 ||
	    (!slice_eq(close, SLICE_LIT("state")) &&
	    !slice_eq(close, SLICE_LIT("no")))) {
		web_fail(w, 400, "\"closeafter\" must be state or no.");
		return false;
	}
	k->once = slice_eq(close, SLICE_LIT("state"));
	if (uri_param(w->arena, w->query, "ping", &ping) != 0 ||
	    slice_uint(ping, UINT32_MAX, &s) < 0) {
		web_fail(w, 400, "\"ping\" must be a number of seconds.");
		return false;
	}
	k->ping_s = s < PING_MAX_S ? (uint32_t)s : PING_MAX_S;
	return true;
}

void
eventsource_serve(struct web *w)
{
	struct slice last = web_env(w, "HTTP_LAST_EVENT_ID");
	struct park k;
	struct buf head;

	memset(&k, 0, sizeof(k));
	if (!parse(w, &k))
		return;
	k.account = w->user.account;
	k.since = store_modseq(w->user.st);
	if (last.n > 0 && state_parse(last, &k.since) < 0)
		k.since = 0;	/* not ours: everything may have changed */
	if (!limits_enter(w->env->limits, LIMIT_STREAM, k.account,
	    STREAMS_PER_ACCOUNT)) {
		web_fail(w, 429, "Too many event streams of this user.");
		return;
	}
	buf_init(&head, 8192);
	w->capture = &head;
	web_header(w, "Cache-Control: no-store");
	web_header(w, "X-Accel-Buffering: no");
	web_begin(w, 200, "text/event-stream; charset=utf-8", UINT64_MAX);
	buf_add_str(&head, ":\n\n");
	w->capture = NULL;
	k.octets = buf_slice(&head);
	if (!poller_park(w->env->poller, w, &k)) {
		limits_leave(w->env->limits, LIMIT_STREAM, k.account);
		buf_reset(&w->head);
		web_header(w, "Retry-After: 60");
		web_fail(w, 503, "Too many event streams.");
	}
	buf_release(&head);
}
