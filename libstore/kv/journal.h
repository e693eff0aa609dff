/* libstore/kv/journal.h - the journal's header and records; see mailstore(5) */
#ifndef STORE_KV_JOURNAL_H
#define STORE_KV_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/buf.h"
#include "libbase/slice.h"
#include "libstore/kv.h"
#include "libstore/kv/olog.h"

enum {
	JOURNAL_HEAD = 128,
	JOURNAL_VERSION = 1,
	JOURNAL_STATE = 112,	/* where the two words that change are */
	RECORD_HEAD = 48,
	/* Octets of one operation besides key and value. */
	OP_HEAD = 12,
	RECORD_MAX = RECORD_HEAD + 2 * KV_TXN_MAX
};

/* Where the next item goes, and the number of the next new pack. */
struct pack_pos {
	uint32_t pack;		/* 0: there is none yet */
	uint32_t next;
	uint64_t end;
};

struct journal_head {
	uint64_t gen;		/* of the base; 0: there is none */
	uint64_t base_size;
	uint32_t base_crc;
	uint64_t seq;		/* of the base: the records go on from here */
	uint64_t when;		/* of the base's last record */
	struct pack_pos pos;	/* at the base; all before is flushed */
	unsigned char id[16];	/* of the account, random */
	bool settled;		/* the directory was flushed after the rename */
	bool suspect;		/* a flush failed: what follows may be lost */
};

void journal_head_encode(const struct journal_head *h,
    unsigned char out[JOURNAL_HEAD]);
/* Its checksum: of the version and of what follows the checksum. */
uint32_t journal_head_crc(const unsigned char head[JOURNAL_HEAD]);
/* 0, STORE_E_CORRUPT, STORE_E_VERSION. */
int journal_head_decode(const unsigned char in[JOURNAL_HEAD],
    struct journal_head *h_r);

struct record {
	uint32_t len;		/* of all of it, a multiple of 8 */
	uint32_t n_ops;
	uint64_t seq;
	uint64_t when;		/* microseconds since 1970, as the clock said */
	struct pack_pos pos;	/* after it */
	bool shown;		/* readers may believe it */
	bool odd;		/* the word that says so is damaged */
	struct slice ops;
};

/* The word of a record, at its beginning, that shows it. */
void record_show(unsigned char out[4]);
/* 1: a whole valid record is at the front of s; 0: not, or not all of it is in
 * s: *need_r octets are wanted (0: it is not one). */
int record_decode(struct slice s, struct record *r_r, size_t *need_r);

/* A transaction's operations, as they will be in its record. */
struct ops {
	struct buf b;		/* RECORD_HEAD octets for the head, then they */
	uint32_t n;
	size_t key_at, key_n;	/* of the last one's key, in b */
};
void ops_init(struct ops *o);
void ops_release(struct ops *o);
/* -1: the record would become too long. */
int op_put(struct ops *o, struct slice key, struct slice val);
int op_patch(struct ops *o, struct slice key, uint32_t off,
    struct slice octets);
int op_del(struct ops *o, struct slice key);
int op_del_range(struct ops *o, struct slice from, struct slice to);
/* Makes them a record: pads, and writes the head; of r seq, when, pos and
 * shown are used.  -1: too long. */
int record_finish(struct ops *o, const struct record *r);

enum op_kind { OP_PUT = 1, OP_PATCH, OP_DEL, OP_DEL_RANGE };
/* Calls fn for each of n operations, with sizes and ranges that can be; val of
 * DEL_RANGE: where it ends.  -1: they are not what a writer writes, or fn says
 * so. */
int ops_each(struct slice ops, uint32_t n, int (*fn)(void *arg,
    enum op_kind kind, struct slice key, uint32_t off, struct slice val),
    void *arg);
/* Takes n operations into the log, which keeps pointers into ops; -1: they are
 * not what a writer writes. */
int ops_apply(struct slice ops, uint32_t n, struct olog *l);

#endif
