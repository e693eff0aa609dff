/* libstore/kv/olog.h - an index of the journal's operations */
#ifndef STORE_KV_OLOG_H
#define STORE_KV_OLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/slice.h"

struct base;

/*
 * What the journal's records make of the base's rows.  A session reads the
 * journal when it begins and then asks for a few rows; so taking a record in
 * must cost next to nothing: keys go into a hash table, values stay where the
 * record is, patches are applied when the row is read, and keys are sorted when
 * there is a scan.
 */
struct olog;

struct olog *olog_new(bool on_base);
void olog_free(struct olog **l);
/* Memory from xmalloc in which records are: from now on the log's. */
void olog_keep(struct olog *l, void *p);

/* One operation each.  The octets stay where they are.  patch: -1 if the row
 * isn't there, or is shorter (as far as that is known without the base). */
void olog_put(struct olog *l, struct slice key, struct slice val);
int olog_patch(struct olog *l, struct slice key, uint32_t off,
    struct slice octets);
void olog_del(struct olog *l, struct slice key);
void olog_del_range(struct olog *l, struct slice from, struct slice to);

/*
 * 1 and the row's value, valid until the next operation or, where it had to be
 * patched, the next patch; 0: there is no such row; 2: ask the base.  base: for
 * rows that are patches of it.  STORE_E_CORRUPT, or what base_get() says.
 */
int olog_get(struct olog *l, struct slice key, struct base *base,
    struct slice *val_r);
/* Is the base's row of that key deleted by a range? */
bool olog_hides(const struct olog *l, struct slice key);
bool olog_range(const struct olog *l, size_t i, struct slice *from_r,
    struct slice *to_r);

/*
 * The keys that the log has with from <= key < to (empty: no end), in order:
 * i from 0 to below n.  The log must not change meanwhile.
 */
struct olog_list {
	const struct olog *l;
	uint32_t *own;		/* where they were picked for this list alone */
	const uint32_t *at;
	size_t n;
};
void olog_list(struct olog *l, struct slice from, struct slice to,
    struct olog_list *list_r);
struct slice olog_list_key(const struct olog_list *list, size_t i);
void olog_list_release(struct olog_list *list);

#endif
