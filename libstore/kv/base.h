/* libstore/kv/base.h - the immutable Btree under the journal */
#ifndef STORE_KV_BASE_H
#define STORE_KV_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/slice.h"
#include "libstore/errors.h"

struct base;
struct base_cursor;
struct lower;

/*
 * Opens base.GEN in the directory, which must have size octets.
 * STORE_E_NOTFOUND: there is no such file (a compaction took it away: read the
 * journal's header again).  err gets a sentence on failure.
 */
int base_open(int dirfd, uint64_t gen, uint64_t size, struct base **b_r,
    char *err, size_t err_n);
void base_close(struct base **b);
/* What was wrong when a call failed, with the place in the file; never NULL. */
const char *base_errmsg(const struct base *b);
/* 1 and the value, valid until the next call on b; 0: no such row. */
int base_get(struct base *b, struct slice key, struct slice *val_r);

/* Rows with key >= from ascending, or with key < from (empty: all) descending.
 * next: 1 and a row, valid until the next call on c; 0. */
int base_cursor_open(struct base *b, struct slice from, int reverse,
    struct base_cursor **c_r);
int base_cursor_next(struct base_cursor *c, struct slice *key_r,
    struct slice *val_r);
void base_cursor_close(struct base_cursor **c);

/*
 * Writes the rows to the new file dir/base.GEN and makes it durable (the
 * directory is the caller's).  old_gen: of their base; it is copied and changed
 * or, with anew, all rows are written in order.  crc_r: of the file.
 */
enum { BASE_HEAD_AT = 1024 };	/* a copy of the header in the first page */
struct journal_head;
struct base_job {
	const char *dir;
	int dirfd;
	struct lower *rows;
	uint64_t old_gen, old_size, gen;
	bool anew;
	const struct journal_head *head;	/* as the journal will have it,
						 * but for size and crc */
};
int base_write(const struct base_job *j, uint64_t *size_r, uint32_t *crc_r,
    char *err, size_t err_n);
/* The checksum of a whole file from its beginning. */
int base_crc(int fd, uint64_t size, uint32_t *crc_r);
/* Every page's checksum, and that a search finds what a scan does.  fn is
 * called for each fault, with its place; 0, or negative: can't be read. */
int base_verify(struct base *b, void (*fn)(void *arg, const char *fault),
    void *arg);

#endif
