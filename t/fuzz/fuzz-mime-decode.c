/*
 * t/fuzz/fuzz-mime-decode.c - decoders and converters, whole and in pieces
 *
 * The first octet chooses where the input is cut, the second the charset.
 * However the input is cut, the result is the same.
 */
#include "config.h"

#include <string.h>

#include "libbase/text.h"
#include "libmime/mime.h"
#include "t/fuzz/fuzz.h"

static const char *const charsets[] = {
	"utf-8", "us-ascii", "iso-8859-1", "koi8-r", "iso-2022-jp", "shift_jis",
	"gb2312", "big5", "euc-kr", "windows-1255", "unicode-1-1-utf-7",
	"iso-10646-ucs-2", "none"
};

/* The piece of in at *at, of step octets; false at the end. */
static bool
piece(struct slice in, size_t *at, size_t step, struct slice *s)
{
	if (*at >= in.n)
		return false;
	*s = slice_make(in.p + *at, step < in.n - *at ? step : in.n - *at);
	*at += s->n;
	return true;
}

static void
decoders(struct slice in, size_t step, struct arena *a)
{
	for (int e = MIME_ENC_7BIT; e <= MIME_ENC_UNKNOWN; e++) {
		struct mime_decoder d;
		struct slice whole, s;
		struct buf out;
		bool problem;
		size_t at = 0;

		whole = mime_decode((enum mime_encoding)e, in, a, &problem);
		FUZZ_CHECK(whole.n <= in.n);
		buf_init(&out, SIZE_MAX / 2);
		mime_decoder_init(&d, (enum mime_encoding)e);
		while (piece(in, &at, step, &s))
			FUZZ_CHECK(mime_decoder_feed(&d, s, &out) == 0);
		FUZZ_CHECK(mime_decoder_finish(&d, &out) == 0);
		FUZZ_CHECK(slice_eq(whole, buf_slice(&out)));
		FUZZ_CHECK(d.out == whole.n && d.problem == problem);
		buf_release(&out);
	}
}

static void
conversion(struct slice in, size_t step, const char *name, struct arena *a)
{
	struct mime_charset *c = mime_charset_new(slice_str(name));
	struct slice whole, s;
	struct buf out;
	bool problem;
	size_t at = 0;

	whole = mime_to_utf8(a, slice_str(name), in, &problem);
	FUZZ_CHECK(utf8_valid(whole));
	buf_init(&out, SIZE_MAX / 2);
	while (piece(in, &at, step, &s))
		FUZZ_CHECK(mime_charset_feed(c, s, &out) == 0);
	FUZZ_CHECK(mime_charset_finish(c, &out) == 0);
	FUZZ_CHECK(utf8_valid(buf_slice(&out)));
	/* Where iconv finds faults depends on the cuts; ours doesn't. */
	if (slice_eq(slice_str(name), SLICE_LIT("none")) || strncmp(name, "us", 2) == 0 ||
	    strcmp(name, "utf-8") == 0 || strcmp(name, "iso-8859-1") == 0) {
		FUZZ_CHECK(in.n == 0 || problem == mime_charset_problem(c));
		FUZZ_CHECK(slice_eq(whole, buf_slice(&out)));
	} else if (!problem && !mime_charset_problem(c)) {
		FUZZ_CHECK(slice_eq(whole, buf_slice(&out)));
	}
	buf_release(&out);
	mime_charset_free(&c);
}

static void
line_ends(struct slice in, size_t step)
{
	struct mime_crlf one = { false }, many = { false }, again = { false };
	struct buf whole, out;
	struct slice s;
	size_t at = 0;

	buf_init(&whole, SIZE_MAX / 2);
	buf_init(&out, SIZE_MAX / 2);
	FUZZ_CHECK(mime_crlf_feed(&one, in, &whole) == 0);
	FUZZ_CHECK(mime_crlf_finish(&one, &whole) == 0);
	while (piece(in, &at, step, &s))
		if (mime_crlf_clean(&many, s))
			buf_add_slice(&out, s);
		else
			FUZZ_CHECK(mime_crlf_feed(&many, s, &out) == 0);
	FUZZ_CHECK(mime_crlf_finish(&many, &out) == 0);
	FUZZ_CHECK(slice_eq(buf_slice(&whole), buf_slice(&out)));
	FUZZ_CHECK(mime_crlf_clean(&again, buf_slice(&whole)));
	buf_release(&whole);
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct arena *a;
	size_t step;
	const char *name;

	if (size < 2)
		return 0;
	step = data[0] % 61u + 1;
	name = charsets[data[1] % (sizeof(charsets) / sizeof(charsets[0]))];
	in.p += 2;
	in.n -= 2;
	a = arena_new(0);
	decoders(in, step, a);
	conversion(in, step, name, a);
	line_ends(in, step);
	FUZZ_CHECK(utf8_valid(mime_html_text(mime_to_utf8(a,
	    slice_make(NULL, 0), in, NULL), 4096, a)));
	arena_free(&a);
	return 0;
}
