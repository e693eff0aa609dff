/* libbase/buf.h - a growable octet buffer with a maximum from birth */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

/*
 * p[0..n) are the octets; p is NULL while nothing was added.  An addition that
 * would exceed max changes nothing, sets overflow and returns -1; once set it
 * stays, later additions fail too, so that a caller may check once at the end.
 */
struct buf {
	char *p;
	size_t n, cap, max;
	bool overflow;
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
/* Empties it and clears overflow; keeps the memory. */
void buf_reset(struct buf *b);
int buf_add(struct buf *b, const void *p, size_t n);
int buf_add_slice(struct buf *b, struct slice s);
int buf_add_str(struct buf *b, const char *s);
int buf_addc(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Decimal, without printf's cost. */
int buf_add_u64(struct buf *b, uint64_t v);
/* Makes room for n more octets and returns where they go (then set b->n
 * yourself; n may be 0), or NULL past max. */
char *buf_reserve(struct buf *b, size_t n);
/* Removes n octets from the front. */
void buf_consume(struct buf *b, size_t n);
static inline struct slice
buf_slice(const struct buf *b)
{
	return (struct slice){ b->p, b->n };
}

/* Fixed-width big-endian and LEB128 integers, for rows and records. */
int buf_add_be32(struct buf *b, uint32_t v);
int buf_add_be64(struct buf *b, uint64_t v);
int buf_add_varint(struct buf *b, uint64_t v);
/* A varint length and the octets. */
int buf_add_lstr(struct buf *b, struct slice s);
/* The same of a text that may be absent (s.p NULL), which isn't the empty one:
 * the length is one more, 0 where there is none. */
int buf_add_opt(struct buf *b, struct slice s);

/*
 * A cursor over octets of unknown honesty.  Each get takes from the front;
 * past the end it returns 0 or an empty slice and sets bad, which stays set:
 * check once at the end with cur_ok().
 */
struct cur {
	const unsigned char *p, *end;
	bool bad;
};

struct cur cur_make(struct slice s);
uint8_t cur_u8(struct cur *c);
uint32_t cur_be32(struct cur *c);
uint64_t cur_be64(struct cur *c);
uint64_t cur_varint(struct cur *c);
struct slice cur_bytes(struct cur *c, size_t n);
struct slice cur_lstr(struct cur *c);
struct slice cur_opt(struct cur *c);
static inline size_t
cur_left(const struct cur *c)
{
	return c->bad ? 0 : (size_t)(c->end - c->p);
}
static inline bool
cur_ok(const struct cur *c)
{
	return !c->bad;
}

#endif
