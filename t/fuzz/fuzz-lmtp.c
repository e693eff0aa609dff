/*
 * t/fuzz/fuzz-lmtp.c - LMTP's paths, parameters and dots
 *
 * A message comes out the same in whatever pieces it goes in.
 */
#include "config.h"

#include <string.h>

#include "libbase/buf.h"
#include "libbase/text.h"
#include "lmtpd/address.h"
#include "lmtpd/dots.h"
#include "lmtpd/dsn.h"
#include "t/fuzz/fuzz.h"

/* In pieces of n octets; how many octets were taken. */
static size_t
feed(struct slice in, size_t n, struct buf *out)
{
	struct slice s;
	struct dots d;
	size_t used = 0;

	dots_init(&d);
	while (used < in.n && !d.done) {
		size_t end = in.n - used < n ? in.n : used + n;

		while (used < end && !d.done) {
			size_t k = dots_next(&d,
			    slice_make(in.p + used, end - used), &s);

			FUZZ_CHECK(k <= end - used && s.n <= k + 1);
			used += k;
			buf_add_slice(out, s);
		}
	}
	if (d.done) {
		FUZZ_CHECK(used >= 3);
		FUZZ_CHECK(memcmp(in.p + used - 3, ".\r\n", 3) == 0);
		FUZZ_CHECK(used == 3 ||
		    (used >= 5 && memcmp(in.p + used - 5, "\r\n", 2) == 0));
	}
	return used;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(size ? (const char *)data : "", size);
	struct buf whole, pieces;
	struct param param;
	struct path path;
	size_t used;

	buf_init(&whole, size + 1);
	buf_init(&pieces, size + 1);
	used = feed(in, size + 1, &whole);
	for (size_t n = 1; n < 6; n++) {
		buf_reset(&pieces);
		FUZZ_CHECK(feed(in, n, &pieces) == used);
		FUZZ_CHECK(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
	}
	buf_release(&whole);
	buf_release(&pieces);

	if (path_parse(&in, &path) == 0) {
		FUZZ_CHECK(in.p + in.n == (const char *)data + size);
		FUZZ_CHECK(path.mailbox.p + path.mailbox.n < in.p + in.n + 1);
		FUZZ_CHECK(utf8_valid(path.mailbox));
		for (size_t i = 0; i < path.mailbox.n; i++)
			FUZZ_CHECK((unsigned char)path.mailbox.p[i] >= 0x20);
		while (param_parse(&in, &param) > 0) {
			FUZZ_CHECK(param.keyword.n > 0);
			FUZZ_CHECK(dsn_mail_param(&param) <= DSN_ENVID);
			FUZZ_CHECK(dsn_rcpt_param(&param) <= DSN_ORCPT);
		}
	}
	return 0;
}
