/*
 * t/fuzz/fuzz-mime-record.c - any octets as a record
 *
 * What is accepted is a sound tree, and encodes to a record of an equal tree.
 */
#include "config.h"

#include "t/fuzz/fuzz.h"
#include "t/mime/dump.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, none = { NULL, 0 };
	struct arena *a = arena_new(0);
	struct mime_msg *m, *again;
	struct mime_bodies b;
	struct buf one, two;

	buf_init(&one, SIZE_MAX / 2);
	buf_init(&two, SIZE_MAX / 2);
	if (mime_record_decode(in, a, &m) == 0) {
		FUZZ_CHECK(mime_tree_fault(m, none) == NULL);
		mime_bodies(m, a, &b);
		FUZZ_CHECK(b.n_text <= m->n_parts && b.n_html <= m->n_parts &&
		    b.n_attached <= m->n_parts);
		FUZZ_CHECK(mime_record_encode(m, SIZE_MAX / 2, &one) == 0);
		FUZZ_CHECK(mime_record_decode(buf_slice(&one), a, &again) == 0);
		FUZZ_CHECK(mime_record_encode(again, SIZE_MAX / 2, &two) == 0);
		FUZZ_CHECK(slice_eq(buf_slice(&one), buf_slice(&two)));
	}
	buf_release(&one);
	buf_release(&two);
	arena_free(&a);
	return 0;
}
