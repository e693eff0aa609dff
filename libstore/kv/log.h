/* libstore/kv/log.h - reading journals, also those that were replaced */
#ifndef STORE_KV_LOG_H
#define STORE_KV_LOG_H

#include "libstore/kv/journal.h"

/* Behind a record, or at a journal's beginning. */
struct log_at {
	uint64_t off, seq, when;
	struct pack_pos pos;
};

/* The header of an open journal: 0, CORRUPT, VERSION, or IO. */
int log_head(int fd, struct journal_head *h_r, struct log_at *at_r);
/*
 * Goes on from *at over the records that follow one another, in the first
 * `end` octets of the file.  fn (may be NULL): each, with its octets; not 0
 * stops, with *at before that record, and is returned.  Else 0, with *at behind
 * the last whole one; or STORE_E_IO.
 */
int log_scan(int fd, uint64_t end, struct log_at *at,
    int (*fn)(void *arg, const struct record *r, struct slice octets),
    void *arg);
/* "log.G" */
void log_name(uint64_t gen, char out[32]);

#endif
