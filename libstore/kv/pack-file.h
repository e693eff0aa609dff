/* libstore/kv/pack-file.h - the head of a pack file */
#ifndef STORE_KV_PACK_FILE_H
#define STORE_KV_PACK_FILE_H

#include <stdint.h>

enum {
	PACK_HEAD = 64,			/* the first item follows */
	PACK_LIMIT = 64 * 1024 * 1024,	/* a pack that reached it is full */
	PACK_VERSION = 1
};

/* own: a pack with a single large blob. */
void pack_head_encode(int own, unsigned char out[PACK_HEAD]);
/* 0, STORE_E_CORRUPT, STORE_E_VERSION. */
int pack_head_decode(const unsigned char in[PACK_HEAD], int *own_r);

#endif
