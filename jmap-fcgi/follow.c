/*
 * jmap-fcgi/follow.c - the accounts that event streams tell of (RFC 8620 7.3)
 *
 * A viewer is an account that has streams.  It follows itself, and the accounts
 * of others in which something is shown to it.  All streams of all viewers of an
 * account have been told of what was until watched.seen.
 */
#include "config.h"

#include <inttypes.h>

#include "jmap-fcgi/account.h"
#include "jmap-fcgi/poller-int.h"
#include "libbase/log.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

enum {
	/* Of others' accounts only the types that can be read there. */
	SHARED_TYPES = CHANGED_EMAIL | CHANGED_MAILBOX | CHANGED_THREAD,
	EVENT_MAX = 128 << 10
};

/* ---- events ------------------------------------------------------------ */

/*
 * The account's states as that viewer has them from /get (type_state()), and what
 * of it changed after since; nothing, if there is nothing that it may see.
 */
static void
see_as(const struct viewer *v, struct store *st, uint64_t since,
    struct changed *c)
{
	struct account ac = { .st = st, .user = v->account,
		.name = store_account_name(st) };
	uint64_t rights;

	if (strcmp(v->account, ac.name) == 0)
		return;
	c->types &= SHARED_TYPES;
	if (!account_may_anywhere(&ac, STORE_RIGHT_LOOKUP)) {
		c->types = 0;
	} else {
		rights = account_rights_modseq(&ac);
		for (unsigned i = 0; i < CHANGED_N; i++) {
			if ((SHARED_TYPES & 1U << i) == 0)
				continue;
			if (rights > c->of[i])
				c->of[i] = rights;
			if (c->of[i] > since)
				c->types |= 1U << i;
		}
	}
	xfree(ac.v);
}

/* The event's id: how far each account was told, the own one first. */
static void
put_id(struct buf *b, const struct viewer *v)
{
	buf_add_str(b, "id: ");
	for (const struct follow *f = v->follows; f != NULL; f = f->next)
		if (f == v->follows)
			buf_printf(b, "%" PRIu64, f->of->seen);
		else
			buf_printf(b, ",%s:%" PRIu64, f->of->id, f->of->seen);
	buf_addc(b, '\n');
}

struct event {
	struct buf b;
	size_t n;		/* accounts in it */
};

static void
event_init(struct event *e, const struct viewer *v)
{
	e->n = 0;
	buf_init(&e->b, EVENT_MAX);
	buf_add_str(&e->b, "event: state\n");
	put_id(&e->b, v);
	buf_add_str(&e->b, "data: {\"@type\":\"StateChange\",\"changed\":{");
}

static void
event_add(struct event *e, const struct changed *c, unsigned types,
    const char *account_id)
{
	if (e->n++ > 0)
		buf_addc(&e->b, ',');
	changed_put_account(&e->b, c, types, account_id);
}

/* Sends it, if there is anything in it. */
static void
event_end(struct event *e, struct poller *p, struct stream *s)
{
	buf_add_str(&e->b, "}}\n\n");
	if (e->n > 0)
		stream_tell(p, s, buf_slice(&e->b));
	buf_release(&e->b);
}

static void
tell(struct poller *p, const struct follow *f, const struct changed *c)
{
	struct event e;

	for (struct stream *s = f->viewer->streams; s != NULL;
	    s = s->next_of) {
		if ((s->types & c->types) == 0)
			continue;
		event_init(&e, f->viewer);
		event_add(&e, c, s->types & c->types, f->of->id);
		event_end(&e, p, s);
	}
}

/* ---- watching ---------------------------------------------------------- */

static int
get(struct poller *p, const char *account, struct store **st_r)
{
	int rc = pool_get(p->env->pool, account, st_r);

	if (rc < 0 && rc != STORE_E_NOTFOUND)
		log_warn("%s: event stream: %s", account,
		    store_error(rc)->text);
	return rc;
}

void
follow_look(struct poller *p, struct watched *w)
{
	uint64_t since = w->seen;
	struct changed all, c;
	struct store *st;
	int rc;

	w->next_look = time_mono_ms() + LOOK_MS;
	if (get(p, w->account, &st) < 0)
		return;
	rc = changed_since(st, since, &all);
	if (rc >= 0 && all.now != since) {
		w->seen = all.now;
		all.types &= ~(unsigned)CHANGED_QUOTA;
		if (strcmp(w->quota, all.quota) != 0)
			all.types |= CHANGED_QUOTA;
		memcpy(w->quota, all.quota, sizeof(w->quota));
		for (struct follow *f = w->follows; f != NULL;
		    f = f->next_of) {
			c = all;
			see_as(f->viewer, st, since, &c);
			tell(p, f, &c);
		}
	}
	pool_put(p->env->pool, &st, rc < 0);
}

static struct watched *
watched_new(struct poller *p, struct store *st)
{
	struct watched *w = xcalloc(1, sizeof(*w));
	struct changed c;

	w->seen = store_modseq(st);
	if (changed_since(st, w->seen, &c) < 0 ||
	    store_watch_add(p->watch, st, w) < 0) {
		xfree(w);
		return NULL;
	}
	memcpy(w->quota, c.quota, sizeof(w->quota));
	w->account = xstrdup(store_account_name(st));
	w->id = xasprintf("A%s", store_account_id(st));
	w->next = p->accounts;
	p->accounts = w;
	return w;
}

static void
watched_free(struct poller *p, struct watched *w)
{
	struct watched **at = &p->accounts;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	store_watch_del(p->watch, w);
	xfree(w->account);
	xfree(w->id);
	xfree(w);
}

