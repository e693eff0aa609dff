/* t/fuzz/fuzz-text.c - libbase's decoders, which meet octets first */
#include "config.h"

#include <string.h>

#include "libbase/arena.h"
#include "libbase/buf.h"
#include "libbase/crc32c.h"
#include "libbase/io.h"
#include "libbase/collation.h"
#include "libbase/text.h"
#include "t/fuzz/fuzz.h"

/* What is decoded gives the same digits again: there is one form only. */
static void
check_base64(struct arena *a, struct slice in)
{
	struct slice s, t;
	struct buf b;

	buf_init(&b, in.n * 2 + 4);
	if (base64_decode(in, a, &s) == 0) {
		FUZZ_CHECK(base64_encode(&b, s) == 0);
		FUZZ_CHECK(slice_eq(buf_slice(&b), in));
	}
	buf_reset(&b);
	if (base64url_decode(in, a, &s) == 0) {
		FUZZ_CHECK(base64url_encode(&b, s) == 0);
		FUZZ_CHECK(slice_eq(buf_slice(&b), in));
	}
	buf_reset(&b);
	FUZZ_CHECK(base64_encode(&b, in) == 0);
	FUZZ_CHECK(base64_decode(buf_slice(&b), a, &t) == 0);
	FUZZ_CHECK(slice_eq(t, in));
	buf_release(&b);
}

static void
check_utf8(struct arena *a, struct slice in)
{
	struct slice clean = utf8_clean(a, in), nfc, fold, again;
	bool valid = utf8_valid(in);

	FUZZ_CHECK(utf8_valid(clean));
	FUZZ_CHECK(!valid || slice_eq(clean, in));
	FUZZ_CHECK((utf8_nfc(in, a, &nfc) == 0) == valid);
	FUZZ_CHECK((utf8_fold(in, a, &fold) == 0) == valid);
	for (size_t max = 0; valid && max <= in.n && max < 100; max++) {
		size_t n = utf8_cut(in, max);

		FUZZ_CHECK(n <= max && max - n < 4);
		FUZZ_CHECK(utf8_valid(slice_make(in.p, n)));
	}
	if (!valid)
		return;
	FUZZ_CHECK(utf8_valid(nfc) && utf8_valid(fold));
	FUZZ_CHECK(utf8_nfc(nfc, a, &again) == 0 && slice_eq(nfc, again));
	/* Equal texts fold to equal texts, in whatever form they came. */
	FUZZ_CHECK(utf8_fold(nfc, a, &again) == 0 && slice_eq(fold, again));
}

static void
check_collations(struct arena *a, struct slice in)
{
	for (int i = 0; i < COLLATION_N; i++) {
		enum collation c = (enum collation)i;
		struct slice key = collation_key(c, in, a);
		size_t half = utf8_cut(in, in.n / 2);
		struct buf b;

		if (!collation_has_substring(c))
			continue;
		FUZZ_CHECK(slice_eq(collation_key(c, key, a), key));
		if (!utf8_valid(in))
			continue;
		FUZZ_CHECK(utf8_valid(key));
		buf_init(&b, SIZE_MAX / 2);
		collation_add(c, slice_make(in.p, half), &b);
		collation_add(c, slice_make(in.p + half, in.n - half), &b);
		FUZZ_CHECK(slice_eq(buf_slice(&b), key));
		buf_release(&b);
	}
}

static void
check_time(struct slice in)
{
	int64_t t, again;
	int off = 0;
	struct buf b;

	if (time_rfc3339_parse(in, &t, &off) < 0)
		return;
	FUZZ_CHECK(off > -1440 && off < 1440);
	/* In universal time the year may be one outside of four digits. */
	if (t < INT64_C(-62167219200) || t > INT64_C(253402300799))
		return;
	buf_init(&b, 64);
	FUZZ_CHECK(time_rfc3339(&b, t) == 0 && b.n == 20);
	FUZZ_CHECK(time_rfc3339_parse(buf_slice(&b), &again, NULL) == 0);
	FUZZ_CHECK(t == again);
	buf_release(&b);
}

/* Every getter, by turns, until it is over: never beyond the end. */
static void
check_cursor(struct slice in)
{
	struct cur c = cur_make(in);
	struct buf b;

	buf_init(&b, 32);
	for (unsigned step = 0; cur_left(&c) > 0; step++) {
		size_t left = cur_left(&c);
		struct slice s = { NULL, 0 };
		uint64_t v;

		switch (step % 5) {
		case 0:
			s = cur_lstr(&c);
			break;
		case 1:
			s = cur_bytes(&c, left / 3 + step % 2);
			break;
		case 2:
			v = cur_varint(&c);
			buf_reset(&b);
			buf_add_varint(&b, v);
			FUZZ_CHECK(!cur_ok(&c) || b.n <= left - cur_left(&c));
			break;
		case 3:
			cur_be32(&c);
			break;
		default:
			cur_be64(&c);
			cur_u8(&c);
			break;
		}
		FUZZ_CHECK(cur_left(&c) <= left);
		FUZZ_CHECK(s.n <= left);
		FUZZ_CHECK(s.n == 0 ||
		    (s.p >= in.p && s.p + s.n <= in.p + in.n));
	}
	buf_release(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(0);
	struct slice in = slice_make((const char *)data, size);
	unsigned char h[16];
	uint64_t v;

	check_base64(a, in);
	check_utf8(a, in);
	check_collations(a, in);
	check_time(in);
	check_cursor(in);
	if (hex_decode(in, h, sizeof(h)) == 0)
		FUZZ_CHECK(size == 2 * sizeof(h));
	if (slice_uint(in, 1000, &v) == 0)
		FUZZ_CHECK(v <= 1000 && size > 0);
	FUZZ_CHECK(crc32c(0, data, size) == crc32c_table(0, data, size));
	arena_free(&a);
	return 0;
}
