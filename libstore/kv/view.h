/* libstore/kv/view.h - rows as a transaction sees them */
#ifndef STORE_KV_VIEW_H
#define STORE_KV_VIEW_H

#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libstore/errors.h"
#include "libstore/kv/lower.h"
#include "libstore/kv/overlay.h"

/* What it wrote, over a snapshot. */
struct view {
	struct overlay ov;
	struct lower *low;	/* NULL: there is nothing below */
};

/* All return enum store_rc.  get: the value in the arena. */
int view_get(const struct view *v, struct arena *a, struct slice key,
    struct slice *val_r);
/* STORE_E_NOTFOUND, STORE_E_INVALID. */
int view_patch(struct view *v, struct slice key, size_t off,
    struct slice octets);

struct view_scan;
struct view_scan *view_scan_new(const struct view *v, struct slice from,
    struct slice to, bool reverse);
/* 1 and the row, valid until the next call; 0. */
int view_scan_next(struct view_scan *s, struct slice *key_r,
    struct slice *val_r);
void view_scan_free(struct view_scan *s);

#endif
