/* libstore/umap.h - a hash table from numbers to pointers, in an arena */
#ifndef STORE_UMAP_H
#define STORE_UMAP_H

#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"

struct umap_slot {
	uint64_t a;
	uint32_t b;
	void *p;	/* NULL: free */
};
struct umap {
	struct arena *arena;
	struct umap_slot *slot;
	size_t n, cap;
};

void umap_init(struct umap *m, struct arena *a);
/* NULL if it isn't there. */
void *umap_get(const struct umap *m, uint64_t a, uint32_t b);
/* Adds what isn't there yet; p is not NULL. */
void umap_add(struct umap *m, uint64_t a, uint32_t b, void *p);
/* In no order: *pos starts at 0; NULL at the end.  Adding ends the walk. */
void *umap_next(const struct umap *m, size_t *pos);

#endif
