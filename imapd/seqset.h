/* imapd/seqset.h - sets of sequence numbers or UIDs (RFC 9051 sequence-set) */
#ifndef IMAPD_SEQSET_H
#define IMAPD_SEQSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/slice.h"
#include "libstore/store.h"

/* Ascending, disjoint, not even adjacent. */
struct seqset {
	struct store_range *r;
	size_t n;
};

/*
 * "1,3:5,7:*", in any order; "*" is star, the greatest number in use; with
 * star 0 (nothing is in use) "*" is left out.  0, or -1: bad syntax.
 */
int seqset_parse(struct slice s, uint32_t star, struct arena *a,
    struct seqset *set_r);
/* Adds a number greater than all in it; cap belongs to the set. */
void seqset_add(struct seqset *set, size_t *cap, struct arena *a, uint32_t v);
bool seqset_has(const struct seqset *set, uint32_t v);
/* The greatest number, 0 if there is none. */
uint32_t seqset_max(const struct seqset *set);
/* Ascending numbers as "1:3,5". */
void seqset_print(struct buf *out, const uint32_t *v, size_t n);

#endif
