/* jmap-fcgi/eventsource.c - the event source resource (RFC 8620 7.3) */
#include "config.h"

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/uri.h"
#include "jmap-fcgi/web.h"
#include "libsession/changed.h"
#include "libsession/session.h"

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

/*
 * What an event's id (put_id() in follow.c) tells of an account; 0, so that
 * everything in it may have changed, where it tells nothing.
 */
static uint64_t
last_seen(struct slice id, const struct account *ac)
{
	struct slice want = slice_str(ac->id);
	bool first = true;
	uint64_t modseq;

	while (id.n > 0) {
		const char *end = memchr(id.p, ',', id.n);
		size_t n = end ? (size_t)(end - id.p) : id.n;
		struct slice one = slice_make(id.p, n);

		if (!first && slice_starts(one, want) && n > want.n &&
		    one.p[want.n] == ':')
			one = slice_make(one.p + want.n + 1, n - want.n - 1);
		else if (!first || !ac->own)
			one.n = 0;
		if (one.n > 0)
			return state_parse(one, &modseq) < 0 ? 0 : modseq;
		first = false;
		id = end ? slice_make(end + 1, id.n - n - 1) :
		    slice_make(NULL, 0);
	}
	return 0;
}

/* What the client knows of each account: what it says, or what is now. */
static void
known(struct web *w, struct park *k)
{
	struct slice last = web_env(w, "HTTP_LAST_EVENT_ID");
	struct account *ac = accounts_list(w->env, &w->user, w->arena);
	struct park_seen *v = NULL;
	size_t cap = 0;

	for (; ac != NULL; ac = ac->next) {
		v = arena_grow(w->arena, v, &cap, k->n_seen + 1, sizeof(*v));
		v[k->n_seen].account = arena_strdup(w->arena, ac->name);
		v[k->n_seen++].since = last.n > 0 ? last_seen(last, ac) :
		    store_modseq(ac->st);
	}
	k->seen = v;
	accounts_release(w->env, &w->user);
}

/* What the login hangs on; false: it is not right any more. */
static bool
credential(struct web *w, struct park *k)
{
	unsigned char *cred = arena_alloc(w->arena, LOGIN_CREDENTIAL);

	k->logins = logins_generation(w->env->logins);
	k->by = w->user.by;
	k->until = w->user.until;
	k->credential = cred;
	if (login_credential(w->env->conf, slice_str(k->by), w->arena,
	    cred) == LOGIN_OK)
		return true;
	web_header(w, "Retry-After: 5");
	web_fail(w, 503, "Logins can't be checked just now.");
	return false;
}

void
eventsource_serve(struct web *w)
{
	struct park k;
	struct buf head;

	memset(&k, 0, sizeof(k));
	if (!parse(w, &k))
		return;
	k.account = w->user.account;
	if (!credential(w, &k))
		return;
	if (!limits_enter(w->env->limits, LIMIT_STREAM, k.account,
	    w->env->conf->jmap_streams_per_user)) {
		web_fail(w, 429, "Too many event streams of this user.");
		return;
	}
	known(w, &k);
	buf_init(&head, 8192);
	w->capture = &head;
	web_header(w, "Cache-Control: no-store, no-transform");
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
