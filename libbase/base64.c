/* libbase/base64.c - RFC 4648: base64, base64url, hexadecimal */
#include "config.h"

#include "libbase/text.h"

static const char std_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int
encode(struct buf *out, struct slice in, const char *digits, bool pad)
{
	const unsigned char *p = (const unsigned char *)in.p;
	size_t rest = in.n % 3, n = in.n / 3 * 4;
	char *to;

	if (in.n == 0)
		return out->overflow ? -1 : 0;
	if (rest > 0)
		n += pad ? 4 : rest + 1;
	if (in.n > SIZE_MAX / 2 || (to = buf_reserve(out, n)) == NULL) {
		out->overflow = true;
		return -1;
	}
	for (size_t left = in.n; left > 0;) {
		size_t k = left < 3 ? left : 3;
		uint32_t v = (uint32_t)p[0] << 16;

		v |= k > 1 ? (uint32_t)p[1] << 8 : 0;
		v |= k > 2 ? p[2] : 0;
		for (size_t i = 0; i < 4; i++)
			if (i <= k)
				*to++ = digits[v >> (18 - 6 * i) & 63];
			else if (pad)
				*to++ = '=';
		p += k;
		left -= k;
	}
	out->n = (size_t)(to - out->p);
	return 0;
}

int
base64_encode(struct buf *out, struct slice in)
{
	return encode(out, in, std_digits, true);
}

int
base64url_encode(struct buf *out, struct slice in)
{
	return encode(out, in, url_digits, false);
}

static int
digit(char c, bool url)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (url ? '-' : '+'))
		return 62;
	if (c == (url ? '_' : '/'))
		return 63;
	return -1;
}

static int
decode(struct slice in, bool url, struct arena *a, struct slice *out_r)
{
	size_t n = 0;
	uint32_t v = 0;
	char *to;

	if (!url) {
		if (in.n % 4 != 0)
			return -1;
		if (in.n > 0 && in.p[in.n - 1] == '=')
			in.n -= in.p[in.n - 2] == '=' ? 2 : 1;
	}
	if (in.n % 4 == 1)
		return -1;
	to = arena_alloc(a, in.n / 4 * 3 + 4);
	for (size_t i = 0; i < in.n; i++) {
		int d = digit(in.p[i], url);

		if (d < 0)
			return -1;
		v = v << 6 | (uint32_t)d;
		if (i % 4 == 3) {
			to[n++] = (char)(v >> 16);
			to[n++] = (char)(v >> 8);
			to[n++] = (char)v;
			v = 0;
		}
	}
	if (in.n % 4 == 2) {
		if (v & 15)
			return -1;
		to[n++] = (char)(v >> 4);
	} else if (in.n % 4 == 3) {
		if (v & 3)
			return -1;
		to[n++] = (char)(v >> 10);
		to[n++] = (char)(v >> 2);
	}
	to[n] = '\0';
	*out_r = slice_make(to, n);
	return 0;
}

int
base64_decode(struct slice in, struct arena *a, struct slice *out_r)
{
	return decode(in, false, a, out_r);
}

int
base64url_decode(struct slice in, struct arena *a, struct slice *out_r)
{
	return decode(in, true, a, out_r);
}

int
hex_encode(struct buf *out, struct slice in)
{
	static const char digits[] = "0123456789abcdef";
	char *to;

	if (in.n == 0)
		return out->overflow ? -1 : 0;
	if (in.n > SIZE_MAX / 2 || (to = buf_reserve(out, in.n * 2)) == NULL) {
		out->overflow = true;
		return -1;
	}
	for (size_t i = 0; i < in.n; i++) {
		*to++ = digits[(unsigned char)in.p[i] >> 4];
		*to++ = digits[(unsigned char)in.p[i] & 15];
	}
	out->n += in.n * 2;
	return 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
hex_decode(struct slice in, void *out, size_t n)
{
	unsigned char *to = out;

	if (in.n / 2 != n || in.n % 2 != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int hi = hex_digit(in.p[2 * i]), lo = hex_digit(in.p[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -1;
		to[i] = (unsigned char)(hi << 4 | lo);
	}
	return 0;
}
