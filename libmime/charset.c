/* libmime/charset.c - octets in a named character set to UTF-8 */
#include "config.h"

#include <errno.h>
#include <iconv.h>
#include <unistr.h>

#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libmime/mime-int.h"

enum cs_kind { CS_GUESS, CS_ASCII, CS_UTF8, CS_1252, CS_ICONV };
enum { PEND = 16 };

struct mime_charset {
	enum cs_kind kind;
	iconv_t cd;
	bool problem;
	unsigned char pend[PEND];	/* the start of a character */
	size_t pend_n;
};

/*
 * What mail names its charsets, and what we take them for: the bigger charset
 * where senders don't tell apart (as the WHATWG's Encoding does).  Only these
 * are passed to iconv, so that a message can't have odd modules loaded.
 */
static const struct {
	const char *name, *iconv;	/* iconv NULL: by kind */
	enum cs_kind kind;
} charsets[] = {
	/* clang-format off */
	{ "utf-8", NULL, CS_UTF8 }, { "utf8", NULL, CS_UTF8 },
	{ "unicode-1-1-utf-8", NULL, CS_UTF8 }, { "x-utf8", NULL, CS_UTF8 },
	{ "cp65001", NULL, CS_UTF8 }, { "utf-8mb4", NULL, CS_UTF8 },
	{ "us-ascii", NULL, CS_ASCII }, { "ascii", NULL, CS_ASCII },
	{ "ansi_x3.4-1968", NULL, CS_ASCII }, { "iso646-us", NULL, CS_ASCII },
	{ "iso-8859-1", NULL, CS_1252 }, { "iso8859-1", NULL, CS_1252 },
	{ "iso_8859-1", NULL, CS_1252 }, { "iso88591", NULL, CS_1252 },
	{ "iso-8859-1-windows-3.1-latin-1", NULL, CS_1252 },
	{ "latin1", NULL, CS_1252 }, { "latin-1", NULL, CS_1252 },
	{ "l1", NULL, CS_1252 }, { "windows-1252", NULL, CS_1252 },
	{ "cp1252", NULL, CS_1252 }, { "x-cp1252", NULL, CS_1252 },
	{ "cp-1252", NULL, CS_1252 }, { "ansi", NULL, CS_1252 },
	{ "iso-8859-2", "ISO-8859-2", CS_ICONV }, { "iso8859-2", "ISO-8859-2", CS_ICONV },
	{ "latin2", "ISO-8859-2", CS_ICONV },
	{ "iso-8859-3", "ISO-8859-3", CS_ICONV }, { "iso-8859-4", "ISO-8859-4", CS_ICONV },
	{ "iso-8859-5", "ISO-8859-5", CS_ICONV }, { "iso-8859-6", "ISO-8859-6", CS_ICONV },
	{ "iso-8859-7", "ISO-8859-7", CS_ICONV }, { "iso8859-7", "ISO-8859-7", CS_ICONV },
	{ "iso-8859-8", "ISO-8859-8", CS_ICONV }, { "iso-8859-8-i", "ISO-8859-8", CS_ICONV },
	{ "iso-8859-8-e", "ISO-8859-8", CS_ICONV },
	{ "iso-8859-9", "CP1254", CS_ICONV }, { "iso-8859-10", "ISO-8859-10", CS_ICONV },
	{ "iso-8859-11", "CP874", CS_ICONV }, { "iso-8859-13", "ISO-8859-13", CS_ICONV },
	{ "iso-8859-14", "ISO-8859-14", CS_ICONV }, { "iso-8859-15", "ISO-8859-15", CS_ICONV },
	{ "iso8859-15", "ISO-8859-15", CS_ICONV }, { "latin9", "ISO-8859-15", CS_ICONV },
	{ "latin-9", "ISO-8859-15", CS_ICONV }, { "iso-8859-16", "ISO-8859-16", CS_ICONV },
	{ "windows-1250", "CP1250", CS_ICONV }, { "cp1250", "CP1250", CS_ICONV },
	{ "windows-1251", "CP1251", CS_ICONV }, { "cp1251", "CP1251", CS_ICONV },
	{ "windows-1253", "CP1253", CS_ICONV }, { "cp1253", "CP1253", CS_ICONV },
	{ "windows-1254", "CP1254", CS_ICONV }, { "cp1254", "CP1254", CS_ICONV },
	{ "windows-1255", "CP1255", CS_ICONV }, { "cp1255", "CP1255", CS_ICONV },
	{ "windows-1256", "CP1256", CS_ICONV }, { "cp1256", "CP1256", CS_ICONV },
	{ "windows-1257", "CP1257", CS_ICONV }, { "cp1257", "CP1257", CS_ICONV },
	{ "windows-1258", "CP1258", CS_ICONV }, { "cp1258", "CP1258", CS_ICONV },
	{ "windows-874", "CP874", CS_ICONV }, { "tis-620", "CP874", CS_ICONV },
	{ "koi8-r", "KOI8-R", CS_ICONV }, { "koi8r", "KOI8-R", CS_ICONV },
	{ "koi8-u", "KOI8-U", CS_ICONV }, { "koi8-ru", "KOI8-U", CS_ICONV },
	{ "cp437", "CP437", CS_ICONV }, { "ibm437", "CP437", CS_ICONV },
	{ "cp850", "CP850", CS_ICONV }, { "ibm850", "CP850", CS_ICONV },
	{ "cp852", "CP852", CS_ICONV }, { "ibm852", "CP852", CS_ICONV },
	{ "cp855", "CP855", CS_ICONV }, { "cp858", "CP858", CS_ICONV },
	{ "cp866", "CP866", CS_ICONV }, { "ibm866", "CP866", CS_ICONV },
	{ "macintosh", "MACINTOSH", CS_ICONV }, { "x-mac-roman", "MACINTOSH", CS_ICONV },
	{ "mac", "MACINTOSH", CS_ICONV }, { "x-mac-cyrillic", "MAC-CYRILLIC", CS_ICONV },
	{ "x-mac-ce", "MAC-CENTRALEUROPE", CS_ICONV },
	{ "shift_jis", "CP932", CS_ICONV }, { "shift-jis", "CP932", CS_ICONV },
	{ "x-sjis", "CP932", CS_ICONV }, { "sjis", "CP932", CS_ICONV },
	{ "cp932", "CP932", CS_ICONV }, { "ms_kanji", "CP932", CS_ICONV },
	{ "windows-31j", "CP932", CS_ICONV }, { "x-ms-cp932", "CP932", CS_ICONV },
	{ "euc-jp", "EUC-JP", CS_ICONV }, { "x-euc-jp", "EUC-JP", CS_ICONV },
	{ "iso-2022-jp", "ISO-2022-JP", CS_ICONV }, { "iso-2022-jp-1", "ISO-2022-JP-1", CS_ICONV },
	{ "iso-2022-jp-2", "ISO-2022-JP-2", CS_ICONV }, { "iso-2022-jp-3", "ISO-2022-JP-3", CS_ICONV },
	{ "cp50220", "ISO-2022-JP", CS_ICONV }, { "cp50221", "ISO-2022-JP", CS_ICONV },
	{ "iso-2022-kr", "ISO-2022-KR", CS_ICONV }, { "iso-2022-cn", "ISO-2022-CN", CS_ICONV },
	{ "euc-kr", "CP949", CS_ICONV }, { "euckr", "CP949", CS_ICONV },
	{ "ks_c_5601-1987", "CP949", CS_ICONV }, { "ksc5601", "CP949", CS_ICONV },
	{ "ks_c_5601", "CP949", CS_ICONV }, { "ksc_5601", "CP949", CS_ICONV },
	{ "windows-949", "CP949", CS_ICONV }, { "cp949", "CP949", CS_ICONV },
	{ "johab", "JOHAB", CS_ICONV },
	{ "gb2312", "GB18030", CS_ICONV }, { "gb_2312-80", "GB18030", CS_ICONV },
	{ "x-gbk", "GB18030", CS_ICONV }, { "gbk", "GB18030", CS_ICONV },
	{ "cp936", "GB18030", CS_ICONV }, { "windows-936", "GB18030", CS_ICONV },
	{ "euc-cn", "GB18030", CS_ICONV }, { "gb18030", "GB18030", CS_ICONV },
	{ "big5", "BIG5-HKSCS", CS_ICONV }, { "big-5", "BIG5-HKSCS", CS_ICONV },
	{ "cn-big5", "BIG5-HKSCS", CS_ICONV }, { "x-x-big5", "BIG5-HKSCS", CS_ICONV },
	{ "big5-hkscs", "BIG5-HKSCS", CS_ICONV }, { "cp950", "BIG5-HKSCS", CS_ICONV },
	{ "euc-tw", "EUC-TW", CS_ICONV }, { "viscii", "VISCII", CS_ICONV },
	{ "tcvn", "TCVN", CS_ICONV }, { "armscii-8", "ARMSCII-8", CS_ICONV },
	{ "georgian-ps", "GEORGIAN-PS", CS_ICONV }, { "utf-7", "UTF-7", CS_ICONV },
	{ "unicode-1-1-utf-7", "UTF-7", CS_ICONV },
	{ "utf-16", "UTF-16", CS_ICONV }, { "utf-16le", "UTF-16LE", CS_ICONV },
	{ "utf-16be", "UTF-16BE", CS_ICONV }, { "ucs-2", "UCS-2", CS_ICONV },
	{ "iso-10646-ucs-2", "UCS-2BE", CS_ICONV },
	{ "utf-32", "UTF-32", CS_ICONV }, { "utf-32le", "UTF-32LE", CS_ICONV },
	{ "utf-32be", "UTF-32BE", CS_ICONV },
	/* clang-format on */
};

