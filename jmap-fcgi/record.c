/* jmap-fcgi/record.c - FastCGI records, for connections that left fcgi2 */
#include "config.h"

#include "jmap-fcgi/record.h"

enum { CONTENT_MAX = 32 << 10 };
enum {	/* types, FastCGI 1.0 section 8 */
	TYPE_ABORT = 2, TYPE_END = 3, TYPE_STDOUT = 6
};

static void
head(struct buf *out, int type, int request_id, size_t n)
{
	buf_addc(out, 1);	/* version */
	buf_addc(out, (char)type);
	buf_addc(out, (char)(request_id >> 8));
	buf_addc(out, (char)request_id);
	buf_addc(out, (char)(n >> 8));
	buf_addc(out, (char)n);
	buf_addc(out, 0);	/* padding */
	buf_addc(out, 0);
}

void
record_stdout(struct buf *out, int request_id, struct slice text)
{
	while (text.n > 0) {
		size_t n = text.n < CONTENT_MAX ? text.n : CONTENT_MAX;

		head(out, TYPE_STDOUT, request_id, n);
		buf_add(out, text.p, n);
		text = slice_make(text.p + n, text.n - n);
	}
}

void
record_end(struct buf *out, int request_id)
{
	head(out, TYPE_STDOUT, request_id, 0);
	head(out, TYPE_END, request_id, 8);
	buf_add(out, "\0\0\0\0\0\0\0\0", 8);	/* status 0, complete */
}

int
record_read(struct record_reader *r, struct slice in)
{
	size_t i = 0;

	while (i < in.n) {
		if (r->skip > 0) {
			size_t n = in.n - i < r->skip ? in.n - i : r->skip;

			r->skip -= (uint32_t)n;
			i += n;
			continue;
		}
		r->head[r->n_head++] = (unsigned char)in.p[i++];
		if (r->n_head < sizeof(r->head))
			continue;
		r->n_head = 0;
		if (r->head[0] != 1)
			return -1;
		if (r->head[1] == TYPE_ABORT)
			return 1;
		r->skip = (uint32_t)r->head[4] << 8 | r->head[5];
		r->skip += r->head[6];
	}
	return 0;
}
