/* libsession/mta-address.c - what may be an address in an envelope */
#include "config.h"

#include <string.h>

#include "libbase/text.h"
#include "libsession/mta.h"

enum { LOCAL_MAX = 64, LABEL_MAX = 63 };

/* RFC 5321 4.1.2: atext, or a character of RFC 6531. */
static bool
is_atext(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (unsigned char)c >= 0x80)
		return true;
	return c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL;
}

/* The length of the local part at the front, or 0. */
static size_t
quoted(struct slice s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '"')
			return i + 1;
		if (s.p[i] == '\\' && ++i == s.n)
			return 0;
		if ((unsigned char)s.p[i] < 32 || s.p[i] == 127)
			return 0;
	}
	return 0;
}

static size_t
dot_string(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n && s.p[i] != '@'; i++) {
		if (s.p[i] == '.' ? i == 0 || s.p[i - 1] == '.' ||
		    i + 1 == s.n || s.p[i + 1] == '@' : !is_atext(s.p[i]))
			return 0;
	}
	return i;
}

static bool
literal_ok(struct slice s)
{
	if (s.n < 3 || s.p[s.n - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < s.n; i++)
		if (s.p[i] < 33 || s.p[i] > 126 || s.p[i] == '[' ||
		    s.p[i] == '\\' || s.p[i] == ']')
			return false;
	return true;
}

static bool
domain_ok(struct slice s)
{
	size_t label = 0;

	for (size_t i = 0; i <= s.n; i++) {
		char c = i < s.n ? s.p[i] : '.';

		if (c == '.') {
			if (label == 0 || label > LABEL_MAX)
				return false;
			label = 0;
		} else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		    (unsigned char)c >= 0x80)
			label++;
		else
			return false;
	}
	return true;
}

bool
mta_address_ok(struct slice s)
{
	struct slice domain;
	size_t n;

	if (s.n == 0 || s.n > MTA_ADDRESS_MAX || !utf8_valid(s))
		return false;
	n = s.p[0] == '"' ? quoted(s) : dot_string(s);
	if (n == 0 || n > LOCAL_MAX || n + 1 >= s.n || s.p[n] != '@')
		return false;
	domain = slice_make(s.p + n + 1, s.n - n - 1);
	return domain.p[0] == '[' ? literal_ok(domain) : domain_ok(domain);
}
