/* culver/mutf7.c - the names of Maildir folders (RFC 3501 5.1.3) */
#include "config.h"

#include "culver/culver.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* The next character of valid UTF-8. */
static uint32_t
next_char(struct slice *s)
{
	const unsigned char *p = (const unsigned char *)s->p;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	s->p += n;
	s->n -= n;
	return c;
}

static bool
direct(uint32_t c)
{
	return c >= 0x20 && c < 0x7f && c != '.' && c != '/';
}

struct shift {
	uint32_t bits;
	unsigned n;
};

static void
shift_put(struct buf *out, struct shift *s, uint32_t unit)
{
	s->bits = s->bits << 16 | unit;
	s->n += 16;
	for (; s->n >= 6; s->n -= 6)
		(void)buf_addc(out, alphabet[s->bits >> (s->n - 6) & 0x3f]);
}

static void
shift_end(struct buf *out, struct shift *s)
{
	if (s->n > 0)
		(void)buf_addc(out, alphabet[s->bits << (6 - s->n) & 0x3f]);
	(void)buf_addc(out, '-');
	*s = (struct shift){ 0, 0 };
}

int
mutf7_encode(struct buf *out, struct slice utf8)
{
	struct shift s = { 0, 0 };
	bool in = false;

	while (utf8.n > 0) {
		uint32_t c = next_char(&utf8);

		if (direct(c)) {
			if (in)
				shift_end(out, &s);
			in = false;
			(void)buf_addc(out, (char)c);
			if (c == '&')
				(void)buf_addc(out, '-');
			continue;
		}
		if (!in)
			(void)buf_addc(out, '&');
		in = true;
		if (c > 0xffff) {
			shift_put(out, &s, 0xd800 + ((c - 0x10000) >> 10));
			shift_put(out, &s, 0xdc00 + ((c - 0x10000) & 0x3ff));
		} else {
			shift_put(out, &s, c);
		}
	}
	if (in)
		shift_end(out, &s);
	return out->overflow ? -1 : 0;
}

static void
put_utf8(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		(void)buf_addc(out, (char)c);
		return;
	}
	if (c < 0x800) {
		(void)buf_addc(out, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			(void)buf_addc(out, (char)(0xe0 | c >> 12));
		} else {
			(void)buf_addc(out, (char)(0xf0 | c >> 18));
			(void)buf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		(void)buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	(void)buf_addc(out, (char)(0x80 | (c & 0x3f)));
}

/* What is between '&' and '-': UTF-16 in base64. */
static int
decode_shifted(struct slice in, struct buf *out)
{
	uint32_t bits = 0, high = 0;
	unsigned n = 0;

	for (size_t i = 0; i < in.n; i++) {
		const char *at = memchr(alphabet, in.p[i],
		    sizeof(alphabet) - 1);
		uint32_t u;

		if (!at)
			return -1;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		n += 6;
		if (n < 16)
			continue;
		n -= 16;
		u = bits >> n & 0xffff;
		bits &= (1u << n) - 1;
		if (high != 0) {
			if (u < 0xdc00 || u > 0xdfff)
				return -1;
			put_utf8(out, 0x10000 + ((high - 0xd800) << 10) +
			    (u - 0xdc00));
			high = 0;
		} else if (u >= 0xd800 && u <= 0xdbff) {
			high = u;
		} else if (u >= 0xdc00 && u <= 0xdfff) {
			return -1;
		} else {
			put_utf8(out, u);
		}
	}
	return high != 0 || n >= 6 || bits != 0 ? -1 : 0;
}

int
mutf7_decode(struct slice in, struct arena *a, struct slice *out_r)
{
	struct buf b;
	int rc = 0;

	buf_init(&b, in.n * 2 + 1);
	for (size_t i = 0; rc == 0 && i < in.n; i++) {
		const char *end;
		size_t n;

		if (in.p[i] < 0x20 || in.p[i] == 0x7f) {
			rc = -1;	/* also what has the eighth bit */
			break;
		}
		if (in.p[i] != '&') {
			(void)buf_addc(&b, in.p[i]);
			continue;
		}
		end = memchr(in.p + i, '-', in.n - i);
		if (!end) {
			rc = -1;
			break;
		}
		n = (size_t)(end - (in.p + i)) - 1;
		if (n == 0)
			(void)buf_addc(&b, '&');
		else
			rc = decode_shifted(slice_make(in.p + i + 1, n), &b);
		i += n + 1;
	}
	if (rc == 0 && !b.overflow)
		*out_r = arena_slice(a, buf_slice(&b));
	else
		rc = -1;
	buf_release(&b);
	return rc;
}