static struct follow *
follow_new(struct poller *p, struct viewer *v, struct store *st)
{
	struct watched *w = p->accounts;
	struct follow *f, **at = &v->follows;

	while (w != NULL && strcmp(w->account, store_account_name(st)) != 0)
		w = w->next;
	if (w == NULL && (w = watched_new(p, st)) == NULL)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	f->of = w;
	f->viewer = v;
	f->next_of = w->follows;
	w->follows = f;
	while (*at != NULL)
		at = &(*at)->next;
	*at = f;
	return f;
}

/* at: where the viewer has it. */
static void
follow_free(struct poller *p, struct follow **at)
{
	struct follow *f = *at, **of = &f->of->follows;

	*at = f->next;
	while (*of != f)
		of = &(*of)->next_of;
	*of = f->next_of;
	if (f->of->follows == NULL)
		watched_free(p, f->of);
	xfree(f);
}

/* ---- what others share ------------------------------------------------- */

static bool
among(const char *const *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i], name) == 0)
			return true;
	return false;
}

static bool
is_followed(const struct viewer *v, const char *account)
{
	for (const struct follow *f = v->follows; f != NULL; f = f->next)
		if (strcmp(f->of->account, account) == 0)
			return true;
	return false;
}

/* An account that may not have been shown to the viewer before. */
static void
follow_other(struct poller *p, struct viewer *v, const char *owner)
{
	struct changed c;
	struct follow *f;
	struct store *st;

	if (get(p, owner, &st) < 0)
		return;
	if (changed_since(st, 0, &c) == 0) {
		see_as(v, st, 0, &c);
		if (c.types != 0 && (f = follow_new(p, v, st)) != NULL)
			tell(p, f, &c);
	}
	pool_put(p->env->pool, &st, false);
}

/* Follows what is shared with the viewer, and no more. */
static void
follow_shares(struct poller *p, struct viewer *v, struct store *own)
{
	struct arena *a = arena_new(0);
	const char **owners;
	struct follow **at;
	size_t n, k = 0;

	v->next_shares = time_mono_ms() + LOOK_MS;
	if (store_shares(own, a, &owners, &n) < 0) {
		arena_free(&a);
		return;
	}
	for (at = &v->follows->next; *at != NULL;) {
		if (among(owners, n, (*at)->of->account)) {
			at = &(*at)->next;
			k++;
		} else {
			follow_free(p, at);
		}
	}
	for (size_t i = 0; i < n && k < OTHERS_MAX; i++)
		if (!is_followed(v, owners[i])) {
			follow_other(p, v, owners[i]);
			k++;
		}
	arena_free(&a);
}

/* ---- viewers ----------------------------------------------------------- */

static void
viewer_free(struct poller *p, struct viewer *v)
{
	struct viewer **at = &p->viewers;

	while (v->follows != NULL)
		follow_free(p, &v->follows);
	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
	xfree(v->account);
	xfree(v);
}

static struct viewer *
viewer_new(struct poller *p, const char *account)
{
	struct viewer *v;
	struct store *st;

	if (get(p, account, &st) < 0)
		return NULL;
	v = xcalloc(1, sizeof(*v));
	v->account = xstrdup(account);
	v->next = p->viewers;
	p->viewers = v;
	if (follow_new(p, v, st) != NULL)
		follow_shares(p, v, st);
	pool_put(p->env->pool, &st, false);
	if (v->follows == NULL) {
		viewer_free(p, v);
		v = NULL;
	}
	return v;
}

static struct viewer *
viewer_find(struct poller *p, const char *account)
{
	struct viewer *v = p->viewers;

	while (v != NULL && strcmp(v->account, account) != 0)
		v = v->next;
	return v != NULL ? v : viewer_new(p, account);
}

/* ---- streams ----------------------------------------------------------- */

static uint64_t
known(const struct stream *s, const char *account)
{
	for (size_t i = 0; i < s->n_seen; i++)
		if (strcmp(s->seen[i].account, account) == 0)
			return s->seen[i].since;
	return 0;
}

int
follow_join(struct poller *p, struct stream *s)
{
	struct viewer *v = viewer_find(p, s->account);
	struct changed c;
	struct store *st;
	struct event e;
	unsigned types;

	if (v == NULL)
		return -1;
	/* The account may have moved before its watch began. */
	for (struct follow *f = v->follows; f != NULL; f = f->next)
		follow_look(p, f->of);
	s->viewer = v;
	s->next_of = v->streams;
	v->streams = s;
	event_init(&e, v);
	for (struct follow *f = v->follows; f != NULL; f = f->next) {
		uint64_t since = known(s, f->of->account);

		if (get(p, f->of->account, &st) < 0)
			continue;
		if (changed_since(st, since, &c) == 0) {
			see_as(v, st, since, &c);
			if ((types = s->types & c.types) != 0)
				event_add(&e, &c, types, f->of->id);
		}
		pool_put(p->env->pool, &st, false);
	}
	event_end(&e, p, s);
	return 0;
}

void
follow_leave(struct poller *p, struct stream *s)
{
	struct viewer *v = s->viewer;
	struct stream **at;

	if (v == NULL)
		return;
	for (at = &v->streams; *at != s; at = &(*at)->next_of)
		;
	*at = s->next_of;
	s->viewer = NULL;
	if (v->streams == NULL)
		viewer_free(p, v);
}

void
follow_timers(struct poller *p, int64_t now)
{
	struct store *st;

	for (struct watched *w = p->accounts; w != NULL; w = w->next)
		if (w->next_look <= now)
			follow_look(p, w);
	for (struct viewer *v = p->viewers; v != NULL; v = v->next) {
		if (v->next_shares > now)
			continue;
		v->next_shares = now + LOOK_MS;
		if (get(p, v->account, &st) < 0)
			continue;
		follow_shares(p, v, st);
		pool_put(p->env->pool, &st, false);
	}
}
