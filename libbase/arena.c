/* libbase/arena.c - memory that dies together */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libbase/arena.h"
#include "libbase/log.h"
#include "libbase/xalloc.h"

enum { ALIGN = 16, BLOCK = 8192, BIG = 4096, KEEP_MAX = 64 * 1024 };

struct block {
	struct block *next;
	size_t size, used;	/* of the octets behind this header */
	_Alignas(ALIGN) char octets[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *);
	void *p;
};

struct arena {
	struct block *blocks;	/* the first is the one in use */
	struct deferred *deferred;
	size_t max, used;
	bool full;
};

struct arena *
arena_new(size_t max)
{
	struct arena *a = xcalloc(1, sizeof(*a));

	a->max = max;
	return a;
}

static void
run_deferred(struct arena *a)
{
	/* A deferred function may defer again. */
	while (a->deferred != NULL) {
		struct deferred *d = a->deferred;

		a->deferred = d->next;
		d->fn(d->p);
	}
}

void
arena_reset(struct arena *a)
{
	struct block *b, *next, *keep = NULL;

	run_deferred(a);
	for (b = a->blocks; b != NULL; b = next) {
		next = b->next;
#ifndef ARENA_DEBUG
		if (keep == NULL && b->size <= KEEP_MAX) {
			keep = b;
			continue;
		}
#endif
		xfree(b);
	}
	if (keep != NULL) {
		keep->next = NULL;
		keep->used = 0;
	}
	a->blocks = keep;
	a->used = 0;
	a->full = false;
}

void
arena_free(struct arena **ap)
{
	struct arena *a = *ap;
	struct block *b, *next;

	if (a == NULL)
		return;
	run_deferred(a);
	for (b = a->blocks; b != NULL; b = next) {
		next = b->next;
		xfree(b);
	}
	xfree(a);
	*ap = NULL;
}

bool
arena_full(const struct arena *a)
{
	return a->full;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}

static struct block *
block_add(struct arena *a, size_t n)
{
	size_t size = n;
	struct block *b;

#ifndef ARENA_DEBUG
	/* Blocks grow with the arena, so that their number stays small. */
	if (n < BIG || a->blocks == NULL) {
		size = a->used > BLOCK ? a->used : BLOCK;
		if (size > 1024 * 1024)
			size = 1024 * 1024;
		if (size < n)
			size = n;
	}
#endif
	b = xmalloc(sizeof(*b) + size);
	b->size = size;
	b->used = 0;
#ifndef ARENA_DEBUG
	if (n >= BIG && a->blocks != NULL) {
		/* Alone, behind the first, whose rest remains in use: or big
		 * and small objects by turns would waste a block each. */
		b->next = a->blocks->next;
		a->blocks->next = b;
		return b;
	}
#endif
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

/* Not cleared. */
static void *
take(struct arena *a, size_t n)
{
	struct block *b = a->blocks;
	size_t want;
	char *p;

	if (n > SIZE_MAX / 2)
		fatal("arena: %zu octets", n);
	want = (n + (n == 0) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	a->used += want;
	if (a->max > 0 && a->used > a->max) {
		a->full = true;
		if (a->used / 2 > a->max)
			fatal("arena: over twice its %zu octets", a->max);
	}
#ifdef ARENA_DEBUG
	b = block_add(a, n + (n == 0));
	b->used = b->size;
	return b->octets;
#endif
	if (b == NULL || b->size - b->used < want)
		b = block_add(a, want);
	p = b->octets + b->used;
	b->used += want;
	return p;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	return memset(take(a, n), 0, n);
}

void *
arena_calloc(struct arena *a, size_t n, size_t size)
{
	if (size > 0 && n > SIZE_MAX / size)
		fatal("arena: %zu * %zu octets", n, size);
	return arena_alloc(a, n * size);
}

char *
arena_strndup(struct arena *a, const char *p, size_t n)
{
	char *s;

	if (n == SIZE_MAX)
		fatal("arena: %zu octets", n);
	s = take(a, n + 1);
	if (n > 0)
		memcpy(s, p, n);
	s[n] = '\0';
	return s;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

struct slice
arena_slice(struct arena *a, struct slice s)
{
	if (s.p == NULL)
		return s;
	return slice_make(arena_strndup(a, s.p, s.n), s.n);
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		fatal("arena_printf");
	s = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void
arena_defer(struct arena *a, void (*fn)(void *), void *p)
{
	struct deferred *d = arena_alloc(a, sizeof(*d));

	d->fn = fn;
	d->p = p;
	d->next = a->deferred;
	a->deferred = d;
}

void *
arena_grow(struct arena *a, void *old, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap;
	void *p;

	if (need <= n)
		return old;
	n = n < 8 ? 8 : n;
	while (n < need) {
		if (n > SIZE_MAX / 2)
			fatal("arena: %zu objects", need);
		n *= 2;
	}
	p = arena_calloc(a, n, size);
	if (*cap > 0)
		memcpy(p, old, *cap * size);
	*cap = n;
	return p;
}
