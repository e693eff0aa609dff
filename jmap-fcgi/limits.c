/* jmap-fcgi/limits.c - what runs: requests of an account, memory of them all */
#include "config.h"

#include <pthread.h>

#include "jmap-fcgi/web.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"

enum { BUCKETS = 256 };

struct count {		/* of an account that has any */
	char *account;
	uint32_t n[LIMIT_KINDS];
	struct count *next;
};

struct limits {
	pthread_mutex_t lock;
	struct count *bucket[BUCKETS];
	uint64_t memory;	/* of responses that are being made */
};

struct limits *
limits_new(void)
{
	struct limits *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void
limits_free(struct limits **l)
{
	if (*l == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while ((*l)->bucket[i] != NULL) {
			struct count *c = (*l)->bucket[i];

			(*l)->bucket[i] = c->next;
			xfree(c->account);
			xfree(c);
		}
	pthread_mutex_destroy(&(*l)->lock);
	xfree(*l);
	*l = NULL;
}

/* Where the account's counts are, or would be. */
static struct count **
find(struct limits *l, const char *account)
{
	uint32_t h = crc32c(0, account, strlen(account));
	struct count **at = &l->bucket[h % BUCKETS];

	while (*at != NULL && strcmp((*at)->account, account) != 0)
		at = &(*at)->next;
	return at;
}

bool
limits_enter(struct limits *l, enum limit_kind k, const char *account,
    uint32_t max)
{
	struct count **at;
	bool ok;

	pthread_mutex_lock(&l->lock);
	at = find(l, account);
	ok = *at == NULL ? max > 0 : (*at)->n[k] < max;
	if (ok && *at == NULL) {
		*at = xcalloc(1, sizeof(**at));
		(*at)->account = xstrdup(account);
	}
	if (ok)
		(*at)->n[k]++;
	pthread_mutex_unlock(&l->lock);
	return ok;
}

void
limits_leave(struct limits *l, enum limit_kind k, const char *account)
{
	struct count **at, *c;
	uint32_t left = 0;

	pthread_mutex_lock(&l->lock);
	at = find(l, account);
	if ((c = *at) != NULL) {
		c->n[k]--;
		for (size_t i = 0; i < LIMIT_KINDS; i++)
			left += c->n[i];
		if (left == 0) {
			*at = c->next;
			xfree(c->account);
			xfree(c);
		}
	}
	pthread_mutex_unlock(&l->lock);
}

bool
limits_reserve(struct limits *l, size_t n, uint64_t max)
{
	bool ok;

	pthread_mutex_lock(&l->lock);
	ok = l->memory <= max && n <= max - l->memory;
	if (ok)
		l->memory += n;
	pthread_mutex_unlock(&l->lock);
	return ok;
}

void
limits_release(struct limits *l, size_t n)
{
	pthread_mutex_lock(&l->lock);
	l->memory -= n;
	pthread_mutex_unlock(&l->lock);
}
