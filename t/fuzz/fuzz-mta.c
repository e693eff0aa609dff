/*
 * t/fuzz/fuzz-mta.c - what goes out: messages, addresses, vacation responses
 *
 * The first octet says which.  Nothing that somebody wrote makes a line end, a
 * header field or an argument of its own.
 */
#include "config.h"

#include <string.h>

#include "libmime/mime.h"
#include "libsession/mta.h"
#include "lmtpd/report.h"
#include "lmtpd/vacation.h"
#include "t/fuzz/fuzz.h"

static struct arena *arena;

/* Each line ends with CRLF, and CR and LF are nowhere else. */
static void
check_lines(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			FUZZ_CHECK(i > 0 && s.p[i - 1] == '\r');
		if (s.p[i] == '\r')
			FUZZ_CHECK(i + 1 < s.n && s.p[i + 1] == '\n');
	}
}

static void
fuzz_message(struct slice in)
{
	struct slice out = mta_message(in, arena);
	struct mime_field f;

	check_lines(out);
	FUZZ_CHECK(out.n <= 2 * in.n);
	FUZZ_CHECK(mime_field_find(out, "Bcc", 0, &f) == 0);
}

static void
fuzz_address(struct slice in)
{
	const char *at;

	if (!mta_address_ok(in))
		return;
	at = memrchr(in.p, '@', in.n);
	FUZZ_CHECK(in.n <= MTA_ADDRESS_MAX && at != NULL && at > in.p);
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		FUZZ_CHECK(c >= 32 && c != 127);
		/* Only a quoted local part has these. */
		if (c == ' ' || c == '<' || c == '>' || c == ',')
			FUZZ_CHECK(in.p[0] == '"' && in.p + i < at);
	}
}

static bool
is_mine(void *arg, struct slice address)
{
	size_t *n = arg;

	FUZZ_CHECK(address.p != NULL);
	(*n)++;
	return address.n == 7;
}

static size_t
count(struct slice header, const char *name)
{
	struct mime_fields it;
	struct mime_field f;
	size_t n = 0;

	mime_fields_init(&it, header);
	while (mime_fields_next(&it, &f))
		n += slice_ieq(f.name, slice_str(name));
	return n;
}

/* Up to the first NUL the subject that the user set, the rest is answered. */
static void
fuzz_vacation(struct slice in)
{
	static const char *const once[] = { "From", "To", "Subject", "Date",
		"Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type" };
	struct store_vacation v = { .enabled = true };
	struct vacation_reply r = { .v = &v, .from = SLICE_LIT("a@x"),
		.to = SLICE_LIT("b@x"), .hostname = "h" };
	const char *nul = in.n > 0 ? memchr(in.p, '\0', in.n) : NULL;
	struct slice out, address;
	size_t n = 0;

	r.octets = in;
	if (nul != NULL) {
		v.text = v.subject = r.from_name =
		    slice_make(in.p, (size_t)(nul - in.p));
		r.octets = slice_make(nul + 1, in.n - (size_t)(nul - in.p) -
		    1);
	}
	(void)vacation_refusal(r.octets, r.to);
	(void)vacation_addressed(r.octets, is_mine, &n, arena, &address);
	FUZZ_CHECK(n <= 1000);
	out = vacation_compose(&r, arena);
	if (out.p == NULL)
		return;
	check_lines(out);
	for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++)
		FUZZ_CHECK(count(out, once[i]) == 1);
	FUZZ_CHECK(count(out, "In-Reply-To") <= 1);
	FUZZ_CHECK(count(out, "References") <= 1);
	FUZZ_CHECK(count(out, "Bcc") == 0 && count(out, "Cc") == 0);
}

static void
fuzz_report(struct slice in)
{
	struct report r;

	if (!report_parse(in, arena, &r))
		return;
	FUZZ_CHECK(r.envid.n > 0 && r.n <= 1000);
	for (size_t i = 0; i < r.n; i++) {
		struct slice s = r.rcpt[i].reply;

		FUZZ_CHECK(r.rcpt[i].to.email.n > 0 && s.n <= 520);
		FUZZ_CHECK((s.n == 0) ==
		    (r.rcpt[i].delivered == STORE_DELIVERED_UNKNOWN));
		for (size_t k = 0; k < s.n; k++)
			FUZZ_CHECK((unsigned char)s.p[k] >= 32);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const fn[])(struct slice in) = {
		fuzz_message, fuzz_address, fuzz_vacation, fuzz_report
	};

	if (size == 0)
		return 0;
	arena = arena_new(0);
	fn[data[0] % 4](slice_make((const char *)data + 1, size - 1));
	arena_free(&arena);
	return 0;
}
