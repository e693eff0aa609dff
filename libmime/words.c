/* libmime/words.c - header texts: unfolding, encoded words (RFC 2047) */
#include "config.h"

#include "libbase/text.h"
#include "libmime/mime-int.h"

struct decoding {		/* of a value */
	bool lenient;		/* words wherever they stand, with blanks */
	bool wordless;		/* no words at all */
	bool octets;		/* what is encoded as it is, not converted */
	bool problem;		/* it couldn't be converted */
	struct buf *out;
	struct arena *a;
};

struct word {			/* one encoded word */
	struct slice charset, text;
	bool base64;
	const char *end;
};

static bool
folded(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
			return true;
	return false;
}

struct slice
mime_unfold(struct arena *a, struct slice v)
{
	const char *p, *end;
	char *out;
	size_t n = 0;

	if (v.n == 0 || !folded(v))
		return v;
	out = arena_alloc(a, v.n);
	end = v.p + v.n;
	for (p = v.p; p < end; p++) {
		if (*p == '\0')
			continue;
		if (*p != '\r' && *p != '\n') {
			out[n++] = *p;
			continue;
		}
		while (end - p > 1 && (p[1] == '\r' || p[1] == '\n'))
			p++;
		/* A continuation which lacks its blank (RFC 7103 7.2). */
		if (end - p > 1 && !mime_wsp(p[1]))
			out[n++] = ' ';
	}
	return slice_make(out, n);
}

/* Reads an encoded word at p ("=?" is known).  lenient: with blanks in it. */
static bool
word_at(const char *p, const char *end, bool lenient, struct word *w)
{
	const char *q = p += 2, *cs_end = NULL;

	for (; q < end && *q != '?'; q++) {
		if (*q <= 32 || *q == 127 || strchr("()<>@,;:\"/[].=", *q))
			return false;
		if (*q == '*' && cs_end == NULL)	/* RFC 2231 5 */
			cs_end = q;
	}
	if (end - q < 3 || q == p || q[2] != '?')
		return false;
	w->charset = slice_make(p, (size_t)((cs_end ? cs_end : q) - p));
	if (mime_lower(q[1]) != 'b' && mime_lower(q[1]) != 'q')
		return false;
	w->base64 = mime_lower(q[1]) == 'b';
	p = q += 3;
	for (; q < end && *q != '?'; q++)
		if ((unsigned char)*q < 32 || (!lenient && *q == ' '))
			return false;
	if (end - q < 2 || q[1] != '=')
		return false;
	w->text = slice_make(p, (size_t)(q - p));
	w->end = q + 2;
	return true;
}

/* The next encoded word at or after p that may be decoded; *at_r: its start. */
static bool
word_find(struct decoding *d, const char *begin, const char *p,
    const char *end, struct word *w, const char **at_r)
{
	bool lenient = d->lenient;

	for (; end - p >= 8; p++) {
		p = memchr(p, '=', (size_t)(end - p));
		if (p == NULL || end - p < 8)
			return false;
		if (p[1] != '?' || !word_at(p, end, lenient, w))
			continue;
		/* RFC 2047 5: blanks or the text's ends on both sides. */
		if (!lenient && ((p > begin && !mime_wsp(p[-1])) ||
		    (w->end < end && !mime_wsp(*w->end))))
			continue;
		if (!mime_charset_known(w->charset)) {
			d->problem = true;
			if (!d->octets)
				continue;
		}
		*at_r = p;
		return true;
	}
	return false;
}

/* Appends what a word encodes, still in its charset. */
static void
word_octets(const struct word *w, struct buf *out)
{
	struct mime_decoder d;

	if (w->base64) {
		mime_decoder_init(&d, MIME_ENC_BASE64);
		mime_decoder_feed(&d, w->text, out);
		mime_decoder_finish(&d, out);
		return;
	}
	/* The Q encoding is quoted-printable but for '_' and blanks. */
	for (size_t i = 0; i < w->text.n; i++) {
		const char *p = w->text.p + i;
		unsigned char o;

		if (*p == '_') {
			buf_addc(out, ' ');
		} else if (*p == '=' && w->text.n - i > 2 &&
		    hex_decode(slice_make(p + 1, 2), &o, 1) == 0) {
			buf_addc(out, (char)o);
			i += 2;
		} else {
			buf_addc(out, *p);
		}
	}
}

