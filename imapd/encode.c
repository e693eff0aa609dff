/* imapd/encode.c - the one place where responses get their form */
#include "config.h"

#include "imapd/chars.h"
#include "imapd/encode.h"
#include "imapd/language.h"
#include "libbase/text.h"
#include "libbase/utf7.h"

enum {
	SPILL = 16 * 1024,	/* gathered before it is handed on */
	LINE_MAX_OCTETS = 64 * 1024 * 1024,	/* bound of b: never reached, as
						 * what is long is spilled */
	QUOTED_MAX = 1000	/* longer strings are literals */
};

void
enc_init(struct enc *e, struct sio *io)
{
	buf_init(&e->b, LINE_MAX_OCTETS);
	e->io = io;
	e->open = e->utf8 = false;
}

void
enc_release(struct enc *e)
{
	buf_release(&e->b);
}

void
enc_raw(struct enc *e, const char *s)
{
	buf_add_str(&e->b, s);
	e->open = false;
}

void
enc_u64(struct enc *e, uint64_t v)
{
	buf_add_u64(&e->b, v);
	e->open = false;
}

void
enc_text(struct enc *e, struct slice s)
{
	/* RFC 5255 3.5: UTF-8, once a language is agreed on */
	bool utf8 = language_negotiated() && utf8_valid(s);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		buf_addc(&e->b, (c >= ' ' && c < 0x7f) ||
		    (utf8 && c >= 0x80) ? (char)c : '?');
	}
	e->open = false;
}

void
enc_say(struct enc *e, const char *english)
{
	enc_text(e, slice_str(language_text(english)));
}

void
enc_sp(struct enc *e)
{
	if (!e->open)
		buf_addc(&e->b, ' ');
	e->open = false;
}

void
enc_open(struct enc *e)
{
	enc_sp(e);
	buf_addc(&e->b, '(');
	e->open = true;
}

void
enc_close(struct enc *e)
{
	buf_addc(&e->b, ')');
	e->open = false;
}

void
enc_spill(struct enc *e)
{
	if (e->io == NULL)
		return;
	sio_put_slice(e->io, buf_slice(&e->b));
	buf_reset(&e->b);
}

void
enc_eol(struct enc *e)
{
	buf_add(&e->b, "\r\n", 2);
	e->open = false;
	if (e->b.n >= SPILL)
		enc_spill(e);
}

bool
enc_is_atom(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!imap_is_atom(s.p[i]))
			return false;
	return s.n > 0;
}

bool
enc_is_quoted(struct slice s)
{
	if (s.n > QUOTED_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || s.p[i] == '\r' || s.p[i] == '\n' ||
		    (unsigned char)s.p[i] > 0x7f)
			return false;
	return true;
}

void
enc_octets(struct enc *e, struct slice s)
{
	while (s.n > 0) {
		const char *nul = memchr(s.p, '\0', s.n);
		size_t n = nul ? (size_t)(nul - s.p) : s.n;

		buf_add(&e->b, s.p, n);
		if (nul != NULL)
			buf_addc(&e->b, (char)0x80);
		n += nul != NULL;
		s = slice_make(s.p + n, s.n - n);
		if (e->b.n >= SPILL)
			enc_spill(e);
	}
	e->open = false;
}

void
enc_octets8(struct enc *e, struct slice s)
{
	buf_add_slice(&e->b, s);
	if (e->b.n >= SPILL)
		enc_spill(e);
	e->open = false;
}

void
enc_literal(struct enc *e, uint64_t n)
{
	buf_addc(&e->b, '{');
	buf_add_u64(&e->b, n);
	buf_add(&e->b, "}\r\n", 3);
	e->open = false;
}

static void
put_quoted(struct enc *e, struct slice s)
{
	buf_addc(&e->b, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(&e->b, '\\');
		buf_addc(&e->b, s.p[i]);
	}
	buf_addc(&e->b, '"');
	e->open = false;
}

void
enc_string(struct enc *e, struct slice s)
{
	if (enc_is_quoted(s)) {
		put_quoted(e, s);
		return;
	}
	enc_literal(e, s.n);
	enc_octets(e, s);
}

void
enc_nstring(struct enc *e, struct slice s)
{
	if (s.p == NULL)
		enc_raw(e, "NIL");
	else
		enc_string(e, s);
}

void
enc_astring(struct enc *e, struct slice s)
{
	/* An atom "NIL" could be taken for a missing string. */
	if (!enc_is_atom(s) || slice_ieq(s, SLICE_LIT("NIL"))) {
		enc_string(e, s);
		return;
	}
	buf_add_slice(&e->b, s);
	e->open = false;
}

void
enc_mailbox(struct enc *e, struct slice utf8)
{
	struct buf name;

	/* Names have no control characters: they can always be quoted. */
	if (e->utf8 && !enc_is_atom(utf8)) {
		put_quoted(e, utf8);
		return;
	}
	buf_init(&name, LINE_MAX_OCTETS);
	utf7_encode(&name, utf8, "");
	enc_astring(e, slice_make(name.p ? name.p : "", name.n));
	buf_release(&name);
}

static void
two(struct enc *e, int64_t v, char pad)
{
	buf_addc(&e->b, v < 10 ? pad : (char)('0' + v / 10));
	buf_addc(&e->b, (char)('0' + v % 10));
}

void
enc_date_time(struct enc *e, int64_t t)
{
	static const char *const month[] = {
		"-Jan-", "-Feb-", "-Mar-", "-Apr-", "-May-", "-Jun-",
		"-Jul-", "-Aug-", "-Sep-", "-Oct-", "-Nov-", "-Dec-"
	};
	int y, m, d, s;

	time_civil(time_day(t, &s), &y, &m, &d);
	if (y < 1 || y > 9999) {	/* the grammar has four digits */
		y = y < 1 ? 1 : 9999;
		m = d = 1;
		s = 0;
	}
	buf_addc(&e->b, '"');
	two(e, d, ' ');
	buf_add_str(&e->b, month[m - 1]);
	two(e, y / 100, '0');
	two(e, y % 100, '0');
	buf_addc(&e->b, ' ');
	two(e, s / 3600, '0');
	buf_addc(&e->b, ':');
	two(e, s / 60 % 60, '0');
	buf_addc(&e->b, ':');
	two(e, s % 60, '0');
	buf_add_str(&e->b, " +0000\"");
	e->open = false;
}
