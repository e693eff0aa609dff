/* libmime/body.c - bodies as text: decoded parts, sizes, previews */
#include "config.h"

#include <unistr.h>

#include "libbase/text.h"
#include "libmime/mime-int.h"
#include "libmime/source.h"

enum {
	PIECE = 16 * 1024,		/* encoded octets taken at a time */
	PREVIEW_CHARS = 256
};

/* How many octets a preview looks at: mostly the first few are enough. */
static const struct {
	size_t plain;
	size_t html, html_in;	/* with styles and all; of it parsed */
} looks[] = {
	{ 2 * 1024, 16 * 1024, 3 * 1024 },
	{ 64 * 1024, 512 * 1024, 16 * 1024 }
};

/* ---- source ------------------------------------------------------------ */

void
mime_source_open(struct mime_source *s, const struct mime_part *p,
    struct slice raw)
{
	*s = (struct mime_source){ .left = mime_part_body(p, raw) };
	mime_decoder_init(&s->d, p->encoding);
	s->cs = mime_charset_new(mime_param(p->params, p->n_params, "charset"));
	buf_init(&s->octets, 4 * PIECE);
}

int
mime_source_next(struct mime_source *s, struct buf *out)
{
	struct slice in = s->left;

	if (s->ended)
		return 0;
	if (in.n > PIECE)
		in.n = PIECE;
	buf_reset(&s->octets);
	mime_decoder_feed(&s->d, in, &s->octets);
	s->left.p += in.n;
	s->left.n -= in.n;
	if (s->left.n == 0) {
		s->ended = true;
		mime_decoder_finish(&s->d, &s->octets);
	}
	if (mime_charset_feed(s->cs, buf_slice(&s->octets), out) < 0)
		return -1;
	if (s->ended && mime_charset_finish(s->cs, out) < 0)
		return -1;
	return 1;
}

bool
mime_source_problem(const struct mime_source *s)
{
	return s->d.problem || mime_charset_problem(s->cs);
}

void
mime_source_close(struct mime_source *s)
{
	mime_charset_free(&s->cs);
	buf_release(&s->octets);
}

/* ---- values ------------------------------------------------------------ */

/* CRLF to LF and without NUL, in place from where on; a CR at the end waits
 * for more unless it is the end. */
static void
line_ends(struct buf *b, size_t from, bool ended)
{
	char *to, *p, *end, *q;
	bool nul;

	if (from == b->n)
		return;
	to = p = b->p + from;
	end = b->p + b->n;
	nul = memchr(p, '\0', (size_t)(end - p)) != NULL;
	while (p < end) {
		size_t n;

		if (nul)
			for (q = p; q < end && *q != '\r' && *q != '\0'; )
				q++;
		else if ((q = memchr(p, '\r', (size_t)(end - p))) == NULL)
			q = end;
		n = (size_t)(q - p);
		memmove(to, p, n);
		to += n;
		p = q + 1;
		if (q < end && *q == '\r' &&
		    (p < end ? *p != '\n' : !ended))
			*to++ = '\r';
	}
	b->n = (size_t)(to - b->p);
}

/* Where to cut s so that it has at most max octets. */
static size_t
cut(struct slice s, size_t max, bool html)
{
	size_t n = utf8_cut(s, max);
	const char *lt, *gt;

	if (!html)
		return n;
	/* Not inside a tag; but '<' may be anything, so don't go far. */
	lt = memrchr(s.p, '<', n);
	gt = memrchr(s.p, '>', n);
	if (lt != NULL && (gt == NULL || gt < lt) &&
	    n - (size_t)(lt - s.p) < 4096)
		n = (size_t)(lt - s.p);
	return n;
}

void
mime_part_text(const struct mime_part *p, struct slice raw, size_t max,
    struct arena *a, struct mime_value *v_r)
{
	struct mime_source src;
	struct buf out;
	size_t clean = 0;
	bool held;

	*v_r = (struct mime_value){ .text = SLICE_LIT("") };
	mime_source_open(&src, p, raw);
	buf_init(&out, SIZE_MAX / 2);
	while ((max == 0 || out.n <= max) && mime_source_next(&src, &out) == 1) {
		line_ends(&out, clean, src.ended);
		held = out.n > 0 && out.p[out.n - 1] == '\r';
		clean = out.n - held;
	}
	v_r->encoding_problem = mime_source_problem(&src);
	if (max > 0 && out.n > max) {
		v_r->truncated = true;
		out.n = cut(buf_slice(&out), max,
		    mime_part_is(p, "text", "html"));
	}
	if (out.n > 0)
		v_r->text = arena_slice(a, buf_slice(&out));
	buf_release(&out);
	mime_source_close(&src);
}

