/*
 * t/fuzz/fuzz-mime.c - any octets as a message
 *
 * The tree's ranges nest and its paths lead back, with any limits; sizes and
 * texts are what decoding gives; the record gives the same tree again.
 */
#include "config.h"

#include <string.h>
#include <unistr.h>

#include "libbase/text.h"
#include "t/fuzz/fuzz.h"
#include "t/mime/dump.h"

static void
leaf(const struct mime_part *p, struct slice raw, struct arena *a)
{
	struct mime_needle *n;
	struct mime_value v, cut;
	bool problem;

	FUZZ_CHECK(mime_decode(p->encoding, mime_part_body(p, raw), a,
	    &problem).n == p->decoded_len);
	FUZZ_CHECK(problem == p->encoding_problem);
	mime_part_text(p, raw, 0, a, &v);
	FUZZ_CHECK(utf8_valid(v.text));
	FUZZ_CHECK(v.text.n == 0 || memchr(v.text.p, '\0', v.text.n) == NULL);
	mime_part_text(p, raw, 7, a, &cut);
	FUZZ_CHECK(cut.text.n <= 7 && utf8_valid(cut.text));
	FUZZ_CHECK(cut.truncated == (v.text.n > 7));
	FUZZ_CHECK(slice_starts(v.text, cut.text));
	FUZZ_CHECK(mime_needle_new(SLICE_LIT("needle"), a, &n) == 0);
	mime_needle_in_body(n, p, raw);
	for (int c = 0; c < COLLATION_NUMERIC; c++) {
		FUZZ_CHECK(mime_needle_collated(SLICE_LIT("n\xc3\xa4" "dle"),
		    (enum collation)c, a, &n) == 0);
		mime_needle_in_body(n, p, raw);
	}
}

static void
record(const struct mime_msg *m, struct slice raw, struct arena *a)
{
	struct mime_msg *again;
	struct buf one, two, dump, dump2;

	buf_init(&one, SIZE_MAX / 2);
	buf_init(&two, SIZE_MAX / 2);
	buf_init(&dump, SIZE_MAX / 2);
	buf_init(&dump2, SIZE_MAX / 2);
	FUZZ_CHECK(mime_record_encode(m, SIZE_MAX / 2, &one) == 0);
	FUZZ_CHECK(mime_record_decode(buf_slice(&one), a, &again) == 0);
	FUZZ_CHECK(mime_tree_fault(again, raw) == NULL);
	mime_dump(m, raw, &dump);
	mime_dump(again, raw, &dump2);
	FUZZ_CHECK(slice_eq(buf_slice(&dump), buf_slice(&dump2)));
	FUZZ_CHECK(slice_eq(m->cached, again->cached));
	FUZZ_CHECK(mime_record_encode(again, SIZE_MAX / 2, &two) == 0);
	FUZZ_CHECK(slice_eq(buf_slice(&one), buf_slice(&two)));
	buf_reset(&two);
	FUZZ_CHECK(mime_record_encode(m, 512, &two) == 0);
	FUZZ_CHECK(two.n <= 512);
	FUZZ_CHECK(mime_record_decode(buf_slice(&two), a, &again) == 0);
	FUZZ_CHECK(mime_tree_fault(again, raw) == NULL);
	buf_release(&one);
	buf_release(&two);
	buf_release(&dump);
	buf_release(&dump2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mime_limits small = { 2, 3, 4, 20, 3, 2 };
	struct slice raw = { (const char *)data, size };
	struct arena *a = arena_new(0);
	struct mime_needle *n;
	struct mime_msg *m;

	FUZZ_CHECK(mime_parse(raw, &small, a, &m) == 0);
	FUZZ_CHECK(mime_tree_fault(m, raw) == NULL);
	FUZZ_CHECK(m->n_parts <= 3);
	arena_reset(a);
	FUZZ_CHECK(mime_parse(raw, NULL, a, &m) == 0);
	FUZZ_CHECK(mime_tree_fault(m, raw) == NULL);
	mime_measure(m, raw, a);
	FUZZ_CHECK(utf8_valid(m->preview));
	FUZZ_CHECK(u8_mbsnlen((const uint8_t *)m->preview.p, m->preview.n) <=
	    256);
	for (struct mime_part *p = m->root; p != NULL; p = mime_part_next(p)) {
		struct slice name = mime_part_name(p, a);

		FUZZ_CHECK(utf8_valid(name));
		if (p->kind == MIME_LEAF)
			leaf(p, raw, a);
	}
	record(m, raw, a);
	FUZZ_CHECK(mime_needle_new(SLICE_LIT("x-y-z"), a, &n) == 0);
	mime_needle_in_msg(n, m, raw, true);
	arena_free(&a);
	return 0;
}
