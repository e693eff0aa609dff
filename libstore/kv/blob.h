/* libstore/kv/blob.h - a staged blob: a whole pack item, not yet in a pack */
#ifndef STORE_KV_BLOB_H
#define STORE_KV_BLOB_H

#include <stdatomic.h>

#include "libstore/kv/item.h"
#include "libstore/kv/kv-int.h"

/* Over this a blob is a pack of its own, staged in an unnamed file. */
enum { BLOB_OWN_PACK = 4 * 1024 * 1024 };

struct kv_blob {
	atomic_uint refs;
	uint64_t len;		/* of the item */
	char *mem;		/* the item, or NULL: */
	int fd;			/* a pack file with just this item, flushed */
	char *tmp;		/* its name, where it could not be unnamed */
};

#endif