/* Appends text without control characters; tab: they may stay. */
static void
add_clean(struct buf *out, struct slice s, bool tab)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == 0xc2 && s.n - i > 1 &&
		    (unsigned char)s.p[i + 1] < 0xa0)
			i++;				/* C1 */
		else if (c == '\t' && !tab)
			buf_addc(out, ' ');
		else if ((c >= 32 && c != 127) || c == '\t')
			buf_addc(out, (char)c);
	}
}

static void
add(struct decoding *d, struct slice charset, struct slice s)
{
	bool problem = false;

	if (d->octets) {
		buf_add_slice(d->out, s);
		return;
	}
	add_clean(d->out, mime_to_utf8(d->a, charset, s, &problem),
	    !d->lenient);
	d->problem = d->problem || problem;
}

static void
flush_words(struct decoding *d, struct slice charset, struct buf *octets)
{
	if (octets->n > 0)
		add(d, charset, buf_slice(octets));
	buf_reset(octets);
}

static bool
all_blank(const char *p, const char *end)
{
	while (p < end && mime_blank(*p))
		p++;
	return p == end;
}

/*
 * Appends v decoded.  The octets of adjacent words in one charset are joined
 * before they are converted, since many senders split characters.
 */
static void
decode(struct decoding *d, struct slice v)
{
	static const struct slice none = { NULL, 0 };
	const char *p = v.p, *end = v.p + v.n, *at;
	struct slice charset = none;
	struct buf octets;
	struct word w;
	bool after_word = false;

	buf_init(&octets, v.n);
	while (!d->wordless && word_find(d, v.p, p, end, &w, &at)) {
		if (!after_word || !all_blank(p, at)) {
			flush_words(d, charset, &octets);
			add(d, none, slice_make(p, (size_t)(at - p)));
		} else if (!slice_ieq(charset, w.charset)) {
			flush_words(d, charset, &octets);
		}
		charset = w.charset;
		word_octets(&w, &octets);
		after_word = true;
		p = w.end;
	}
	flush_words(d, charset, &octets);
	buf_release(&octets);
	add(d, none, slice_make(p, (size_t)(end - p)));
}

/* Nothing to do: printable US-ASCII without encoded words? */
static bool
plain(struct slice v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 32 || v.p[i] == 127 || (v.p[i] == '=' &&
		    v.n - i > 1 && v.p[i + 1] == '?'))
			return false;
	return true;
}

static struct slice
decoded(struct decoding *d, struct slice v)
{
	struct slice r = SLICE_LIT("");
	struct buf out;

	buf_init(&out, SIZE_MAX);
	d->out = &out;
	decode(d, v);
	if (out.n > 0)
		r = arena_slice(d->a, buf_slice(&out));
	buf_release(&out);
	return r;
}

static struct slice
text(struct decoding *d, struct slice v)
{
	struct slice r;

	if (plain(v))
		return v;
	r = decoded(d, mime_unfold(d->a, v));
	if (utf8_nfc(r, d->a, &r) < 0)
		r = utf8_clean(d->a, r);
	return r;
}

static struct slice
trim_front(struct slice v)
{
	while (v.n > 0 && mime_blank(v.p[0])) {
		v.p++;
		v.n--;
	}
	return v;
}

struct slice
mime_text(struct arena *a, struct slice v)
{
	struct decoding d = { .a = a };

	return v.p == NULL ? v : text(&d, trim_front(v));
}

struct slice
mime_text_octets(struct arena *a, struct slice v, struct slice *octets_r)
{
	struct decoding d = { .a = a };
	struct slice r;

	*octets_r = slice_make(NULL, 0);
	if (v.p == NULL || plain(v = trim_front(v)))
		return v;
	v = mime_unfold(a, v);
	r = decoded(&d, v);
	if (d.problem) {
		d.octets = true;
		*octets_r = decoded(&d, v);
	}
	return r;
}

struct slice
mime_words_decode(struct arena *a, struct slice v)
{
	struct decoding d = { .lenient = true, .a = a };

	return v.p == NULL ? v : text(&d, slice_trim(v));
}

struct slice
mime_text_wordless(struct arena *a, struct slice v)
{
	struct decoding d = { .wordless = true, .a = a };

	return v.p == NULL ? v : text(&d, slice_trim(v));
}
