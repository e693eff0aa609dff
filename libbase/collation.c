/* libbase/collation.c - comparators of texts (RFC 4790, RFC 5051) */
#include "config.h"

#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "libbase/collation.h"

enum { DEPTH_MAX = 8 };		/* of decompositions: 3 as of Unicode 15 */

static const char *const names[COLLATION_N] = {
	[COLLATION_UNICODE] = "i;unicode-casemap",
	[COLLATION_ASCII] = "i;ascii-casemap",
	[COLLATION_OCTET] = "i;octet",
	[COLLATION_NUMERIC] = "i;ascii-numeric"
};

const char *
collation_name(enum collation c)
{
	return names[c];
}

int
collation_find(struct slice name)
{
	for (int c = 0; c < COLLATION_N; c++)
		if (slice_ieq(name, slice_str(names[c])))
			return c;
	return -1;
}

bool
collation_has_substring(enum collation c)
{
	return c != COLLATION_NUMERIC;
}

/* Letters of US-ASCII to upper case, others as they are (RFC 4790 9.2). */
static int
add_upper(struct slice s, struct buf *out)
{
	char *to = buf_reserve(out, s.n);

	if (to == NULL)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		to[i] = (char)((unsigned char)(c - 'a') < 26 ? c - 32 : c);
	}
	out->n += s.n;
	return 0;
}

/* ---- i;unicode-casemap --------------------------------------------------- */

/* UnicodeData.txt has no decomposition of Hangul syllables, and RFC 5051
 * knows of nothing else. */
static bool
hangul(ucs4_t c)
{
	return c >= 0xac00 && c <= 0xd7a3;
}

/* RFC 5051 2: to title case, and that decomposed, each component of it in the
 * same way. */
static int
add_titled(ucs4_t c, unsigned depth, struct buf *out)
{
	ucs4_t part[UC_DECOMPOSITION_MAX_LENGTH];
	int tag, n = -1;
	uint8_t enc[6];

	c = uc_totitle(c);
	if (!hangul(c) && depth < DEPTH_MAX)
		n = uc_decomposition(c, &tag, part);
	if (n <= 0) {
		n = u8_uctomb(enc, c, sizeof(enc));
		return n > 0 ? buf_add(out, enc, (size_t)n) : 0;
	}
	for (int i = 0; i < n; i++)
		if (add_titled(part[i], depth + 1, out) < 0)
			return -1;
	return 0;
}

static int
add_unicode(struct slice s, struct buf *out)
{
	size_t i;

	while (s.n > 0) {
		ucs4_t c;
		int n;

		for (i = 0; i < s.n && (unsigned char)s.p[i] < 0x80; )
			i++;
		if (i > 0 && add_upper(slice_make(s.p, i), out) < 0)
			return -1;
		s.p += i;
		s.n -= i;
		while (s.n > 0 && (unsigned char)s.p[0] >= 0x80) {
			n = u8_mbtoucr(&c, (const uint8_t *)s.p, s.n);
			if ((n > 0 ? add_titled(c, 0, out) :
			    buf_addc(out, s.p[0])) < 0)
				return -1;
			s.p += n > 0 ? n : 1;
			s.n -= n > 0 ? (size_t)n : 1;
		}
	}
	return 0;
}

/* ---- i;ascii-numeric ----------------------------------------------------- */

/* The number of digits and these; what doesn't begin with one is infinite. */
static int
add_numeric(struct slice s, struct buf *out)
{
	size_t i = 0, end = 0;

	while (end < s.n && s.p[end] >= '0' && s.p[end] <= '9')
		end++;
	if (end == 0)
		return buf_addc(out, '\xff');
	while (i < end && s.p[i] == '0')
		i++;
	if (buf_add_be64(out, end - i) < 0)
		return -1;
	return buf_add(out, s.p + i, end - i);
}

/* ---- all ----------------------------------------------------------------- */

int
collation_add(enum collation c, struct slice s, struct buf *out)
{
	switch (c) {
	case COLLATION_UNICODE:
		return add_unicode(s, out);
	case COLLATION_ASCII:
		return add_upper(s, out);
	case COLLATION_NUMERIC:
		return add_numeric(s, out);
	default:
		return buf_add_slice(out, s);
	}
}

struct slice
collation_key(enum collation c, struct slice s, struct arena *a)
{
	struct slice key = SLICE_LIT("");
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	collation_add(c, s, &b);
	if (b.n > 0)
		key = arena_slice(a, buf_slice(&b));
	buf_release(&b);
	return key;
}
