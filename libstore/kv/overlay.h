/* libstore/kv/overlay.h - an ordered map of rows, cheap to copy */
#ifndef STORE_KV_OVERLAY_H
#define STORE_KV_OVERLAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/slice.h"

/*
 * The rows of an engine in memory, or those which a transaction changed over
 * what is below.  A balanced tree whose nodes are counted: a copy shares them,
 * and a change copies only the path to the row that both have.  So a
 * transaction, a scan and a snapshot are each a copy.  Copies may be used by
 * different threads.
 */
enum orow_kind {
	OROW_VALUE,	/* the row is this */
	OROW_GONE	/* there is no such row */
};

struct orow {
	atomic_uint refs;
	uint32_t vlen, cap;	/* of the octets behind the key */
	uint16_t klen;
	uint8_t kind;
	char octets[];		/* key, then the value */
};

struct onode {
	atomic_uint refs;
	int height;
	struct onode *l, *r;
	struct orow *row;
};

/* A counted set of ranges [from, to) that are deleted in what is below; an
 * empty to is the end.  NULL is the empty set. */
struct ohidden;
struct ohidden *ohidden_add(const struct ohidden *old, struct slice from,
    struct slice to);		/* a new one */
void ohidden_unref(struct ohidden *h);
bool ohidden_has(const struct ohidden *h, struct slice key);
/* The i-th; false: there are fewer. */
bool ohidden_get(const struct ohidden *h, size_t i, struct slice *from_r,
    struct slice *to_r);

struct overlay {
	struct onode *root;
	struct ohidden *hidden;
	bool alone;		/* there is nothing below to hide */
};

static inline struct slice
orow_key(const struct orow *r)
{
	return (struct slice){ r->octets, r->klen };
}

static inline struct slice
orow_value(const struct orow *r)
{
	return (struct slice){ r->octets + r->klen, r->vlen };
}

void overlay_init(struct overlay *ov, bool alone);
void overlay_copy(struct overlay *to, const struct overlay *from);
void overlay_release(struct overlay *ov);

/* The row of that key, or NULL: then what is below counts, unless hidden. */
const struct orow *overlay_find(const struct overlay *ov, struct slice key);
bool overlay_hides(const struct overlay *ov, struct slice key);

void overlay_put(struct overlay *ov, struct slice key, struct slice val);
void overlay_del(struct overlay *ov, struct slice key);
/* from <= key < to; an empty to is the end. */
void overlay_del_range(struct overlay *ov, struct slice from, struct slice to);
/* Overwrites octets of the row.  ABSENT: the overlay says nothing of it. */
enum orow_patched {
	OROW_PATCHED, OROW_ABSENT, OROW_NO_ROW, OROW_TOO_SHORT
};
enum orow_patched overlay_patch(struct overlay *ov, struct slice key,
    size_t off, struct slice octets);

/* Walking in either direction.  The overlay must not change meanwhile: walk a
 * copy. */
enum { OVERLAY_DEPTH = 64 };
struct owalk {
	const struct onode *stack[OVERLAY_DEPTH];
	int n;
	bool reverse;
};
/* Forward: to the first key >= key.  Reverse: to the last key < key, or to the
 * last of all if key is empty. */
void owalk_seek(struct owalk *w, const struct overlay *ov, struct slice key,
    bool reverse);
/* The row where the walk stands, or NULL at the end; step goes on. */
const struct orow *owalk_row(const struct owalk *w);
void owalk_step(struct owalk *w);

#endif
