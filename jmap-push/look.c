/* jmap-push/look.c - what there is to push of an account (RFC 8620 7.2) */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "jmap-push/push.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"
#include "libsession/changed.h"
#include "libsession/session.h"

enum {
	GAP_MIN_S = 1,		/* between two pushes to one subscription */
	GAP_SLOW_S = 4,		/* where the service asked for fewer, at first */
	WAIT_MAX_S = 3600, DOUBLINGS_MAX = 12,
	TRIES_MAX = 80,		/* about three days */
	TROUBLE_S = 60		/* the store, or the password file */
};

static void
trouble(struct account *a, struct store *st, const char *what, int rc,
    int64_t now)
{
	log_err("%s: %s: %s", a->name, what,
	    st != NULL && *store_errmsg(st) != '\0' ? store_errmsg(st) :
	    store_error(rc)->text);
	account_due(a, now + TROUBLE_S);
}

static void
destroy(struct account *a, struct store *st, uint64_t id, const char *why)
{
	int rc = store_push_destroy(st, id);

	if (rc < 0 && rc != STORE_E_NOTFOUND)
		trouble(a, st, "a push subscription", rc, (int64_t)time(NULL));
	else
		log_info("%s: push subscription P%" PRIx64 " ends: %s",
		    a->name, id, why);
}

/* NULL, or why it isn't valid any more; *rc_r < 0: that can't be told now. */
static const char *
over(const struct pusher *p, const struct store_push *v, struct arena *a,
    int64_t now, int *rc_r)
{
	unsigned char is[STORE_PUSH_CREDENTIAL];
	int rc;

	*rc_r = 0;
	if (v->expires <= now)
		return "it has expired";
	rc = login_credential(p->conf, v->user, a, is);
	if (rc == LOGIN_E_TEMP) {
		*rc_r = STORE_E_IO;
		return NULL;
	}
	return rc == LOGIN_OK && secret_eq(is, v->credential, sizeof(is)) ?
	    NULL : "the password is another one";
}

/* Of what changed, what that subscription wants to know.  Quota's numbers have
 * no log of their own: they change with mail and mailboxes. */
static unsigned
wanted(const struct store_push *v, const struct changed *c)
{
	unsigned types = 0;

	if (v->all_types)
		types = CHANGED_ALL;
	for (size_t i = 0; i < v->n_type; i++)
		types |= changed_type(v->type[i]);
	if ((c->types & (CHANGED_EMAIL | CHANGED_MAILBOX)) == 0)
		types &= ~(unsigned)CHANGED_QUOTA;
	return c->types & types;
}

/* RFC 8620 7.2.2 */
static void
verification(struct buf *b, const struct store_push *v)
{
	buf_printf(b, "{\"@type\":\"PushVerification\","
	    "\"pushSubscriptionId\":\"P%" PRIx64 "\","
	    "\"verificationCode\":\"%.*s\"}", v->id, (int)v->code.n, v->code.p);
}

static int
state_change(struct store *st, const struct store_push *v, struct buf *b,
    struct post *post)
{
	struct changed c;
	unsigned types;
	char id[64];
	int rc;

	if ((rc = changed_since(st, v->told, &c)) < 0)
		return rc;
	if ((types = wanted(v, &c)) == 0)
		return 0;
	snprintf(id, sizeof(id), "A%s", store_account_id(st));
	changed_put(b, &c, types, id);
	post->told = c.now;
	/* RFC 8030 5.3: new mail, or what a device on battery can wait for. */
	post->urgency = (types & CHANGED_DELIVERY) != 0 ? "normal" : "low";
	return 0;
}

/* 0, or enum store_rc. */
static int
one(struct pusher *p, struct account *a, struct store *st, struct arena *mem,
    const struct store_push *v, int64_t now)
{
	struct post post = { .account = a, .id = v->id, .url = v->url,
		.p256dh = v->p256dh, .auth = v->auth, .told = v->told,
		.verification = v->state == STORE_PUSH_NEW,
		.expires = v->expires, .urgency = "normal" };
	const char *why;
	struct buf b;
	int rc;

	if ((why = over(p, v, mem, now, &rc)) != NULL) {
		destroy(a, st, v->id, why);
		return 0;
	}
	if (rc < 0 || v->state == STORE_PUSH_SENT)
		return rc;
	buf_init(&b, WEBPUSH_PLAIN_MAX);
	if (post.verification)
		verification(&b, v);
	else
		rc = state_change(st, v, &b, &post);
	post.body = buf_slice(&b);
	if (rc == 0 && b.n > 0) {
		if (v->next_try > now || posts_full(p->posts))
			account_due(a, v->next_try > now ? v->next_try :
			    now + GAP_MIN_S);
		else if (posts_start(p->posts, &post) < 0)
			destroy(a, st, v->id, "it can't be pushed to");
		else
			a->posts++;
	}
	buf_release(&b);
	return rc;
}

