/* pop3d/send.c - a message as a multi-line answer */
#include "config.h"

#include <string.h>

#include "libbase/xalloc.h"
#include "pop3d/pop3.h"

enum { PIECE = 65536 };

/* Where the sender is, kept from one piece to the next. */
struct sender {
	struct sio *io;
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

int
send_message(struct pop3 *p, struct store_blob *b, int64_t lines)
{
	struct sender sd = { .io = p->s->io,
		.lines = lines,
		.bol = true };
	uint64_t size = store_blob_size(b), off = 0;
	char *piece = xmalloc(PIECE);
	int rc = 0;

	while (off < size && !sd.done && !sio_failed(sd.io)) {
		size_t n = size - off < PIECE ? (size_t)(size - off) : PIECE;

		if ((rc = store_blob_read(b, off, piece, n)) < 0)
			goto out;
		if (lines < 0)
			send_whole(&sd, piece, n);
		else
			send_lines(&sd, piece, n);
		off += n;
	}
	if (!sd.bol)
		sio_put(sd.io, "\r\n", 2);
	sio_put(sd.io, ".\r\n", 3);
out:
	xfree(piece);
	return rc;
}
