/* culver/mbox.c - an mbox file, message by message, in bounded memory */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>

#include "culver/mbox.h"
#include "libbase/buf.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/store.h"

enum { PIECE_MAX = 65536, HEAD_MAX = 1 << 20, PEEK = 2048 };

struct mbox {
	int fd;
	uint64_t size, off;	/* of the file; of the next piece in it */
	char *raw;		/* [pos, n) is read and not yet used */
	size_t pos, n;
	bool eof, bol;		/* bol: the next piece begins a line */
	enum mbox_format format;
	const struct mbox_sink *sink;
	uint64_t reported;

	/* the present message */
	uint64_t start;
	struct mbox_meta meta;
	struct buf head;	/* its header, until that is complete */
	bool in_head, unquote, only_first, noeol, last_blank;
	char held[4];		/* up to two line ends not yet passed on */
	size_t held_n;
	uint64_t body_left;	/* framed by Content-Length */
	bool framed;
};

int
mbox_format_from(const char *name, enum mbox_format *f_r)
{
	static const char *const names[] = {
		"auto", "mboxrd", "mboxo", "mboxcl", "mboxcl2"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			*f_r = (enum mbox_format)i;
			return 0;
		}
	}
	return -1;
}

/*
 * The next line with its end, or as much of it as fits, but not more than max
 * octets.  1, 0 at the end of the file, -1.  Valid until the next call.
 */
static int
next_piece(struct mbox *m, size_t max, struct slice *s_r, bool *bol_r)
{
	const char *nl;
	size_t n;

	while (!m->eof && m->n - m->pos < PIECE_MAX &&
	    !memchr(m->raw + m->pos, '\n', m->n - m->pos)) {
		ssize_t r;

		memmove(m->raw, m->raw + m->pos, m->n - m->pos);
		m->n -= m->pos;
		m->pos = 0;
		r = io_read(m->fd, m->raw + m->n, 2 * PIECE_MAX - m->n);
		if (r < 0)
			return -1;
		m->eof = r == 0;
		m->n += (size_t)r;
	}
	n = m->n - m->pos;
	if (n == 0)
		return 0;
	nl = memchr(m->raw + m->pos, '\n', n);
	if (nl)
		n = (size_t)(nl - (m->raw + m->pos)) + 1;
	if (n > PIECE_MAX)
		n = PIECE_MAX;
	if (n > max)
		n = max;
	*s_r = slice_make(m->raw + m->pos, n);
	*bol_r = m->bol;
	m->bol = s_r->p[n - 1] == '\n';
	m->pos += n;
	m->off += n;
	if (m->off - m->reported >= 1 << 20) {
		m->sink->progress(m->sink->arg, m->off - m->reported);
		m->reported = m->off;
	}
	return 1;
}

static size_t
eol_len(struct slice s)
{
	if (s.n == 0 || s.p[s.n - 1] != '\n')
		return 0;
	return s.n > 1 && s.p[s.n - 2] == '\r' ? 2 : 1;
}

/* Drops the '>' that was put before a line that looked like a From_ line. */
static struct slice
unquoted(const struct mbox *m, struct slice s)
{
	size_t i = 0;

	while (i < s.n && s.p[i] == '>')
		i++;
	if (i == 0 || (m->only_first && i > 1) ||
	    !slice_starts(slice_make(s.p + i, s.n - i), SLICE_LIT("From ")))
		return s;
	return slice_make(s.p + 1, s.n - 1);
}

static int
pass(struct mbox *m, const char *p, size_t n)
{
	return n ? m->sink->add(m->sink->arg, p, n) : 0;
}

/* Passes on what is held but the last line end, or all of it. */
static int
release_held(struct mbox *m, bool all)
{
	size_t keep = 0;
	int rc;

	if (!all && m->held_n > 0) {
		keep = m->held_n > 1 && m->held[m->held_n - 2] == '\r' ?
		    2 : 1;
	}
	rc = pass(m, m->held, m->held_n - keep);
	memmove(m->held, m->held + m->held_n - keep, keep);
	m->held_n = keep;
	return rc;
}

/*
 * Passes a line on, less its end, which is held: at the message's end the empty
 * line before From_ is none of it, and our exports tell of messages that have
 * no line end at their end.
 */
static int
put_line(struct mbox *m, struct slice s, bool bol)
{
	size_t e;
	int rc;

	if (bol && m->unquote)
		s = unquoted(m, s);
	e = eol_len(s);
	m->last_blank = bol && e == s.n;
	rc = release_held(m, !m->last_blank);
	if (rc == 0)
		rc = pass(m, s.p, s.n - e);
	memcpy(m->held + m->held_n, s.p + s.n - e, e);
	m->held_n += e;
	return rc;
}

