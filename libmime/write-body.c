/* libmime/write-body.c - bodies of new messages, encoded (RFC 2045 6) */
#include "config.h"

#include <string.h>

#include "libbase/text.h"
#include "libmime/write.h"

enum { LINE_MAX_7BIT = 998, QP_LINE = 76 };

enum mime_encoding_choice
mime_text_encoding(struct slice s)
{
	size_t odd = 0, line = 0;
	bool as_is = true;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		line = c == '\n' || c == '\r' ? 0 : line + 1;
		if (line > LINE_MAX_7BIT)
			as_is = false;
		if (c > 126 || (c < 32 && c != '\n' && c != '\r' &&
		    c != '\t')) {
			as_is = false;
			odd++;
		}
	}
	if (as_is)
		return MIME_AS_IS;
	return odd * 6 > s.n ? MIME_AS_BASE64 : MIME_AS_QP;
}

/* The next line of *s without its end, which is LF, CR or CRLF. */
static struct slice
next_line(struct slice *s)
{
	struct slice line = slice_make(s->p, 0);
	size_t i = 0;

	while (i < s->n && s->p[i] != '\n' && s->p[i] != '\r')
		i++;
	line.n = i;
	if (i + 1 < s->n && s->p[i] == '\r' && s->p[i + 1] == '\n')
		i++;
	if (i < s->n)
		i++;
	*s = slice_make(s->p + i, s->n - i);
	return line;
}

int
mime_write_lines(struct buf *out, struct slice s)
{
	while (s.n > 0) {
		buf_add_slice(out, next_line(&s));
		buf_add_str(out, "\r\n");
	}
	return out->overflow ? -1 : 0;
}

static void
qp_line(struct buf *out, struct slice s)
{
	size_t col = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool last = i + 1 == s.n;
		bool plain = c >= 33 && c <= 126 && c != '=';
		size_t n;

		plain = plain || ((c == ' ' || c == '\t') && !last);
		/* Some mail programs alter lines like these. */
		if (col == 0 && (c == '.' || (c == 'F' && s.n - i > 4 &&
		    memcmp(s.p + i, "From ", 5) == 0)))
			plain = false;
		n = plain ? 1 : 3;
		if (col + n > QP_LINE - (last ? 0 : 1)) {
			buf_add_str(out, "=\r\n");
			col = 0;
		}
		if (plain)
			buf_addc(out, (char)c);
		else
			buf_printf(out, "=%02X", c);
		col += n;
	}
}

int
mime_write_qp(struct buf *out, struct slice s)
{
	while (s.n > 0) {
		qp_line(out, next_line(&s));
		buf_add_str(out, "\r\n");
	}
	return out->overflow ? -1 : 0;
}

int
mime_write_base64(struct mime_base64 *b, const void *p, size_t n,
    struct buf *out)
{
	const unsigned char *in = p;

	while (n > 0 || (p == NULL && b->n > 0)) {
		size_t k = sizeof(b->rest) - b->n;

		k = k < n ? k : n;
		if (k > 0)
			memcpy(b->rest + b->n, in, k);
		b->n += k;
		in = k > 0 ? in + k : in;
		n -= k;
		if (b->n < sizeof(b->rest) && p != NULL)
			break;
		base64_encode(out, slice_make((char *)b->rest, b->n));
		buf_add_str(out, "\r\n");
		b->n = 0;
	}
	return out->overflow ? -1 : 0;
}