void
look(struct pusher *p, struct account *a, int64_t now)
{
	struct arena *mem = arena_new(0);
	struct store_push *v = NULL;
	struct store *st = NULL;
	size_t n = 0;
	int rc;

	if ((rc = store_open(&p->store_conf, a->name, &st)) == 0)
		rc = store_push_list(st, mem, &v, &n);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = one(p, a, st, mem, &v[i], now);
	if (rc == 0)
		rc = store_push_settle(st);
	if (rc == STORE_E_NOTFOUND && st == NULL)
		store_push_forget(&p->store_conf, a->name);
	else if (rc < 0)
		trouble(a, st, "push subscriptions", rc, now);
	store_close(&st);
	arena_free(&mem);
}

/* ---- what came of it --------------------------------------------------- */

static void
went_well(struct store_push *v, const struct post *post, int64_t now)
{
	v->attempts = 0;
	v->gap_s /= 2;
	v->next_try = now + (v->gap_s > GAP_MIN_S ? v->gap_s : GAP_MIN_S);
	v->told = post->told;
	if (post->verification) {
		v->state = STORE_PUSH_SENT;
		v->next_try = 0;
	}
}

/* RFC 8030 8.4 and RFC 6585 4: not before the service wants it. */
static void
went_wrong(const struct conf *c, struct store_push *v, int result,
    int64_t retry_s, int64_t now)
{
	unsigned n = v->attempts < DOUBLINGS_MAX ? v->attempts : DOUBLINGS_MAX;
	int64_t wait = (int64_t)c->push_retry_s << n;

	v->attempts++;
	if (wait > WAIT_MAX_S)
		wait = WAIT_MAX_S;
	if (result == POST_SLOWER) {
		v->gap_s = v->gap_s == 0 ? GAP_SLOW_S : v->gap_s * 2;
		if (v->gap_s > WAIT_MAX_S)
			v->gap_s = WAIT_MAX_S;
	}
	if (wait < (int64_t)v->gap_s)
		wait = v->gap_s;
	if (retry_s > wait)
		wait = retry_s < 24 * WAIT_MAX_S ? retry_s : 24 * WAIT_MAX_S;
	v->next_try = now + wait;
}

static int
settle(struct pusher *p, struct store *st, struct arena *mem,
    const struct post *post, int result, int64_t retry_s, const char *why)
{
	int64_t now = (int64_t)time(NULL);
	struct store_push v;
	int rc;

	rc = store_push_get(st, mem, post->id, &v);
	if (rc < 0)
		return rc == STORE_E_NOTFOUND ? 0 : rc;
	if (result == POST_GONE) {
		destroy(post->account, st, v.id, why);
		return 0;
	}
	if (result == POST_OK)
		went_well(&v, post, now);
	else
		went_wrong(p->conf, &v, result, retry_s, now);
	if (v.attempts > TRIES_MAX) {
		destroy(post->account, st, v.id, why);
		return 0;
	}
	if (v.attempts > 0)
		log_warn("%s: push subscription P%" PRIx64 ": %s; again in "
		    "%" PRId64 " s", post->account->name, v.id, why,
		    v.next_try - now);
	return store_push_update(st, v.id, &v, STORE_PUSH_SET_TRY |
	    (result == POST_OK && post->verification ?
	    STORE_PUSH_SET_STATE : 0));
}

void
posted(struct pusher *p, const struct post *post, int result, int64_t retry_s,
    const char *why)
{
	struct account *a = post->account;
	struct arena *mem = arena_new(0);
	struct store *st = NULL;
	int rc;

	a->posts--;
	if ((rc = store_open(&p->store_conf, a->name, &st)) == 0)
		rc = settle(p, st, mem, post, result, retry_s, why);
	if (rc == 0) {
		a->changed = true;	/* what else is there? */
	} else if (rc != STORE_E_NOTFOUND) {
		/* Not at once: what isn't recorded would be pushed again. */
		trouble(a, st, "a push can't be recorded", rc,
		    (int64_t)time(NULL));
		a->changed = false;
	}
	store_close(&st);
	arena_free(&mem);
}