/* Windows-1252, 0x80 to 0x9f; the five holes as the WHATWG has them. */
static const uint16_t high_1252[32] = {
	0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
	0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178
};

/* Index in charsets, or -1. */
static int
lookup(struct slice name)
{
	name = slice_trim(name);
	for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++)
		if (mime_is(name, charsets[i].name))
			return (int)i;
	return -1;
}

bool
mime_charset_known(struct slice name)
{
	return lookup(name) >= 0;
}

struct mime_charset *
mime_charset_new(struct slice name)
{
	struct mime_charset *c = xcalloc(1, sizeof(*c));
	int i = lookup(name);

	c->cd = (iconv_t)-1;
	if (i >= 0) {
		c->kind = charsets[i].kind;
		if (c->kind == CS_ICONV)
			c->cd = iconv_open("UTF-8", charsets[i].iconv);
	}
	if (i < 0 || (c->kind == CS_ICONV && c->cd == (iconv_t)-1)) {
		c->kind = CS_GUESS;
		c->problem = name.n > 0;
	}
	return c;
}

void
mime_charset_free(struct mime_charset **cp)
{
	if (*cp == NULL)
		return;
	if ((*cp)->cd != (iconv_t)-1)
		iconv_close((*cp)->cd);
	xfree(*cp);
	*cp = NULL;
}

