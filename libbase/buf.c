/* libbase/buf.c - a growable octet buffer, and a cursor over octets */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "libbase/buf.h"
#include "libbase/xalloc.h"

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_release(struct buf *b)
{
	xfree(b->p);
	*b = (struct buf){ .max = b->max };
}

void
buf_reset(struct buf *b)
{
	b->n = 0;
	b->overflow = false;
}

/* Room for n more octets, of which at most one is beyond max. */
static char *
grow(struct buf *b, size_t n)
{
	if (b->p == NULL || b->cap - b->n < n) {
		size_t most = b->max + (b->max < SIZE_MAX);
		size_t cap = b->cap < 64 ? 64 : b->cap;

		while (cap - b->n < n)
			cap = cap > most / 2 ? most : cap * 2;
		b->p = xrealloc(b->p, cap);
		b->cap = cap;
	}
	return b->p + b->n;
}

char *
buf_reserve(struct buf *b, size_t n)
{
	if (b->overflow || n > b->max - b->n) {
		b->overflow = true;
		return NULL;
	}
	return grow(b, n);
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	char *to;

	if (n == 0)
		return b->overflow ? -1 : 0;
	if ((to = buf_reserve(b, n)) == NULL)
		return -1;
	memcpy(to, p, n);
	b->n += n;
	return 0;
}

int
buf_add_slice(struct buf *b, struct slice s)
{
	return buf_add(b, s.p, s.n);
}

int
buf_add_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_addc(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (b->overflow || n < 0 || (size_t)n > b->max - b->n) {
		b->overflow = true;
		return -1;
	}
	/* One octet more for the NUL, which is not counted. */
	to = grow(b, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
	return 0;
}

int
buf_add_u64(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	return buf_add(b, digits + i, sizeof(digits) - i);
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

int
buf_add_be32(struct buf *b, uint32_t v)
{
	unsigned char o[4];

	for (int i = 3; i >= 0; i--, v >>= 8)
		o[i] = (unsigned char)v;
	return buf_add(b, o, sizeof(o));
}

int
buf_add_be64(struct buf *b, uint64_t v)
{
	unsigned char o[8];

	for (int i = 7; i >= 0; i--, v >>= 8)
		o[i] = (unsigned char)v;
	return buf_add(b, o, sizeof(o));
}

int
buf_add_varint(struct buf *b, uint64_t v)
{
	unsigned char o[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		o[n++] = (unsigned char)(v | 0x80);
	o[n++] = (unsigned char)v;
	return buf_add(b, o, n);
}

int
buf_add_lstr(struct buf *b, struct slice s)
{
	if (buf_add_varint(b, s.n) < 0)
		return -1;
	return buf_add_slice(b, s);
}

int
buf_add_opt(struct buf *b, struct slice s)
{
	if (buf_add_varint(b, s.p == NULL ? 0 : s.n + 1) < 0)
		return -1;
	return buf_add_slice(b, s);
}

struct cur
cur_make(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	return (struct cur){ p, s.n > 0 ? p + s.n : p, false };
}

struct slice
cur_bytes(struct cur *c, size_t n)
{
	struct slice s = { NULL, 0 };

	if (n > cur_left(c)) {
		c->bad = true;
		return s;
	}
	s = slice_make((const char *)c->p, n);
	if (n > 0)
		c->p += n;
	return s;
}

uint8_t
cur_u8(struct cur *c)
{
	if (cur_left(c) < 1) {
		c->bad = true;
		return 0;
	}
	return *c->p++;
}

static uint64_t
cur_be(struct cur *c, size_t n)
{
	uint64_t v = 0;

	if (cur_left(c) < n) {
		c->bad = true;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v = v << 8 | *c->p++;
	return v;
}

uint32_t
cur_be32(struct cur *c)
{
	return (uint32_t)cur_be(c, 4);
}

uint64_t
cur_be64(struct cur *c)
{
	return cur_be(c, 8);
}

uint64_t
cur_varint(struct cur *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t o = cur_u8(c);

		/* The tenth octet has room for one bit. */
		if (c->bad || (shift == 63 && o > 1))
			break;
		v |= (uint64_t)(o & 0x7f) << shift;
		if (!(o & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

struct slice
cur_lstr(struct cur *c)
{
	uint64_t n = cur_varint(c);

	if (n > cur_left(c)) {
		c->bad = true;
		return slice_make(NULL, 0);
	}
	return cur_bytes(c, (size_t)n);
}

struct slice
cur_opt(struct cur *c)
{
	uint64_t n = cur_varint(c);

	if (n == 0)
		return slice_make(NULL, 0);
	if (n - 1 > cur_left(c)) {
		c->bad = true;
		return slice_make(NULL, 0);
	}
	return cur_bytes(c, (size_t)n - 1);
}
