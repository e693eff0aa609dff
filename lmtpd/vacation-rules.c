/* lmtpd/vacation-rules.c - which messages may be answered by a machine */
#include "config.h"

#include "libmime/mime.h"
#include "libsession/mta.h"
#include "lmtpd/vacation.h"

enum { ADDRS_MAX = 1000 };	/* that are looked at */

static bool
ends(struct slice s, struct slice end)
{
	return s.n >= end.n && slice_ieq(slice_make(s.p + s.n - end.n,
	    end.n), end);
}

/* Lists and machines, by the local part (RFC 5230 4.6). */
static bool
is_machine(struct slice sender)
{
	static const char *const names[] = { "mailer-daemon", "listserv",
		"majordomo", "noreply", "no-reply", "bounce", "bounces" };
	const char *at = memrchr(sender.p, '@', sender.n);
	struct slice local = sender;

	if (at != NULL)
		local.n = (size_t)(at - sender.p);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_ieq(local, slice_str(names[i])))
			return true;
	return slice_istarts(local, SLICE_LIT("owner-")) ||
	    ends(local, SLICE_LIT("-owner")) ||
	    ends(local, SLICE_LIT("-request")) ||
	    ends(local, SLICE_LIT("-bounces"));
}

/* The word that a value begins with, without parameters and comments. */
static struct slice
first_word(struct slice value)
{
	struct slice s = slice_trim(value);
	size_t n = 0;

	while (n < s.n && s.p[n] != ';' && s.p[n] != '(' && s.p[n] != ' ' &&
	    s.p[n] != '\t' && s.p[n] != '\r' && s.p[n] != '\n')
		n++;
	return slice_make(s.p, n);
}

static const char *
field_refusal(const struct mime_field *f)
{
	struct slice word = first_word(f->value);

	if (slice_istarts(f->name, SLICE_LIT("List-")))
		return "it is of a list";
	if (slice_ieq(f->name, SLICE_LIT("Precedence")) &&
	    (slice_ieq(word, SLICE_LIT("bulk")) ||
	    slice_ieq(word, SLICE_LIT("junk")) ||
	    slice_ieq(word, SLICE_LIT("list"))))
		return "it went to many";
	if (slice_ieq(f->name, SLICE_LIT("Auto-Submitted")) &&
	    !slice_ieq(word, SLICE_LIT("no")))
		return "a machine sent it";
	if (slice_ieq(f->name, SLICE_LIT("X-Auto-Response-Suppress")) &&
	    !slice_ieq(word, SLICE_LIT("none")))
		return "no answer is wanted";
	if (slice_ieq(f->name, SLICE_LIT("X-Spam-Flag")) &&
	    slice_ieq(word, SLICE_LIT("yes")))
		return "it is spam";
	if (slice_ieq(f->name, SLICE_LIT("Content-Type")) &&
	    slice_ieq(word, SLICE_LIT("multipart/report")))
		return "it is a report";
	return NULL;
}

const char *
vacation_refusal(struct slice octets, struct slice sender)
{
	struct mime_fields it;
	struct mime_field f;
	const char *why = NULL;

	if (sender.n == 0)
		return "the sender is null";
	if (!mta_address_ok(sender))
		return "the sender is no address";
	if (is_machine(sender))
		return "the sender is a list or machine";
	mime_fields_init(&it, octets);
	while (why == NULL && mime_fields_next(&it, &f))
		why = field_refusal(&f);
	return why;
}

static bool
is_recipient_field(struct slice name)
{
	static const char *const names[] = { "To", "Cc", "Bcc", "Resent-To",
		"Resent-Cc", "Resent-Bcc" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_ieq(name, slice_str(names[i])))
			return true;
	return false;
}

bool
vacation_addressed(struct slice octets,
    bool (*mine)(void *arg, struct slice address), void *arg,
    struct arena *a, struct slice *address_r)
{
	struct mime_fields it;
	struct mime_field f;
	struct mime_addrs l;
	size_t left = ADDRS_MAX;

	mime_fields_init(&it, octets);
	while (left > 0 && mime_fields_next(&it, &f)) {
		if (!is_recipient_field(f.name))
			continue;
		mime_addrs_parse(mime_unfold(a, f.value), (uint32_t)left, a,
		    &l);
		left -= l.n;
		for (uint32_t i = 0; i < l.n; i++) {
			if (l.a[i].kind != MIME_ADDR)
				continue;
			*address_r = mime_addr_email(&l.a[i], a);
			if (mine(arg, *address_r))
				return true;
		}
	}
	return false;
}
