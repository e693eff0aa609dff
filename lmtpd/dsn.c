/* lmtpd/dsn.c - the parameters that ask for delivery reports (RFC 3461) */
#include "config.h"

#include <string.h>

#include "libbase/text.h"
#include "lmtpd/dsn.h"

enum {
	ENVID_MAX = 100,	/* RFC 3461 4.4 */
	ORCPT_MAX = 500		/* RFC 3461 5.2 */
};

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* RFC 3461 4; eai: and UTF-8 as it is (RFC 6533 section 3). */
static bool
is_xtext(struct slice s, bool eai)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '+') {
			if (s.n - i < 3 || !is_hex(s.p[i + 1]) ||
			    !is_hex(s.p[i + 2]))
				return false;
			i += 2;
		} else if (c < 0x21 || c == '=' || c == 0x7f ||
		    (c > 0x7f && !eai))
			return false;
	}
	return utf8_valid(s);
}

/* "rfc822;alice+40example.org" */
static bool
is_orcpt(struct slice s)
{
	const char *semi = memchr(s.p, ';', s.n);
	struct slice type, address;

	if (semi == NULL || semi == s.p || s.n > ORCPT_MAX)
		return false;
	type = slice_make(s.p, (size_t)(semi - s.p));
	address = slice_make(semi + 1, s.n - type.n - 1);
	return address.n > 0 && is_xtext(type, false) &&
	    is_xtext(address, slice_ieq(type, SLICE_LIT("utf-8")));
}

/* NEVER, or some of the others. */
static bool
is_notify(struct slice s)
{
	if (slice_ieq(s, SLICE_LIT("NEVER")))
		return true;
	for (;;) {
		const char *comma = memchr(s.p, ',', s.n);
		size_t n = comma != NULL ? (size_t)(comma - s.p) : s.n;
		struct slice word = slice_make(s.p, n);

		if (!slice_ieq(word, SLICE_LIT("SUCCESS")) &&
		    !slice_ieq(word, SLICE_LIT("FAILURE")) &&
		    !slice_ieq(word, SLICE_LIT("DELAY")))
			return false;
		if (comma == NULL)
			return true;
		s = slice_make(comma + 1, s.n - n - 1);
	}
}

int
dsn_mail_param(const struct param *p)
{
	if (slice_ieq(p->keyword, SLICE_LIT("RET")))
		return p->value.p != NULL &&
		    (slice_ieq(p->value, SLICE_LIT("FULL")) ||
			slice_ieq(p->value, SLICE_LIT("HDRS"))) ? DSN_RET : -1;
	if (slice_ieq(p->keyword, SLICE_LIT("ENVID")))
		return p->value.p != NULL && p->value.n <= ENVID_MAX &&
		    is_xtext(p->value, false) ? DSN_ENVID : -1;
	return 0;
}

int
dsn_rcpt_param(const struct param *p)
{
	if (slice_ieq(p->keyword, SLICE_LIT("NOTIFY")))
		return p->value.p != NULL && is_notify(p->value) ? DSN_NOTIFY :
								   -1;
	if (slice_ieq(p->keyword, SLICE_LIT("ORCPT")))
		return p->value.p != NULL && is_orcpt(p->value) ? DSN_ORCPT :
								  -1;
	return 0;
}
