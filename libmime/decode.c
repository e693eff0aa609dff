/* libmime/decode.c - base64, quoted-printable and uuencode, streaming */
#include "config.h"

#include "libmime/mime-int.h"

enum { CHUNK = 3072, QP_WORST = 80 };

enum { B64_PAD = 0x40, B64_BLANK = 0x41, B64_BAD = 0x42 };

static const unsigned char b64[256] = {
	/* clang-format off */
#define B B64_BAD
#define S B64_BLANK
	B, B, B, B, B, B, B, B, B, S, S, B, B, S, B, B,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	S, B, B, B, B, B, B, B, B, B, B, 62, B, B, B, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, B, B, B, B64_PAD, B, B,
	B, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, B, B, B, B, B,
	B, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, B, B, B, B, B,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B
#undef B
#undef S
	/* clang-format on */
};

void
mime_decoder_init(struct mime_decoder *d, enum mime_encoding enc)
{
	memset(d, 0, sizeof(*d));
	d->enc = enc;
	d->problem = enc == MIME_ENC_UNKNOWN;
}

/* ---- base64 ------------------------------------------------------------ */

/* state: 0 in data, 1 after padding.  bits, n: what has been read of four. */

static unsigned char *
b64_flush(struct mime_decoder *d, unsigned char *o)
{
	if (d->n >= 2)
		*o++ = (unsigned char)(d->bits >> (d->n == 2 ? 4 : 10));
	if (d->n == 3)
		*o++ = (unsigned char)(d->bits >> 2);
	d->n = 0;
	d->bits = 0;
	return o;
}

static unsigned char *
b64_one(struct mime_decoder *d, unsigned char c, unsigned char *o)
{
	unsigned char v = b64[c];

	if (v == B64_BLANK)
		return o;
	if (v == B64_PAD) {
		/* "xx==", "xxx=": the second of two finds n == 0. */
		if (d->n < 2 && d->state == 0)
			d->problem = true;
		if (d->n == 3)
			d->state = 2;		/* no more may come */
		else if (d->n == 2)
			d->state = 1;		/* one more */
		else if (d->state == 1)
			d->state = 2;
		else
			d->problem = true;
		return b64_flush(d, o);
	}
	if (v == B64_BAD) {
		d->problem = true;
		return o;
	}
	if (d->state != 0) {
		/* Data after the end: pieces that were encoded one by one. */
		d->problem = true;
		d->state = 0;
	}
	d->bits = d->bits << 6 | v;
	if (++d->n == 4) {
		*o++ = (unsigned char)(d->bits >> 16);
		*o++ = (unsigned char)(d->bits >> 8);
		*o++ = (unsigned char)d->bits;
		d->n = 0;
		d->bits = 0;
	}
	return o;
}

static unsigned char *
b64_feed(struct mime_decoder *d, const unsigned char *p, size_t n,
    unsigned char *o)
{
	const unsigned char *end = p + n;

	while (p < end) {
		while (d->n == 0 && d->state == 0 && end - p >= 4) {
			uint32_t w = b64[p[0]], x = b64[p[1]], y = b64[p[2]],
			    z = b64[p[3]];

			if ((w | x | y | z) >= 64)
				break;
			w = w << 18 | x << 12 | y << 6 | z;
			*o++ = (unsigned char)(w >> 16);
			*o++ = (unsigned char)(w >> 8);
			*o++ = (unsigned char)w;
			p += 4;
		}
		if (p < end)
			o = b64_one(d, *p++, o);
	}
	return o;
}

/* ---- quoted-printable -------------------------------------------------- */

/* What has been read: nothing special, '=', '=' and a digit, '=' and blanks,
 * '=' and CR, or blanks (pend) which vanish if the line ends. */
enum { QP_TEXT, QP_EQ, QP_HEX, QP_SOFT, QP_SOFT_CR, QP_BLANK };

static int
hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static unsigned char *
qp_pend(struct mime_decoder *d, unsigned char *o)
{
	memcpy(o, d->pend, d->pend_n);
	o += d->pend_n;
	d->pend_n = 0;
	return o;
}