bool
mime_charset_problem(const struct mime_charset *c)
{
	return c->problem;
}

static int
add_replacement(struct buf *out)
{
	return buf_add(out, "\xef\xbf\xbd", 3);
}

static int
add_1252(struct buf *out, unsigned char o)
{
	unsigned uc = o >= 0x80 && o < 0xa0 ? high_1252[o - 0x80] : o;
	uint8_t u[4];
	int n = u8_uctomb(u, uc, sizeof(u));

	return buf_add(out, u, (size_t)n);
}

/* Length of the run of US-ASCII at p. */
static size_t
ascii_run(const unsigned char *p, size_t n)
{
	size_t i = 0;
	uint64_t w;

	for (; n - i >= 8; i += 8) {
		memcpy(&w, p + i, 8);
		if (w & UINT64_C(0x8080808080808080))
			break;
	}
	while (i < n && p[i] < 0x80)
		i++;
	return i;
}

/* One octet that is no part of a well-formed character. */
static int
add_bad(struct mime_charset *c, struct buf *out, unsigned char o)
{
	c->problem = true;
	return c->kind == CS_UTF8 ? add_replacement(out) : add_1252(out, o);
}

/* Takes octets as UTF-8; returns how many were used: all but the beginning of
 * a character that is cut off.  -1: out refused. */
static ssize_t
feed_utf8(struct mime_charset *c, const unsigned char *p, size_t n,
    struct buf *out)
{
	size_t i = 0, run;

	while (i < n) {
		ucs4_t uc;
		int len;

		run = ascii_run(p + i, n - i);
		if (run > 0 && buf_add(out, p + i, run) < 0)
			return -1;
		if ((i += run) == n)
			break;
		len = u8_mbtoucr(&uc, p + i, n - i);
		if (len == -2)				/* incomplete */
			break;
		if (len < 0) {
			if (add_bad(c, out, p[i]) < 0)
				return -1;
			i++;
			continue;
		}
		if (c->kind == CS_ASCII)
			c->problem = true;
		if (buf_add(out, p + i, (size_t)len) < 0)
			return -1;
		i += (size_t)len;
	}
	return (ssize_t)i;
}

