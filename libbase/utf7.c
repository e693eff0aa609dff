/* libbase/utf7.c - modified UTF-7 of mailbox names (RFC 3501 5.1.3) */
#include "config.h"

#include <string.h>

#include "libbase/utf7.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool
printable(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == ',' ? 63 : -1;
}

static char *
put_utf8(char *o, uint32_t c)
{
	if (c < 0x80)
		*o++ = (char)c;
	else if (c < 0x800) {
		*o++ = (char)(0xc0 | c >> 6);
		*o++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*o++ = (char)(0xe0 | c >> 12);
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	} else {
		*o++ = (char)(0xf0 | c >> 18);
		*o++ = (char)(0x80 | (c >> 12 & 0x3f));
		*o++ = (char)(0x80 | (c >> 6 & 0x3f));
		*o++ = (char)(0x80 | (c & 0x3f));
	}
	return o;
}

/* The inside of "&...-".  The new end of the output, or NULL. */
static char *
decode_run(struct slice run, bool loose, char *o)
{
	uint32_t bits = 0, high = 0;
	unsigned n = 0;

	for (size_t i = 0; i < run.n; i++) {
		int v = sextet(run.p[i]);
		uint32_t unit;

		if (v < 0)
			return NULL;
		bits = bits << 6 | (uint32_t)v;
		n += 6;
		if (n < 16)
			continue;
		n -= 16;
		unit = bits >> n & 0xffff;
		bits &= (1u << n) - 1;
		if (high != 0) {
			if (unit < 0xdc00 || unit > 0xdfff)
				return NULL;
			o = put_utf8(o, 0x10000 + ((high - 0xd800) << 10) +
			    (unit - 0xdc00));
			high = 0;
		} else if (unit >= 0xd800 && unit <= 0xdbff)
			high = unit;
		else if ((unit >= 0xdc00 && unit <= 0xdfff) ||
		    (printable(unit) && !loose) || unit == 0)
			return NULL;
		else
			o = put_utf8(o, unit);
	}
	/* Neither half a character nor a useless sextet nor spare bits. */
	return high == 0 && n < 6 && bits == 0 ? o : NULL;
}

int
utf7_decode(struct slice in, bool loose, struct arena *a, struct slice *out_r)
{
	/* 8 sextets are 3 units of at most 3 octets: never longer than 2 n. */
	char *out = arena_alloc(a, in.n * 2 + 1), *o = out;
	bool after_run = false;

	for (size_t i = 0; i < in.n; i++) {
		size_t from = i + 1, to;

		if (!printable((unsigned char)in.p[i]))
			return -1;
		if (in.p[i] != '&') {
			*o++ = in.p[i];
			after_run = false;
			continue;
		}
		for (to = from; to < in.n && in.p[to] != '-'; to++)
			;
		if (to == in.n)
			return -1;
		i = to;
		if (to == from) {
			*o++ = '&';
			after_run = false;
			continue;
		}
		if ((after_run && !loose) || (o = decode_run(slice_make(
		    in.p + from, to - from), loose, o)) == NULL)
			return -1;
		after_run = true;
	}
	*out_r = slice_make(out, (size_t)(o - out));
	return 0;
}

/* The next character of valid UTF-8. */
static uint32_t
get_utf8(struct slice s, size_t *i)
{
	unsigned char c = (unsigned char)s.p[(*i)++];
	unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	uint32_t v = more == 0 ? c : c & (0x3fu >> more);

	while (more-- > 0 && *i < s.n)
		v = v << 6 | ((unsigned char)s.p[(*i)++] & 0x3f);
	return v;
}

struct run {
	struct buf *out;
	uint32_t bits;
	unsigned n;
	bool open;
};

static void
run_unit(struct run *r, uint32_t unit)
{
	if (!r->open)
		buf_addc(r->out, '&');
	r->open = true;
	r->bits = r->bits << 16 | unit;
	for (r->n += 16; r->n >= 6;) {
		r->n -= 6;
		buf_addc(r->out, alphabet[r->bits >> r->n & 0x3f]);
	}
	r->bits &= (1u << r->n) - 1;
}

static void
run_close(struct run *r)
{
	if (!r->open)
		return;
	if (r->n > 0)
		buf_addc(r->out, alphabet[r->bits << (6 - r->n) & 0x3f]);
	buf_addc(r->out, '-');
	*r = (struct run){ .out = r->out };
}

int
utf7_encode(struct buf *out, struct slice in, const char *also)
{
	struct run r = { .out = out };

	for (size_t i = 0; i < in.n;) {
		uint32_t c = get_utf8(in, &i);

		if (printable(c) && strchr(also, (int)c) == NULL) {
			run_close(&r);
			buf_addc(out, (char)c);
			if (c == '&')
				buf_addc(out, '-');
		} else if (c >= 0x10000) {
			run_unit(&r, 0xd800 + ((c - 0x10000) >> 10));
			run_unit(&r, 0xdc00 + ((c - 0x10000) & 0x3ff));
		} else
			run_unit(&r, c);
	}
	run_close(&r);
	return out->overflow ? -1 : 0;
}
