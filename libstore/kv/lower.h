/* libstore/kv/lower.h - a snapshot's rows: the journal's over the base's */
#ifndef STORE_KV_LOWER_H
#define STORE_KV_LOWER_H

#include <stdbool.h>

#include "libstore/errors.h"
#include "libstore/kv/olog.h"

struct lower {
	struct olog *log;
	struct base *base;	/* NULL: there is none */
};

void lower_release(struct lower *w);
/* 1 and the value, valid until the next call; 0: no such row. */
int lower_get(struct lower *w, struct slice key, struct slice *val_r);

/* As kv_scan_open(); nothing is written meanwhile. */
struct lower_scan;
struct lower_scan *lower_scan_new(struct lower *w, struct slice from,
    struct slice to, bool reverse);
int lower_scan_next(struct lower_scan *s, struct slice *key_r,
    struct slice *val_r);
void lower_scan_free(struct lower_scan *s);

#endif