/* ---- the header -------------------------------------------------------- */

static void
status_flags(struct mbox *m, struct slice v, bool x)
{
	for (size_t i = 0; i < v.n; i++) {
		switch (v.p[i]) {
		case 'R':
			m->meta.flags |= x ? 0 : STORE_SEEN;
			break;
		case 'A':
			m->meta.flags |= STORE_ANSWERED;
			break;
		case 'F':
			m->meta.flags |= STORE_FLAGGED;
			break;
		case 'T':
			m->meta.flags |= STORE_DRAFT;
			break;
		case 'D':
			m->meta.flags |= STORE_DELETED;
			break;
		default:
			break;
		}
	}
}

static bool
field(struct slice line, const char *name, struct slice *v_r)
{
	size_t n = strlen(name);

	if (!slice_istarts(line, slice_make(name, n)))
		return false;
	*v_r = slice_trim(slice_make(line.p + n, line.n - n));
	return true;
}

/* Reads flags off one line; true for those that our exports add. */
static bool
flag_line(struct mbox *m, struct slice line)
{
	struct slice v;

	if (field(line, "Status:", &v))
		status_flags(m, v, false);
	else if (field(line, "X-Status:", &v))
		status_flags(m, v, true);
	else if (field(line, "X-Keywords:", &v))
		m->meta.keywords = v;
	else
		return false;
	return true;
}

static struct slice
take_line(struct slice *s)
{
	const char *nl = s->n ? memchr(s->p, '\n', s->n) : NULL;
	size_t n = nl ? (size_t)(nl - s->p) + 1 : s->n;
	struct slice line = slice_make(s->p, n);

	if (n > 0)
		s->p += n;
	s->n -= n;
	return line;
}

/*
 * "X-Culver-Export: N [noeol]" and N lines of flags, at the very beginning, are
 * ours and not part of the message.  What is left of the header.
 */
static struct slice
own_lines(struct mbox *m, struct slice head)
{
	struct slice rest = head, v, num;
	uint64_t n;
	bool noeol = false;

	if (!field(take_line(&rest), MBOX_EXPORT, &v))
		return head;
	num = v;
	if (v.n > 6 && slice_eq(slice_make(v.p + v.n - 6, 6),
	    SLICE_LIT(" noeol"))) {
		num.n -= 6;
		noeol = true;
	}
	if (slice_uint(num, 3, &n) < 0)
		return head;
	while (n-- > 0) {
		if (!flag_line(m, take_line(&rest))) {
			m->meta.flags = 0;
			m->meta.keywords = slice_str(NULL);
			return head;
		}
	}
	m->noeol = noeol;
	m->unquote = true;
	m->only_first = false;
	return rest;
}

/* Does a Content-Length lead to a place where a message may end? */
static bool
length_fits(const struct mbox *m, uint64_t len)
{
	char peek[PEEK];
	struct slice s = { peek, 0 };
	uint64_t at = m->off + len;
	int64_t date;

	if (at > m->size || at < m->off)
		return false;
	if (at == m->size)
		return true;
	s.n = m->size - at < PEEK ? (size_t)(m->size - at) : PEEK;
	if (io_pread_full(m->fd, peek, s.n, (off_t)at) < 0)
		return false;
	if (s.p[0] == '\r')
		s = slice_make(s.p + 1, s.n - 1);
	if (s.n > 0 && s.p[0] == '\n')
		s = slice_make(s.p + 1, s.n - 1);
	return s.n == 0 || mbox_from_line(take_line(&s), &date);
}

static void
framing(struct mbox *m, struct slice head)
{
	struct slice v;
	uint64_t len;

	if (m->format == MBOX_RD || m->format == MBOX_O)
		return;
	while (head.n > 0) {
		if (!field(take_line(&head), "Content-Length:", &v))
			continue;
		if (slice_uint(v, INT64_MAX, &len) < 0 || !length_fits(m, len))
			return;
		m->framed = true;
		m->body_left = len;
		m->unquote = m->format == MBOX_CL;
		return;
	}
}

/* The header is whole (blank: and an empty line follows, which is consumed
 * by the caller): looks at it and passes it on. */
