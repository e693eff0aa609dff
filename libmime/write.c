/* libmime/write.c - header fields of new messages (RFC 5322, 2047, 2231) */
#include "config.h"

#include <string.h>

#include "libbase/text.h"
#include "libmime/write.h"

/* RFC 2047 section 2: 76 for a line with an encoded word, 75 for the word; a
 * group's ";," may still follow. */
enum {
	LINE = 74,		/* where lines are folded */
	WORD_MAX = 73,		/* an encoded word */
	OVERHEAD = 12,		/* "=?utf-8?B?" and "?=" */
	PLAIN_MAX = 200		/* a word that is not encoded */
};

/* ---- folding ----------------------------------------------------------- */

void
mime_write_begin(struct mime_writer *w, struct buf *out, struct slice name)
{
	w->out = out;
	w->col = name.n + 1;
	w->bol = true;
	buf_add_slice(out, name);
	buf_addc(out, ':');
}

void
mime_write_end(struct mime_writer *w)
{
	buf_add_str(w->out, "\r\n");
}

void
mime_write_more(struct mime_writer *w, struct slice token)
{
	buf_add_slice(w->out, token);
	w->col += token.n;
	w->bol = false;
}

void
mime_write_token(struct mime_writer *w, struct slice token)
{
	if (w->col + 1 + token.n > LINE && !w->bol) {
		buf_add_str(w->out, "\r\n");
		w->col = 0;
	}
	buf_addc(w->out, ' ');
	w->col++;
	mime_write_more(w, token);
}

static bool
text_ok(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 32 || c == 127)
			return false;
	}
	return utf8_valid(s);
}

/* ---- encoded words ----------------------------------------------------- */

/* RFC 2047 section 5 (3): what may stand for itself in a phrase, too. */
static bool
q_plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || (c != '\0' && strchr("!*+-/", c) != NULL);
}

static size_t
q_size(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += q_plain((unsigned char)s.p[i]) || s.p[i] == ' ' ? 1 : 3;
	return n;
}

void
mime_put_word(struct buf *out, struct slice s)
{
	buf_add_str(out, "=?utf-8?Q?");
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == ' ')
			buf_addc(out, '_');
		else if (q_plain(c))
			buf_addc(out, (char)c);
		else
			buf_printf(out, "=%02X", c);
	}
	buf_add_str(out, "?=");
}

/* As many whole characters of s as one encoded word of max octets takes. */
static size_t
word_cut(struct slice s, bool q, size_t max)
{
	size_t room = max - OVERHEAD, n;

	if (!q)
		return utf8_cut(s, room / 4 * 3);
	n = utf8_cut(s, room);
	while (n > 0 && q_size(slice_make(s.p, n)) > room)
		n = utf8_cut(s, n - 1);
	return n;
}

/* A run of words as encoded words, none of which breaks a character. */
static void
encode_run(struct mime_writer *w, struct slice s)
{
	bool q = q_size(s) <= (s.n + 2) / 3 * 4;

	while (s.n > 0) {
		size_t left = w->col + 1 < LINE ? LINE - w->col - 1 : 0;
		size_t max = w->bol && left < WORD_MAX ? left : WORD_MAX;
		struct buf word;
		size_t n;

		n = max > OVERHEAD + 12 ? word_cut(s, q, max) : 0;
		if (n == 0)
			n = word_cut(s, q, WORD_MAX);
		buf_init(&word, 2 * WORD_MAX);
		if (q)
			mime_put_word(&word, slice_make(s.p, n));
		else {
			buf_add_str(&word, "=?utf-8?B?");
			base64_encode(&word, slice_make(s.p, n));
			buf_add_str(&word, "?=");
		}
		mime_write_token(w, buf_slice(&word));
		buf_release(&word);
		s = slice_make(s.p + n, s.n - n);
	}
}

/* ---- texts ------------------------------------------------------------- */

static bool
plain_word(struct slice s)
{
	if (s.n == 0 || s.n > PLAIN_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 33 || s.p[i] > 126)
			return false;
	return memmem(s.p, s.n, "=?", 2) == NULL;
}

/* The first word of *s, which is moved behind it and one blank. */
static struct slice
next_word(struct slice *s)
{
	const char *sp = memchr(s->p, ' ', s->n);
	size_t n = sp != NULL ? (size_t)(sp - s->p) : s->n;
	struct slice word = slice_make(s->p, n);

	if (sp != NULL)
		n++;
	*s = slice_make(s->p + n, s->n - n);
	return word;
}

/* Blanks that folding would not keep. */
static bool
odd_blanks(struct slice s)
{
	return s.n > 0 && (s.p[0] == ' ' || s.p[s.n - 1] == ' ' ||
	    memmem(s.p, s.n, "  ", 2) != NULL);
}

int
mime_write_text(struct mime_writer *w, struct slice s)
{
	const char *run = NULL, *end = NULL;

	if (!text_ok(s))
		return -1;
	if (odd_blanks(s)) {
		encode_run(w, s);
		return 0;
	}
	while (s.n > 0) {
		struct slice word = next_word(&s);

		if (!plain_word(word)) {
			run = run != NULL ? run : word.p;
			end = word.p + word.n;
			continue;
		}
		if (run != NULL)
			encode_run(w, slice_make(run, (size_t)(end - run)));
		run = NULL;
		mime_write_token(w, word);
	}
	if (run != NULL)
		encode_run(w, slice_make(run, (size_t)(end - run)));
	return 0;
}

