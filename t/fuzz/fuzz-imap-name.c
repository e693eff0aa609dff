/*
 * t/fuzz/fuzz-imap-name.c - modified UTF-7, sets of numbers, patterns, dates
 *
 * What utf7_decode() accepts is what utf7_encode() makes of the result; any
 * UTF-8 survives both.  A set printed and read again is itself.
 */
#include "config.h"

#include <string.h>

#include "imapd/date.h"
#include "imapd/match.h"
#include "imapd/seqset.h"
#include "libbase/text.h"
#include "libbase/utf7.h"
#include "t/fuzz/fuzz.h"

static void
names(struct slice in, struct arena *a)
{
	struct slice wide, back;
	struct buf out;

	buf_init(&out, 16 << 20);
	if (utf7_decode(in, false, a, &wide) == 0) {
		FUZZ_CHECK(utf8_valid(wide));
		FUZZ_CHECK(utf7_encode(&out, wide, "") == 0);
		FUZZ_CHECK(slice_eq(buf_slice(&out), in));
	}
	buf_reset(&out);
	if (utf8_valid(in) && memchr(in.p, '\0', in.n) == NULL) {
		FUZZ_CHECK(utf7_encode(&out, in, "") == 0);
		FUZZ_CHECK(utf7_decode(slice_make(out.p ? out.p : "", out.n),
		    false, a, &back) == 0);
		FUZZ_CHECK(slice_eq(back, in));
	}
	buf_release(&out);
}

static void
sets(struct slice in, struct arena *a)
{
	struct seqset set, again;
	struct buf out;

	if (seqset_parse(in, 100, a, &set) < 0)
		return;
	buf_init(&out, 16 << 20);
	for (size_t i = 0; i < set.n; i++) {
		FUZZ_CHECK(set.r[i].from > 0);
		FUZZ_CHECK(set.r[i].from <= set.r[i].to);
		FUZZ_CHECK(i == 0 || set.r[i - 1].to + 1 < set.r[i].from);
		FUZZ_CHECK(seqset_has(&set, set.r[i].from));
		FUZZ_CHECK(seqset_has(&set, set.r[i].to));
		buf_printf(&out, "%s%u:%u", i ? "," : "",
		    (unsigned)set.r[i].from, (unsigned)set.r[i].to);
	}
	FUZZ_CHECK(seqset_parse(buf_slice(&out), 100, a, &again) == 0);
	FUZZ_CHECK(again.n == set.n);
	FUZZ_CHECK(memcmp(again.r, set.r, set.n * sizeof(*set.r)) == 0);
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(size ? (const char *)data : "", size);
	struct arena *a = arena_new(0);
	struct match m;
	int64_t t;

	names(in, a);
	sets(in, a);
	imap_date(in, &t);
	imap_date_time(in, &t);
	if (size < 400) {
		match_init(&m, a, slice_make(in.p, size / 3),
		    slice_make(in.p + size / 3, size / 3));
		match_name(&m, slice_make(in.p + size / 3 * 2,
		    size - size / 3 * 2));
		match_init(&m, a, SLICE_LIT("*"), SLICE_LIT(""));
		FUZZ_CHECK(match_name(&m, in));
	}
	arena_free(&a);
	return 0;
}