/* ---- preview ----------------------------------------------------------- */

struct preview {
	struct buf out;
	size_t chars;
	bool gap;
};

/* Characters that show nothing (seen as padding in newsletters). */
static bool
invisible(ucs4_t c)
{
	return c < 32 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x34f ||
	    c == 0x200b || c == 0x200e || c == 0x200f || c == 0x2060 ||
	    c == 0xfeff || (c >= 0x202a && c <= 0x202e);
}

static bool
space(ucs4_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xa0 ||
	    (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	    c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Appends text with single spaces; false when it is full. */
static bool
preview_add(struct preview *pv, struct slice s)
{
	while (s.n > 0) {
		ucs4_t c;
		int len = u8_mbtoucr(&c, (const uint8_t *)s.p, s.n);
		size_t n = len > 0 ? (size_t)len : 1;

		if (len > 0 && space(c)) {
			pv->gap = pv->out.n > 0;
		} else if (len > 0 && !invisible(c) &&
		    /* Joiners join something. */
		    ((c != 0x200c && c != 0x200d) ||
		    (!pv->gap && pv->out.n > 0))) {
			if (pv->chars + 1 + pv->gap > PREVIEW_CHARS)
				return false;
			pv->chars += 1 + pv->gap;
			if (pv->gap)
				buf_addc(&pv->out, ' ');
			pv->gap = false;
			buf_add(&pv->out, s.p, n);
		}
		s.p += n;
		s.n -= n;
	}
	pv->gap = pv->out.n > 0;
	return true;
}

/* The lines of a plain text up to the signature; without quotes, if so. */
static void
preview_lines(struct preview *pv, struct slice s, bool quotes)
{
	while (s.n > 0) {
		const char *nl = memchr(s.p, '\n', s.n);
		size_t n = nl != NULL ? (size_t)(nl - s.p) : s.n;
		struct slice line = { s.p, n };

		n += nl != NULL;
		s.p += n;
		s.n -= n;
		if (slice_eq(line, SLICE_LIT("-- ")) && pv->out.n > 0)
			return;
		if (!quotes && line.n > 0 && line.p[0] == '>')
			continue;
		if (!preview_add(pv, line))
			return;
	}
}

/* From what look i sees of the part; true: a further look may show more. */
static bool
preview_look(struct preview *pv, const struct mime_part *p, struct slice raw,
    size_t i, struct arena *a)
{
	bool last = i + 1 == sizeof(looks) / sizeof(looks[0]);
	bool html = mime_part_is(p, "text", "html");
	struct mime_value v;

	if (!html && !mime_part_is(p, "text", "plain"))
		return false;
	buf_reset(&pv->out);
	pv->chars = 0;
	pv->gap = false;
	mime_part_text(p, raw, html ? looks[i].html : looks[i].plain, a, &v);
	if (html) {
		preview_lines(pv, mime_html_text(v.text, looks[i].html_in, a),
		    true);
	} else {
		preview_lines(pv, v.text, false);
		if (pv->out.n == 0 && (last || !v.truncated))
			preview_lines(pv, v.text, true);
	}
	return !last && pv->chars < PREVIEW_CHARS - 1 &&
	    (v.truncated || (html && v.text.n > looks[i].html_in));
}

static void
preview_part(struct preview *pv, const struct mime_part *p, struct slice raw)
{
	struct arena *a = arena_new(0);

	for (size_t i = 0; preview_look(pv, p, raw, i, a); i++)
		;
	arena_free(&a);
}

struct slice
mime_preview(const struct mime_msg *m, struct slice raw, struct arena *a)
{
	struct preview pv = { .gap = false };
	struct mime_bodies b;
	struct slice r = SLICE_LIT("");

	buf_init(&pv.out, (PREVIEW_CHARS + 2) * 4);
	mime_bodies(m, a, &b);
	for (size_t i = 0; i < b.n_text && i < 8 && pv.out.n == 0; i++)
		preview_part(&pv, b.text[i], raw);
	if (pv.out.n > 0)
		r = arena_slice(a, buf_slice(&pv.out));
	buf_release(&pv.out);
	return r;
}

void
mime_measure(struct mime_msg *m, struct slice raw, struct arena *a)
{
	struct mime_decoder d;

	for (struct mime_part *p = m->root; p != NULL; p = mime_part_next(p)) {
		p->decoded_len = p->body_len;
		if (p->kind != MIME_LEAF)
			continue;
		mime_decoder_init(&d, p->encoding);
		mime_decoder_feed(&d, mime_part_body(p, raw), NULL);
		mime_decoder_finish(&d, NULL);
		p->decoded_len = d.out;
		p->encoding_problem = d.problem;
	}
	m->preview = mime_preview(m, raw, a);
}
