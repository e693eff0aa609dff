/* libbase/utf8.c - well-formed UTF-8, normal forms (libunistring) */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "libbase/log.h"
#include "libbase/text.h"

static const uint8_t *
octets(struct slice s)
{
	return (const uint8_t *)s.p;
}

/* The length of the well-formed character at the front of s, 0 if none is. */
static size_t
char_len(struct slice s)
{
	ucs4_t uc;
	int n = u8_mbtoucr(&uc, octets(s), s.n);

	return n > 0 ? (size_t)n : 0;
}

bool
utf8_valid(struct slice s)
{
	size_t i = 0;

	while (i < s.n) {
		size_t n = 1;

		if ((unsigned char)s.p[i] >= 0x80 &&
		    (n = char_len(slice_make(s.p + i, s.n - i))) == 0)
			return false;
		i += n;
	}
	return true;
}

struct slice
utf8_clean(struct arena *a, struct slice s)
{
	size_t n = 0;
	char *out;

	if (utf8_valid(s))
		return s;
	out = arena_alloc(a, s.n * 3 + 1);
	while (s.n > 0) {
		size_t len = char_len(s);

		if (len > 0)
			memcpy(out + n, s.p, len);
		else
			memcpy(out + n, "\xef\xbf\xbd", 3);
		n += len > 0 ? len : 3;
		len = len > 0 ? len : 1;
		s.p += len;
		s.n -= len;
	}
	return slice_make(out, n);
}

size_t
utf8_cut(struct slice s, size_t max)
{
	size_t n = max;

	if (s.n <= max)
		return s.n;
	while (n > 0 && max - n < 4 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static bool
ascii(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* Takes over a libunistring result. */
static int
take(uint8_t *p, size_t n, struct arena *a, struct slice *out_r)
{
	if (p == NULL)
		fatal("out of memory");
	*out_r = slice_make(arena_strndup(a, (char *)p, n), n);
	free(p);
	return 0;
}

int
utf8_nfc(struct slice s, struct arena *a, struct slice *out_r)
{
	size_t n = 0;
	uint8_t *p;

	if (ascii(s)) {
		*out_r = s;
		return 0;
	}
	if (!utf8_valid(s))
		return -1;
	p = u8_normalize(UNINORM_NFC, octets(s), s.n, NULL, &n);
	return take(p, n, a, out_r);
}

int
utf8_fold(struct slice s, struct arena *a, struct slice *out_r)
{
	size_t n = 0;
	uint8_t *p;

	if (ascii(s)) {
		char *low = arena_strndup(a, s.p, s.n);

		for (size_t i = 0; i < s.n; i++)
			if (low[i] >= 'A' && low[i] <= 'Z')
				low[i] = (char)(low[i] + 32);
		*out_r = slice_make(low, s.n);
		return 0;
	}
	if (!utf8_valid(s))
		return -1;
	p = u8_casefold(octets(s), s.n, NULL, UNINORM_NFKC, NULL, &n);
	return take(p, n, a, out_r);
}

/* RFC 3454 B.1: mapped to nothing. */
static bool
is_nothing(ucs4_t c)
{
	return c == 0xad || c == 0x34f || c == 0x1806 ||
	    (c >= 0x180b && c <= 0x180d) || (c >= 0x200b && c <= 0x200d) ||
	    c == 0x2060 || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff;
}

/* C.1.2, but for 200B, which B.1 has. */
static bool
is_blank(ucs4_t c)
{
	return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	    c == 0x202f || c == 0x205f || c == 0x3000;
}

int
utf8_saslprep(struct slice s, struct arena *a, struct slice *out_r)
{
	uint8_t *p, *end;
	size_t n = 0;

	if (!utf8_valid(s))
		return -1;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return -1;
	*out_r = s;
	if (slice_is_ascii(s))
		return 0;
	p = end = arena_alloc(a, s.n);
	for (size_t i = 0; i < s.n;) {
		ucs4_t c;
		int len = u8_mbtouc(&c, octets(s) + i, s.n - i);

		if (is_blank(c))
			*end++ = ' ';
		else if (!is_nothing(c)) {
			memcpy(end, s.p + i, (size_t)len);
			end += len;
		}
		i += (size_t)len;
	}
	p = u8_normalize(UNINORM_NFKC, p, (size_t)(end - p), NULL, &n);
	return take(p, n, a, out_r);
}