/* "=" and the pending octets weren't an escape: they stay as they are. */
static unsigned char *
qp_bad(struct mime_decoder *d, unsigned char *o)
{
	d->problem = true;
	d->state = QP_TEXT;
	*o++ = '=';
	return qp_pend(d, o);
}

/* One octet that isn't plain text, or any while there is a state.  False: it
 * has to be looked at again in the new state. */
static bool
qp_one(struct mime_decoder *d, unsigned char c, unsigned char **o)
{
	bool blank = c == ' ' || c == '\t';

	switch (d->state) {
	case QP_TEXT:
	case QP_BLANK:
		if (blank && d->pend_n == sizeof(d->pend))
			*o = qp_pend(d, *o);
		if (blank) {
			d->pend[d->pend_n++] = (char)c;
			d->state = QP_BLANK;
			return true;
		}
		if (c == '\r' || c == '\n')
			d->pend_n = 0;		/* RFC 2045 6.7 (3) */
		*o = qp_pend(d, *o);
		d->state = c == '=' ? QP_EQ : QP_TEXT;
		if (c != '=')
			*(*o)++ = c;
		return true;
	case QP_EQ:
		if (hex(c) >= 0) {
			d->pend[d->pend_n++] = (char)c;
			d->state = QP_HEX;
		} else if (c == '\r') {
			d->state = QP_SOFT_CR;
		} else if (c == '\n') {
			d->state = QP_TEXT;
		} else if (blank) {
			d->pend[d->pend_n++] = (char)c;
			d->state = QP_SOFT;
		} else {
			*o = qp_bad(d, *o);
			return false;
		}
		return true;
	case QP_HEX:
		if (hex(c) < 0) {
			*o = qp_bad(d, *o);
			return false;
		}
		*(*o)++ = (unsigned char)(hex((unsigned char)d->pend[0]) * 16 +
		    hex(c));
		d->pend_n = 0;
		d->state = QP_TEXT;
		return true;
	case QP_SOFT:
		if (blank && d->pend_n < sizeof(d->pend)) {
			d->pend[d->pend_n++] = (char)c;
		} else if (c == '\r' || c == '\n') {
			d->pend_n = 0;
			d->state = c == '\r' ? QP_SOFT_CR : QP_TEXT;
		} else {
			*o = qp_bad(d, *o);
			return false;
		}
		return true;
	default:				/* QP_SOFT_CR */
		d->state = QP_TEXT;
		return c == '\n';
	}
}

static unsigned char *
qp_feed(struct mime_decoder *d, const unsigned char *p, size_t n,
    unsigned char *o)
{
	const unsigned char *end = p + n, *q;

	while (p < end) {
		if (d->state != QP_TEXT) {
			if (qp_one(d, *p, &o))
				p++;
			continue;
		}
		/* Text up to '=' or to a blank at the end of a line. */
		for (q = p; q < end && *q != '=' && *q != '\r' && *q != '\n' &&
		    ((*q != ' ' && *q != '\t') || (end - q > 1 && q[1] > ' '));
		    q++)
			;
		memcpy(o, p, (size_t)(q - p));
		o += q - p;
		p = q;
		if (p < end && qp_one(d, *p, &o))
			p++;
	}
	return o;
}

/* ---- uuencode ---------------------------------------------------------- */

enum { UU_BEFORE, UU_DATA, UU_AFTER };

