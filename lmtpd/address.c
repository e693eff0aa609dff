/* lmtpd/address.c - paths and parameters of MAIL and RCPT (RFC 5321 4.1.2) */
#include "config.h"

#include <string.h>

#include "libbase/text.h"
#include "lmtpd/address.h"
#include "lmtpd/lmtp.h"

static bool
is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

/* atext of RFC 5322, and UTF-8 (RFC 6531). */
static bool
is_atext(unsigned char c)
{
	return is_alnum(c) || c >= 0x80 ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* How many octets the local part at the front of s has; 0: none. */
static size_t
local_part(struct slice s)
{
	size_t i = 0;

	if (s.n == 0 || s.p[0] != '"') {
		while (i < s.n &&
		    (is_atext((unsigned char)s.p[i]) || s.p[i] == '.'))
			i++;
		return i;
	}
	for (i = 1; i < s.n && s.p[i] != '"'; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '\\' && i + 1 < s.n)
			c = (unsigned char)s.p[++i];
		if (c < 0x20 || c == 0x7f)
			return 0;
	}
	return i < s.n && i > 1 ? i + 1 : 0;
}

/* The same for a domain or an address literal. */
static size_t
domain(struct slice s)
{
	size_t i = 0, label = 0;

	if (s.n > 0 && s.p[0] == '[') {
		for (i = 1; i < s.n && s.p[i] != ']'; i++)
			if (!is_alnum((unsigned char)s.p[i]) &&
			    (s.p[i] == '\0' || strchr(".:-", s.p[i]) == NULL))
				return 0;
		return i < s.n && i > 1 ? i + 1 : 0;
	}
	for (; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '.') {
			if (label == 0)
				return 0;
			label = 0;
		} else if (is_alnum(c) || c == '-' || c == '_' || c >= 0x80)
			label++;
		else
			break;
	}
	return label > 0 ? i : 0;
}

static void
advance(struct slice *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

static bool
take(struct slice *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	advance(s, 1);
	return true;
}

/* "@a,@b:", which RFC 5321 4.1.1.3 says to ignore. */
static int
source_route(struct slice *in)
{
	size_t n;

	if (in->n == 0 || in->p[0] != '@')
		return 0;
	do {
		if (!take(in, '@') || (n = domain(*in)) == 0)
			return -1;
		advance(in, n);
	} while (take(in, ','));
	return take(in, ':') ? 0 : -1;
}

int
path_parse(struct slice *in, struct path *p_r)
{
	struct slice m;
	bool routed;
	size_t n;

	while (take(in, ' '))
		;
	if (!take(in, '<'))
		return -1;
	routed = in->n > 0 && in->p[0] == '@';
	if (source_route(in) < 0)
		return -1;
	m = slice_make(in->p, 0);
	if (routed || !take(in, '>')) {
		if ((n = local_part(*in)) == 0)
			return -1;
		advance(in, n);
		if (take(in, '@')) {
			if ((n = domain(*in)) == 0)
				return -1;
			advance(in, n);
		}
		m.n = (size_t)(in->p - m.p);
		if (!take(in, '>'))
			return -1;
	}
	if (m.n > LMTP_PATH_MAX || !utf8_valid(m))
		return -1;
	p_r->mailbox = m;
	p_r->ascii = true;
	for (size_t i = 0; i < m.n; i++)
		if ((unsigned char)m.p[i] >= 0x80)
			p_r->ascii = false;
	return 0;
}

int
param_parse(struct slice *in, struct param *p_r)
{
	size_t i = 0;

	if (in->n == 0)
		return 0;
	if (!take(in, ' '))
		return -1;
	while (take(in, ' '))
		;
	if (in->n == 0)		/* blanks at the end */
		return 0;
	while (i < in->n &&
	    (is_alnum((unsigned char)in->p[i]) || (i > 0 && in->p[i] == '-')))
		i++;
	if (i == 0)
		return -1;
	p_r->keyword = slice_make(in->p, i);
	p_r->value = slice_make(NULL, 0);
	advance(in, i);
	if (!take(in, '='))
		return in->n == 0 || in->p[0] == ' ' ? 1 : -1;
	for (i = 0; i < in->n && in->p[i] != ' '; i++)
		if ((unsigned char)in->p[i] < 0x21 || in->p[i] == '=' ||
		    in->p[i] == 0x7f)
			return -1;
	p_r->value = slice_make(in->p, i);
	advance(in, i);
	return i > 0 ? 1 : -1;
}
