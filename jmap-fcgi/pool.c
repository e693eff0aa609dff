/* jmap-fcgi/pool.c - open stores, each used by one thread at a time */
#include "config.h"

#include <pthread.h>

#include "jmap-fcgi/jmap.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"

/* Handles that nobody uses just now, the one used last at the head. */
struct idle {
	struct store *st;
	int64_t since;
	struct idle *next;
};

struct pool {
	const struct store_conf *cf;
	pthread_mutex_t lock;
	struct idle *idle;
	size_t n, max;
};

struct pool *
pool_new(const struct store_conf *cf, size_t max_idle)
{
	struct pool *p = xcalloc(1, sizeof(*p));

	p->cf = cf;
	p->max = max_idle;
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

static void
close_all(struct idle *i)
{
	while (i != NULL) {
		struct idle *next = i->next;

		store_close(&i->st);
		xfree(i);
		i = next;
	}
}

void
pool_free(struct pool **p)
{
	if (*p == NULL)
		return;
	close_all((*p)->idle);
	pthread_mutex_destroy(&(*p)->lock);
	xfree(*p);
	*p = NULL;
}

static struct store *
take(struct pool *p, const char *account)
{
	struct idle **at, *i;
	struct store *st = NULL;

	pthread_mutex_lock(&p->lock);
	for (at = &p->idle; (i = *at) != NULL; at = &i->next)
		if (strcmp(store_account_name(i->st), account) == 0)
			break;
	if (i != NULL) {
		*at = i->next;
		p->n--;
		st = i->st;
	}
	pthread_mutex_unlock(&p->lock);
	xfree(i);
	return st;
}

int
pool_get(struct pool *p, const char *account, struct store **st_r)
{
	struct store *st = take(p, account);
	int rc;

	if (st != NULL) {
		if ((rc = store_refresh(st)) >= 0) {
			*st_r = st;
			return 0;
		}
		/* The account may have been made anew meanwhile. */
		store_close(&st);
	}
	if ((rc = store_open(p->cf, account, &st)) < 0)
		return rc;
	*st_r = st;
	return 0;
}

const char *
account_id(struct arena *a, const struct store *st)
{
	return arena_printf(a, "A%s", store_account_id(st));
}

/* The handles after the first keep that are older than max_age. */
static struct idle *
cut(struct pool *p, size_t keep, int64_t oldest)
{
	struct idle **at = &p->idle, *rest;
	size_t n = 0;

	while (*at != NULL && n < keep && (*at)->since >= oldest) {
		at = &(*at)->next;
		n++;
	}
	rest = *at;
	*at = NULL;
	p->n = n;
	return rest;
}

void
pool_put(struct pool *p, struct store **st, bool broken)
{
	struct idle *i, *rest = NULL;

	if (*st == NULL)
		return;
	if (broken) {
		store_close(st);
		return;
	}
	i = xcalloc(1, sizeof(*i));
	i->st = *st;
	i->since = time_mono_ms();
	*st = NULL;
	pthread_mutex_lock(&p->lock);
	i->next = p->idle;
	p->idle = i;
	if (++p->n > p->max)
		rest = cut(p, p->max, INT64_MIN);
	pthread_mutex_unlock(&p->lock);
	close_all(rest);
}

void
pool_expire(struct pool *p, int64_t max_age_ms)
{
	struct idle *rest;

	pthread_mutex_lock(&p->lock);
	rest = cut(p, p->max, time_mono_ms() - max_age_ms);
	pthread_mutex_unlock(&p->lock);
	close_all(rest);
}