static unsigned char *
uu_line(struct mime_decoder *d, unsigned char *o)
{
	struct slice line = slice_trim(slice_make(d->pend, d->pend_n));
	size_t want, i;

	d->pend_n = 0;
	if (d->state == UU_BEFORE) {
		if (slice_starts(line, SLICE_LIT("begin ")))
			d->state = UU_DATA;
		return o;
	}
	if (d->state == UU_AFTER || line.n == 0)
		return o;
	if (slice_eq(line, SLICE_LIT("end"))) {
		d->state = UU_AFTER;
		return o;
	}
	want = (size_t)(line.p[0] - 32) & 63;
	if (line.p[0] < 32 || line.p[0] > 96 || want > 60)
		d->problem = true;
	for (i = 1; want > 0 && i < line.n; i += 4) {
		uint32_t w = 0;

		/* Blanks at the end may have been lost: they are zeros. */
		for (size_t k = 0; k < 4; k++)
			w = w << 6 | (i + k < line.n ?
			    (uint32_t)(line.p[i + k] - 32) & 63 : 0);
		for (int s = 16; s >= 0 && want > 0; s -= 8, want--)
			*o++ = (unsigned char)(w >> s);
	}
	if (want > 0)
		d->problem = true;
	return o;
}

static unsigned char *
uu_feed(struct mime_decoder *d, const unsigned char *p, size_t n,
    unsigned char *o)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n')
			o = uu_line(d, o);
		else if (d->pend_n < sizeof(d->pend))
			d->pend[d->pend_n++] = (char)p[i];
		else if (d->state == UU_DATA)
			d->problem = true;
	}
	return o;
}

/* ---- all --------------------------------------------------------------- */

static unsigned char *
feed_chunk(struct mime_decoder *d, const unsigned char *p, size_t n,
    unsigned char *o)
{
	switch (d->enc) {
	case MIME_ENC_BASE64:
		return b64_feed(d, p, n, o);
	case MIME_ENC_QP:
		return qp_feed(d, p, n, o);
	default:
		return uu_feed(d, p, n, o);
	}
}

static bool
identity(enum mime_encoding e)
{
	return e != MIME_ENC_BASE64 && e != MIME_ENC_QP &&
	    e != MIME_ENC_UUENCODE;
}

int
mime_decoder_feed(struct mime_decoder *d, struct slice in, struct buf *out)
{
	unsigned char scratch[CHUNK + QP_WORST + 16], *end;

	if (identity(d->enc)) {
		d->out += in.n;
		return out != NULL ? buf_add_slice(out, in) : 0;
	}
	while (in.n > 0) {
		size_t n = in.n < CHUNK ? in.n : CHUNK;

		end = feed_chunk(d, (const unsigned char *)in.p, n, scratch);
		d->out += (uint64_t)(end - scratch);
		if (out != NULL &&
		    buf_add(out, scratch, (size_t)(end - scratch)) < 0)
			return -1;
		in.p += n;
		in.n -= n;
	}
	return 0;
}

int
mime_decoder_finish(struct mime_decoder *d, struct buf *out)
{
	unsigned char last[QP_WORST + 16], *o = last;

	if (d->enc == MIME_ENC_BASE64) {
		/* The padding is missing, or one of two. */
		if (d->n > 0 || d->state == 1)
			d->problem = true;
		o = b64_flush(d, o);
	} else if (d->enc == MIME_ENC_QP) {
		/* "=" at the very end is a soft line break. */
		if (d->state == QP_HEX)
			o = qp_bad(d, o);
		else if (d->state == QP_BLANK)
			d->pend_n = 0;
	} else if (d->enc == MIME_ENC_UUENCODE) {
		o = uu_line(d, o);
		if (d->state != UU_AFTER)
			d->problem = true;
	}
	d->out += (uint64_t)(o - last);
	return out != NULL ? buf_add(out, last, (size_t)(o - last)) : 0;
}

struct slice
mime_decode(enum mime_encoding enc, struct slice body, struct arena *a,
    bool *problem_r)
{
	struct mime_decoder d;
	struct buf out = { 0 };

	mime_decoder_init(&d, enc);
	if (problem_r != NULL)
		*problem_r = d.problem;
	if (identity(enc) || body.p == NULL)
		return body;
	/* Nothing decodes to more; the buffer never grows out of the arena. */
	out.cap = out.max = body.n + sizeof(d.pend);
	out.p = arena_alloc(a, out.cap);
	mime_decoder_feed(&d, body, &out);
	mime_decoder_finish(&d, &out);
	if (problem_r != NULL)
		*problem_r = d.problem;
	return buf_slice(&out);
}
