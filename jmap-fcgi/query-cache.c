/* jmap-fcgi/query-cache.c - results of Email/query, kept between requests */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "jmap-fcgi/query-cache.h"
#include "libbase/xalloc.h"

enum { ENTRIES_MAX = 4096 };

/* The one used last at the head. */
struct query_cache {
	pthread_mutex_t lock;
	struct query_entry *first;
	size_t n;
	uint64_t octets, max;
};

void
query_list_room(struct query_list *l, size_t n)
{
	if (n <= l->cap)
		return;
	l->cap = n + n / 8 + 16;
	l->email = xreallocarray(l->email, l->cap, sizeof(*l->email));
	l->thread = xreallocarray(l->thread, l->cap, sizeof(*l->thread));
}

void
query_list_insert(struct query_list *l, size_t at, uint64_t email,
    uint64_t thread)
{
	size_t after = (l->n - at) * sizeof(*l->email);

	query_list_room(l, l->n + 1);
	memmove(l->email + at + 1, l->email + at, after);
	memmove(l->thread + at + 1, l->thread + at, after);
	l->email[at] = email;
	l->thread[at] = thread;
	l->n++;
}

void
query_list_free(struct query_list *l)
{
	xfree(l->email);
	xfree(l->thread);
	memset(l, 0, sizeof(*l));
}

static uint64_t
size_of(const struct query_entry *e)
{
	return sizeof(*e) + strlen(e->key) + 1 +
	    (uint64_t)e->list.cap * 2 * sizeof(*e->list.email);
}

static void
entry_free(struct query_entry *e)
{
	query_list_free(&e->list);
	xfree(e->key);
	xfree(e);
}

struct query_cache *
query_cache_new(uint64_t max)
{
	struct query_cache *c = xcalloc(1, sizeof(*c));

	c->max = max;
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void
query_cache_free(struct query_cache **cp)
{
	struct query_entry *e, *next;

	if (*cp == NULL)
		return;
	for (e = (*cp)->first; e != NULL; e = next) {
		next = e->next;
		entry_free(e);
	}
	pthread_mutex_destroy(&(*cp)->lock);
	xfree(*cp);
	*cp = NULL;
}

/* Unlinks the entry of a key; with the lock. */
static struct query_entry *
unlink_key(struct query_cache *c, struct slice key)
{
	struct query_entry **at, *e;

	for (at = &c->first; (e = *at) != NULL; at = &e->next)
		if (slice_eq(key, slice_str(e->key)))
			break;
	if (e != NULL) {
		*at = e->next;
		c->n--;
		c->octets -= size_of(e);
	}
	return e;
}

struct query_entry *
query_cache_take(struct query_cache *c, struct slice key)
{
	struct query_entry *e;

	pthread_mutex_lock(&c->lock);
	e = unlink_key(c, key);
	pthread_mutex_unlock(&c->lock);
	if (e == NULL) {
		e = xcalloc(1, sizeof(*e));
		e->key = xstrndup(key.p, key.n);
	}
	return e;
}

/* Cuts off what is beyond the bounds; with the lock. */
static struct query_entry *
cut(struct query_cache *c)
{
	struct query_entry **at = &c->first, *rest;
	uint64_t octets = 0;
	size_t n = 0;

	while (*at != NULL && n < ENTRIES_MAX &&
	    octets + size_of(*at) <= c->max) {
		octets += size_of(*at);
		n++;
		at = &(*at)->next;
	}
	rest = *at;
	*at = NULL;
	c->n = n;
	c->octets = octets;
	return rest;
}

void
query_cache_put(struct query_cache *c, struct query_entry **ep)
{
	struct query_entry *e = *ep, *old, *rest = NULL, *next;

	if (e == NULL)
		return;
	*ep = NULL;
	pthread_mutex_lock(&c->lock);
	/* Two requests may have made one. */
	old = unlink_key(c, slice_str(e->key));
	e->next = c->first;
	c->first = e;
	c->n++;
	c->octets += size_of(e);
	if (c->n > ENTRIES_MAX || c->octets > c->max)
		rest = cut(c);
	pthread_mutex_unlock(&c->lock);
	if (old != NULL)
		entry_free(old);
	for (; rest != NULL; rest = next) {
		next = rest->next;
		entry_free(rest);
	}
}
