/* libstore/kv/be.h - big-endian integers at fixed places */
#ifndef STORE_KV_BE_H
#define STORE_KV_BE_H

#include <stdint.h>
#include <string.h>

static inline void
be32_put(void *p, uint32_t v)
{
	unsigned char b[4] = { (unsigned char)(v >> 24),
		(unsigned char)(v >> 16), (unsigned char)(v >> 8),
		(unsigned char)v };

	memcpy(p, b, 4);
}

static inline uint32_t
be32_get(const void *p)
{
	unsigned char b[4];

	memcpy(b, p, 4);
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	    (uint32_t)b[2] << 8 | b[3];
}

static inline void
be64_put(void *p, uint64_t v)
{
	be32_put(p, (uint32_t)(v >> 32));
	be32_put((char *)p + 4, (uint32_t)v);
}

static inline uint64_t
be64_get(const void *p)
{
	return (uint64_t)be32_get(p) << 32 |
	    be32_get((const char *)p + 4);
}

#endif