static ssize_t
feed_1252(const unsigned char *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; ) {
		size_t run = ascii_run(p + i, n - i);

		if (run > 0 && buf_add(out, p + i, run) < 0)
			return -1;
		if ((i += run) < n && add_1252(out, p[i++]) < 0)
			return -1;
	}
	return (ssize_t)n;
}

static ssize_t
feed_iconv(struct mime_charset *c, unsigned char *p, size_t n, struct buf *out)
{
	char *in = (char *)p;
	size_t left = n;

	while (left > 0) {
		size_t room = left * 2 + 64, avail, rc, before = left;
		char *to;

		if (room > out->max - out->n)
			room = out->max - out->n;
		if (room < 8 || (to = buf_reserve(out, room)) == NULL) {
			out->overflow = true;
			return -1;
		}
		avail = room;
		rc = iconv(c->cd, &in, &left, &to, &avail);
		out->n += room - avail;
		if (rc != (size_t)-1)
			continue;
		if (errno == EINVAL)		/* cut off */
			break;
		if (errno == E2BIG && left < before)
			continue;
		/* Malformed; or, against a converter that stands still. */
		c->problem = true;
		if (add_replacement(out) < 0)
			return -1;
		in++;
		left--;
	}
	return (ssize_t)(n - left);
}

static ssize_t
feed_some(struct mime_charset *c, unsigned char *p, size_t n, struct buf *out)
{
	switch (c->kind) {
	case CS_1252:
		return feed_1252(p, n, out);
	case CS_ICONV:
		return feed_iconv(c, p, n, out);
	default:
		return feed_utf8(c, p, n, out);
	}
}

int
mime_charset_feed(struct mime_charset *c, struct slice in, struct buf *out)
{
	unsigned char chunk[PEND + 4096];
	ssize_t used;

	while (in.n > 0) {
		size_t take = sizeof(chunk) - PEND, n;

		if (take > in.n)
			take = in.n;
		memcpy(chunk, c->pend, c->pend_n);
		memcpy(chunk + c->pend_n, in.p, take);
		n = c->pend_n + take;
		in.p += take;
		in.n -= take;
		if ((used = feed_some(c, chunk, n, out)) < 0)
			return -1;
		/* No character is that long: let go of what can't be one. */
		while (n - (size_t)used >= PEND) {
			if (add_bad(c, out, chunk[used]) < 0)
				return -1;
			used++;
		}
		c->pend_n = n - (size_t)used;
		memcpy(c->pend, chunk + used, c->pend_n);
	}
	return 0;
}

int
mime_charset_finish(struct mime_charset *c, struct buf *out)
{
	size_t n = c->pend_n;

	c->pend_n = 0;
	if (c->kind == CS_ICONV) {
		size_t avail = 64;
		char *to = buf_reserve(out, avail);

		/* Some converters hold the last character back. */
		if (to == NULL)
			return -1;
		iconv(c->cd, NULL, NULL, &to, &avail);
		out->n += 64 - avail;
		if (n == 0)
			return 0;
		c->problem = true;
		return add_replacement(out);
	}
	for (size_t i = 0; i < n; i++)
		if (add_bad(c, out, c->pend[i]) < 0)
			return -1;
	return 0;
}

struct slice
mime_to_utf8(struct arena *a, struct slice charset, struct slice s,
    bool *problem_r)
{
	struct mime_charset *c;
	struct buf out;
	struct slice r;
	int i = lookup(charset);

	if (s.n == 0 || ((i < 0 ? charset.n == 0 :
	    charsets[i].kind != CS_ICONV) &&
	    ascii_run((const unsigned char *)s.p, s.n) == s.n)) {
		if (problem_r != NULL)
			*problem_r = false;
		return s;
	}
	buf_init(&out, SIZE_MAX);
	c = mime_charset_new(charset);
	mime_charset_feed(c, s, &out);
	mime_charset_finish(c, &out);
	if (problem_r != NULL)
		*problem_r = c->problem;
	mime_charset_free(&c);
	r = out.n > 0 ? arena_slice(a, buf_slice(&out)) : SLICE_LIT("");
	buf_release(&out);
	return r;
}

struct slice
mime_guess_utf8(struct arena *a, struct slice s, bool *problem_r)
{
	return mime_to_utf8(a, slice_make(NULL, 0), s, problem_r);
}
