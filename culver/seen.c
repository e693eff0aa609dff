/* culver/seen.c - a set of content hashes */
#include "config.h"

#include <string.h>

#include "culver/seen.h"
#include "libbase/arena.h"
#include "libbase/xalloc.h"
#include "libstore/store.h"

enum { KEY = 24, FIRST_SLOTS = 1024 };

struct seen {
	unsigned char (*slot)[KEY];	/* all zero: free */
	size_t slots, n;		/* slots: a power of two */
};

static unsigned char *
find(struct seen *s, const unsigned char *key)
{
	static const unsigned char zero[KEY];
	uint64_t h;
	size_t i;

	memcpy(&h, key, sizeof(h));
	for (i = h & (s->slots - 1);; i = (i + 1) & (s->slots - 1)) {
		if (memcmp(s->slot[i], zero, KEY) == 0 ||
		    memcmp(s->slot[i], key, KEY) == 0)
			return s->slot[i];
	}
}

static void
grow(struct seen *s)
{
	struct seen old = *s;

	s->slots *= 2;
	s->slot = xcalloc(s->slots, KEY);
	for (size_t i = 0; i < old.slots; i++)
		memcpy(find(s, old.slot[i]), old.slot[i], KEY);
	xfree(old.slot);
}

bool
seen_add(struct seen *s, const unsigned char *sha256)
{
	unsigned char *at = find(s, sha256);

	if (memcmp(at, sha256, KEY) == 0)
		return false;
	memcpy(at, sha256, KEY);
	if (++s->n > s->slots / 2)
		grow(s);
	return true;
}

struct ids {
	uint64_t *v;
	size_t n, cap;
};

static int
collect(void *arg, const struct store_msg_info *m)
{
	struct ids *l = arg;

	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 1024;
		l->v = xreallocarray(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = m->email;
	return 0;
}

int
seen_load(struct store *st, uint64_t mailbox, struct seen **s_r)
{
	struct arena *a = arena_new(0);
	struct ids l = { NULL, 0, 0 };
	struct seen *s;
	int rc;

	s = xcalloc(1, sizeof(*s));
	s->slots = FIRST_SLOTS;
	s->slot = xcalloc(s->slots, KEY);
	rc = store_email_scan(st, mailbox, collect, &l);
	for (size_t i = 0; rc >= 0 && i < l.n; i++) {
		struct store_email e;

		rc = store_email_get(st, a, l.v[i], &e);
		if (rc >= 0)
			(void)seen_add(s, e.blob.h);
		else if (rc == STORE_E_NOTFOUND)
			rc = 0;
		arena_reset(a);
	}
	xfree(l.v);
	arena_free(&a);
	if (rc < 0)
		seen_free(&s);
	else
		*s_r = s;
	return rc < 0 ? rc : 0;
}

void
seen_free(struct seen **sp)
{
	if (!*sp)
		return;
	xfree((*sp)->slot);
	xfree(*sp);
	*sp = NULL;
}
