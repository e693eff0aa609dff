/* libstore/kv/item.h - what a pack consists of; see mailstore(5) */
#ifndef STORE_KV_ITEM_H
#define STORE_KV_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbase/slice.h"

/* Every item begins at a multiple of 64 with a header of 64 octets, so that the
 * header is within one sector and can be changed in place. */
enum {
	ITEM_ALIGN = 64,
	ITEM_HEAD = 64,
	ITEM_FRAME = 128 * 1024,	/* of a body, before compression */
	ITEM_FRAME_HEAD = 8,		/* its row in the table of frames */
	ITEM_META_MAX = 16 * 1024 * 1024 + 4096
};

enum item_kind {
	ITEM_BLOB = 1,		/* meta, table of frames, frames */
	ITEM_RECORD = 2,	/* a journal record */
	ITEM_DEAD = 3		/* nothing; len octets to the next item */
};

enum { ITEM_RAW = 0, ITEM_ZSTD = 1 };

struct item {
	enum item_kind kind;
	bool deleted;		/* a BLOB whose octets are still there */
	bool punched;		/* a DEAD one whose blocks were given back */
	uint8_t codec;
	uint64_t len;		/* of the whole item, a multiple of 64 */
	uint64_t raw, stored;	/* of a blob's body */
	uint32_t meta_len, meta_crc;	/* record: its length and CRC */
	uint32_t table_crc;
};

/* Frames of the body. */
uint64_t item_frames(const struct item *it);
/* Where its frames begin, counted from the item's beginning. */
uint64_t item_body(const struct item *it);

void item_encode(const struct item *it, unsigned char out[ITEM_HEAD]);
/* 0, or -1: not a header (all zero too), or not one that can be believed. */
int item_decode(const unsigned char in[ITEM_HEAD], struct item *it_r);

/*
 * Checks a whole item, header included, in memory: all lengths and checksums.
 * 0, or -1.
 */
int item_verify(struct slice s, struct item *it_r);

/* A row of the table of frames. */
struct item_frame {
	uint32_t stored;	/* == its raw length: not compressed */
	uint32_t crc;		/* of the stored octets */
};
void item_frame_encode(const struct item_frame *f,
    unsigned char out[ITEM_FRAME_HEAD]);
void item_frame_decode(const unsigned char in[ITEM_FRAME_HEAD],
    struct item_frame *f);

#endif
