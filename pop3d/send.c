/* pop3d/send.c - a message as a multi-line answer */
#include "config.h"

#include <string.h>

#include "libbase/buf.h"
#include "libbase/text.h"
#include "libbase/xalloc.h"
#include "libmime/write.h"
#include "pop3d/pop3.h"

enum { PIECE = 65536, WORD_OCTETS = 15 };

/* Where the sender is, kept from one piece to the next. */
struct sender {
	struct sio *io;
	bool whole;		/* RETR */
	int64_t lines;		/* TOP: body lines still wanted */
	bool body;		/* past the header */
	bool bol;		/* the next octet begins a line */
	size_t line_len;	/* octets so far of the line, without CR */
	bool done;		/* enough lines were sent */
};

/* A line of the message ended; the header ends with an empty one. */
static void
line_ended(struct sender *sd)
{
	if (!sd->body) {
		if (sd->line_len == 0)
			sd->body = true;
		if (sd->body && sd->lines == 0)
			sd->done = true;
	} else if (--sd->lines == 0)
		sd->done = true;
	sd->line_len = 0;
	sd->bol = true;
}

/* RETR: all there is to know is where a line begins with a dot. */
static void
send_whole(struct sender *sd, const char *p, size_t n)
{
	const char *hit;

	if (sd->bol && *p == '.')	/* RFC 1939 section 3 */
		sio_put(sd->io, ".", 1);
	sd->bol = p[n - 1] == '\n';
	while ((hit = memmem(p, n, "\n.", 2)) != NULL) {
		size_t len = (size_t)(hit - p) + 1;

		sio_put(sd->io, p, len);
		sio_put(sd->io, ".", 1);
		p += len;
		n -= len;
	}
	sio_put(sd->io, p, n);
}

/* TOP counts lines, so each is looked at. */
static void
send_lines(struct sender *sd, const char *p, size_t n)
{
	while (n > 0 && !sd->done) {
		const char *nl = memchr(p, '\n', n);
		size_t len = nl != NULL ? (size_t)(nl - p) + 1 : n;

		if (sd->bol && *p == '.')
			sio_put(sd->io, ".", 1);
		sio_put(sd->io, p, len);
		sd->bol = false;
		sd->line_len += len;
		if (nl != NULL) {
			/* The octets before CRLF; the CR may have come in the
			 * piece before. */
			sd->line_len = sd->line_len <= 2 ? 0 : sd->line_len;
			line_ended(sd);
		}
		p += len;
		n -= len;
	}
}

/* ---- without UTF8 mode (RFC 6856 2.1) ----------------------------------- */

/* A run without blanks as encoded words (RFC 2047 4.2), each of at most 75
 * octets: between two of them is a folded line. */
static void
put_words(struct buf *b, struct slice run)
{
	while (run.n > 0) {
		size_t n = utf8_cut(run, WORD_OCTETS);

		mime_put_word(b, slice_make(run.p, n));
		run = slice_make(run.p + n, run.n - n);
		if (run.n > 0)
			buf_add_str(b, "\r\n ");
	}
}

/* A surrogate of a header: what has UTF-8 in it becomes encoded words. */
static void
downgrade(struct buf *b, struct slice head)
{
	for (size_t i = 0; i < head.n;) {
		size_t n = 0;
		struct slice run;

		while (i + n < head.n && strchr(" \t\r\n<>,\"", head.p[i + n]) ==
		    NULL)
			n++;
		run = slice_make(head.p + i, n);
		if (slice_is_ascii(run))
			buf_add_slice(b, run);
		else
			put_words(b, run);
		i += n;
		if (i < head.n)
			buf_addc(b, head.p[i++]);
	}
}

/*
 * The header, if it is UTF-8 beyond ASCII, with encoded words in b; *len_r: how
 * much of the message it replaces.  What isn't UTF-8 is nothing that RFC 6856
 * knows of: it goes out as it came in.
 */
static int
surrogate(struct store_blob *b, const char *piece, size_t n, struct buf *out,
    uint64_t *len_r)
{
	const char *end = memmem(piece, n, "\r\n\r\n", 4);
	struct slice head = slice_make(piece, end != NULL ?
	    (size_t)(end - piece) + 2 : n);

	*len_r = 0;
	if (end == NULL && n < store_blob_size(b))
		return 0;	/* a header of that length is a mistake */
	if (slice_is_ascii(head) || !utf8_valid(head) ||
	    memchr(head.p, '\0', head.n) != NULL)
		return 0;
	downgrade(out, head);
	*len_r = head.n;
	return out->overflow ? -1 : 0;
}

static void
put(struct sender *sd, const char *p, size_t n)
{
	if (n == 0)
		return;
	if (sd->whole)
		send_whole(sd, p, n);
	else
		send_lines(sd, p, n);
}

int
send_message(struct pop3 *p, struct store_blob *b, int64_t lines)
{
	struct sender sd = { .io = p->s->io, .lines = lines,
		.whole = lines < 0, .bol = true };
	uint64_t size = store_blob_size(b), off = 0, skip = 0;
	char *piece = xmalloc(PIECE);
	struct buf head;
	int rc = 0;

	buf_init(&head, 8 * PIECE);
	while (off < size && !sd.done && !sio_failed(sd.io)) {
		size_t n = size - off < PIECE ? (size_t)(size - off) : PIECE;

		if ((rc = store_blob_read(b, off, piece, n)) < 0)
			goto out;
		if (off == 0 && !p->utf8 &&
		    surrogate(b, piece, n, &head, &skip) == 0)
			put(&sd, head.p, head.n);
		put(&sd, piece + skip, n - (size_t)skip);
		skip = 0;
		off += n;
	}
	if (!sd.bol)
		sio_put(sd.io, "\r\n", 2);
	sio_put(sd.io, ".\r\n", 3);
out:
	buf_release(&head);
	xfree(piece);
	return rc;
}
