/* libstore/umap.c - a hash table from numbers to pointers, in an arena */
#include "config.h"

#include <assert.h>

#include "libstore/umap.h"

void
umap_init(struct umap *m, struct arena *a)
{
	m->arena = a;
	m->slot = NULL;
	m->n = m->cap = 0;
}

/* Finalizer of MurmurHash3's mixing: the numbers are ours, not the net's. */
static size_t
umap_hash(uint64_t a, uint32_t b)
{
	uint64_t x = a ^ (uint64_t)b * UINT64_C(0x9e3779b97f4a7c15);

	x ^= x >> 33;
	x *= UINT64_C(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64_C(0xc4ceb9fe1a85ec53);
	return (size_t)(x ^ x >> 33);
}

void *
umap_get(const struct umap *m, uint64_t a, uint32_t b)
{
	if (m->cap == 0)
		return NULL;
	for (size_t i = umap_hash(a, b) & (m->cap - 1); m->slot[i].p;
	    i = (i + 1) & (m->cap - 1))
		if (m->slot[i].a == a && m->slot[i].b == b)
			return m->slot[i].p;
	return NULL;
}

static void
umap_place(struct umap *m, uint64_t a, uint32_t b, void *p)
{
	size_t i = umap_hash(a, b) & (m->cap - 1);

	while (m->slot[i].p)
		i = (i + 1) & (m->cap - 1);
	m->slot[i] = (struct umap_slot){ a, b, p };
}

static void
umap_grow(struct umap *m)
{
	struct umap_slot *old = m->slot;
	size_t cap = m->cap;

	m->cap = cap ? cap * 2 : 16;
	m->slot = arena_calloc(m->arena, m->cap, sizeof(*m->slot));
	for (size_t i = 0; i < cap; i++)
		if (old[i].p)
			umap_place(m, old[i].a, old[i].b, old[i].p);
}

void
umap_add(struct umap *m, uint64_t a, uint32_t b, void *p)
{
	assert(p);
	if (m->n * 4 >= m->cap * 3)
		umap_grow(m);
	umap_place(m, a, b, p);
	m->n++;
}

void *
umap_next(const struct umap *m, size_t *pos)
{
	while (*pos < m->cap)
		if (m->slot[(*pos)++].p)
			return m->slot[*pos - 1].p;
	return NULL;
}