static bool
is_atext(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Words of atoms, with single blanks between them? */
static bool
is_atoms(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && !is_atext(s.p[i]))
			return false;
	return s.n > 0 && !odd_blanks(s) && memmem(s.p, s.n, "=?", 2) == NULL;
}

static bool
is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 126)
			return false;
	return true;
}

static void
quoted_add(struct buf *out, struct slice s)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, s.p[i]);
	}
	buf_addc(out, '"');
}

int
mime_write_phrase(struct mime_writer *w, struct slice s)
{
	struct buf q;

	if (!text_ok(s))
		return -1;
	if (is_atoms(s) && s.n <= PLAIN_MAX) {
		while (s.n > 0)
			mime_write_token(w, next_word(&s));
	} else if (is_ascii(s) && s.n <= PLAIN_MAX &&
	    memmem(s.p, s.n, "=?", 2) == NULL) {
		buf_init(&q, 2 * PLAIN_MAX + 2);
		quoted_add(&q, s);
		mime_write_token(w, buf_slice(&q));
		buf_release(&q);
	} else {
		encode_run(w, s);
	}
	return 0;
}

/* Nothing that would end the address, or the field. */
static bool
email_ok(struct slice s)
{
	bool quoted = false, literal = false;

	if (s.n == 0 || s.n > PLAIN_MAX * 2 || !text_ok(s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (quoted && s.p[i] == '\\' && i + 1 < s.n)
			i++;
		else if (!quoted && strchr(" <>,;()\\", s.p[i]) != NULL)
			return false;
		else if (!quoted && s.p[i] == '[')
			literal = true;
		else if (!quoted && !literal && s.p[i] == ':')
			return false;	/* of a group */
	}
	return !quoted;
}

int
mime_write_address(struct mime_writer *w, struct slice name,
    struct slice email, bool comma)
{
	struct buf b;

	if (!email_ok(email) ||
	    (name.n > 0 && mime_write_phrase(w, name) < 0))
		return -1;
	buf_init(&b, email.n + 3);
	if (name.n > 0)
		buf_addc(&b, '<');
	buf_add_slice(&b, email);
	if (name.n > 0)
		buf_addc(&b, '>');
	if (comma)
		buf_addc(&b, ',');
	mime_write_token(w, buf_slice(&b));
	buf_release(&b);
	return 0;
}

/* ---- parameters -------------------------------------------------------- */

/* RFC 2231: percent-encoded UTF-8, in pieces where it is long. */
static void
param_extended(struct mime_writer *w, const char *name, struct slice s)
{
	bool whole = 3 * s.n <= 40;

	for (unsigned i = 0; s.n > 0 || i == 0; i++) {
		size_t n = utf8_cut(s, whole ? s.n : 14);
		struct buf b;

		buf_init(&b, 200);
		if (whole)
			buf_printf(&b, "%s*=utf-8''", name);
		else
			buf_printf(&b, "%s*%u*=%s", name, i,
			    i == 0 ? "utf-8''" : "");
		for (size_t k = 0; k < n; k++) {
			if (q_plain((unsigned char)s.p[k]) && s.p[k] != '*' &&
			    s.p[k] != '/')
				buf_addc(&b, s.p[k]);
			else
				buf_printf(&b, "%%%02X",
				    (unsigned char)s.p[k]);
		}
		mime_write_more(w, SLICE_LIT(";"));
		mime_write_token(w, buf_slice(&b));
		buf_release(&b);
		s = slice_make(s.p + n, s.n - n);
	}
}

int
mime_write_param(struct mime_writer *w, const char *name, struct slice s)
{
	struct buf b;
	bool token = s.n > 0;

	if (!text_ok(s))
		return -1;
	/* What looks like an encoded word would be taken for one. */
	if (!is_ascii(s) || s.n > 60 || memmem(s.p, s.n, "=?", 2) != NULL) {
		param_extended(w, name, s);
		return 0;
	}
	for (size_t i = 0; i < s.n; i++)
		if (!is_atext(s.p[i]) || strchr("'*%/?=", s.p[i]) != NULL)
			token = false;
	buf_init(&b, 200);
	buf_printf(&b, "%s=", name);
	if (token)
		buf_add_slice(&b, s);
	else
		quoted_add(&b, s);
	mime_write_more(w, SLICE_LIT(";"));
	mime_write_token(w, buf_slice(&b));
	buf_release(&b);
	return 0;
}

void
mime_write_date(struct mime_writer *w, int64_t t, int zone)
{
	static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon",
		"Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr",
		"May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int s, y, m, d, z = zone < 0 ? -zone : zone;
	int64_t day = time_day(t + (int64_t)zone * 60, &s);

	time_civil(day, &y, &m, &d);
	buf_printf(w->out, " %s, %d %s %04d %02d:%02d:%02d %c%02d%02d",
	    days[(day % 7 + 7) % 7], d, months[m - 1], y, s / 3600,
	    s / 60 % 60, s % 60, zone < 0 ? '-' : '+', z / 60, z % 60);
}