static int
finish_head(struct mbox *m, bool blank)
{
	struct slice head = buf_slice(&m->head), rest;
	int rc = 0;

	m->in_head = false;
	rest = own_lines(m, head);
	if (rest.p == head.p) {
		for (struct slice s = head; s.n > 0;)
			(void)flag_line(m, take_line(&s));
		if (blank)
			framing(m, head);
	}
	while (rc == 0 && rest.n > 0)
		rc = put_line(m, take_line(&rest), true);
	return rc;
}

/* ---- messages ---------------------------------------------------------- */

static int
begin(struct mbox *m, int64_t date, uint64_t start)
{
	m->start = start;
	m->meta = (struct mbox_meta){ .date = date };
	buf_reset(&m->head);
	m->in_head = true;
	m->unquote = m->format != MBOX_CL2;
	m->only_first = m->format == MBOX_O;
	m->noeol = m->framed = m->last_blank = false;
	m->held_n = 0;
	return m->sink->begin(m->sink->arg);
}

static void
drop_held(struct mbox *m)
{
	if (m->held_n > 0) {
		m->held_n -= m->held_n > 1 &&
		    m->held[m->held_n - 2] == '\r' ? 2 : 1;
	}
}

static int
end(struct mbox *m)
{
	int rc = 0;

	if (m->in_head)
		rc = finish_head(m, false);
	if (m->last_blank)	/* it separates, and isn't of the message */
		drop_held(m);
	if (m->noeol)
		drop_held(m);
	if (rc == 0)
		rc = release_held(m, true);
	if (rc == 0)
		rc = m->sink->end(m->sink->arg, &m->meta, m->start);
	return rc;
}

static int
head_line(struct mbox *m, struct slice s, bool bol)
{
	bool blank = bol && eol_len(s) == s.n;
	int rc;

	if (!blank && m->head.n + s.n <= HEAD_MAX) {
		(void)buf_add_slice(&m->head, s);
		return 0;
	}
	rc = finish_head(m, blank);
	if (rc == 0)
		rc = put_line(m, s, bol);
	if (rc == 0 && m->framed) {
		m->last_blank = false;	/* it's the header's end */
		rc = release_held(m, true);
	}
	return rc;
}

/* Body octets that Content-Length announced. */
static int
framed_line(struct mbox *m, struct slice s, bool bol)
{
	m->body_left -= s.n;
	if (m->body_left == 0)
		m->bol = true;	/* whatever its last octet was */
	if (bol && m->unquote)
		s = unquoted(m, s);
	return pass(m, s.p, s.n);
}

static int
line(struct mbox *m, struct slice s, bool bol)
{
	bool over = m->framed && !m->in_head;
	int64_t date;

	if (over && m->body_left > 0)
		return framed_line(m, s, bol);
	if (bol && (over || m->last_blank) && mbox_from_line(s, &date)) {
		uint64_t start = m->off - s.n;
		int rc = end(m);

		return rc ? rc : begin(m, date, start);
	}
	if (over && bol && eol_len(s) == s.n)
		return 0;
	return m->in_head ? head_line(m, s, bol) : put_line(m, s, bol);
}

static int
read_all(struct mbox *m)
{
	struct slice s;
	bool bol, seen = false;
	int64_t date = INT64_MIN;
	int rc;

	for (;;) {
		bool framed = seen && m->framed && m->body_left > 0;

		rc = next_piece(m, framed && m->body_left < PIECE_MAX ?
		    (size_t)m->body_left : PIECE_MAX, &s, &bol);
		if (rc <= 0)
			break;
		if (seen) {
			rc = line(m, s, bol);
		} else if (mbox_from_line(s, &date)) {
			seen = true;
			rc = begin(m, date, m->off - s.n);
		} else if (eol_len(s) != s.n) {
			errno = EPROTO;
			return -1;
		} else {
			rc = 0;
		}
		if (rc != 0)
			return rc;
	}
	if (rc == 0 && seen)
		rc = end(m);
	return rc;
}

int
mbox_read(int fd, enum mbox_format f, const struct mbox_sink *sink)
{
	struct mbox m = { .fd = fd, .format = f, .sink = sink, .bol = true };
	struct stat sb;
	int rc;

	if (fstat(fd, &sb) < 0)
		return -1;
	m.size = (uint64_t)sb.st_size;
	m.raw = xmalloc(2 * PIECE_MAX);
	buf_init(&m.head, HEAD_MAX);
	rc = read_all(&m);
	if (rc == 0)
		sink->progress(sink->arg, m.off - m.reported);
	buf_release(&m.head);
	xfree(m.raw);
	return rc;
}
