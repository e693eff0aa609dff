/*
 * t/fuzz/fuzz-kv-journal.c - the journal's header, records and operations
 *
 * The input is a journal as mailstore(5) has it; checksums are put right, so
 * that what is behind them is reached.
 */
#include "config.h"

#include <string.h>

#include "libbase/arena.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/errors.h"
#include "libstore/kv/be.h"
#include "libstore/kv/journal.h"
#include "t/fuzz/fuzz.h"

static volatile uint32_t total;

/* Every row that the log tells of can be asked for, in strict order, and a
 * part of them is a part of all. */
static void
walk(struct olog *l)
{
	struct slice none = { NULL, 0 }, last = none, val, key = none;
	struct olog_list all, some;
	uint32_t sum = 0;	/* so that every octet is read */

	/* Picked at first, then sorted. */
	for (int round = 0; round < 6; round++) {
		olog_list(l, none, none, &all);
		for (size_t i = 0; i < all.n; i++) {
			int rc;

			key = olog_list_key(&all, i);
			FUZZ_CHECK(i == 0 || slice_cmp(last, key) < 0);
			last = key;
			rc = olog_get(l, key, NULL, &val);
			FUZZ_CHECK(rc == 0 || rc == 1 ||
			    rc == STORE_E_CORRUPT);
			if (rc == 1)
				sum += crc32c(0, val.p, val.n);
			FUZZ_CHECK(rc != 1 || val.n <= KV_VALUE_MAX);
		}
		if (all.n > 1) {
			key = olog_list_key(&all, all.n / 2);
			olog_list(l, key, none, &some);
			FUZZ_CHECK(some.n == all.n - all.n / 2);
			olog_list_release(&some);
			olog_list(l, none, key, &some);
			FUZZ_CHECK(some.n == all.n / 2);
			olog_list_release(&some);
		}
		olog_list_release(&all);
	}
	total += sum;
}

static void
header(const unsigned char *p)
{
	unsigned char fixed[JOURNAL_HEAD], again[JOURNAL_HEAD];
	struct journal_head h, h2;

	memcpy(fixed, p, JOURNAL_HEAD);
	be32_put(fixed + 12, journal_head_crc(fixed));
	if (journal_head_decode(fixed, &h) < 0)
		return;
	journal_head_encode(&h, again);
	FUZZ_CHECK(journal_head_decode(again, &h2) == 0);
	FUZZ_CHECK(h.gen == h2.gen && h.seq == h2.seq &&
	    h.base_size == h2.base_size && h.base_crc == h2.base_crc &&
	    h.pos.pack == h2.pos.pack && h.pos.next == h2.pos.next &&
	    h.pos.end == h2.pos.end && h.settled == h2.settled &&
	    h.suspect == h2.suspect && memcmp(h.id, h2.id, 16) == 0);
}

/* A record made of decoded operations is the same record. */
static void
again(const struct record *r)
{
	struct record copy;
	struct ops o;
	size_t need;

	ops_init(&o);
	FUZZ_CHECK(buf_add_slice(&o.b, r->ops) == 0);
	o.n = r->n_ops;
	FUZZ_CHECK(record_finish(&o, r) == 0);
	FUZZ_CHECK(record_decode(buf_slice(&o.b), &copy, &need) == 1);
	FUZZ_CHECK(copy.len == r->len && copy.seq == r->seq &&
	    copy.n_ops == r->n_ops && copy.shown == r->shown &&
	    slice_eq(copy.ops, r->ops));
	ops_release(&o);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct olog *l = olog_new(size % 2 == 1);
	size_t at = JOURNAL_HEAD, need;
	struct record r;
	char *p = xmalloc(size + 1);

	if (size > 0)
		memcpy(p, data, size);
	if (size >= JOURNAL_HEAD)
		header((const unsigned char *)p);
	while (at + RECORD_HEAD <= size) {
		uint32_t len = be32_get(p + at + 8);

		if (len >= RECORD_HEAD && len <= size - at)
			be32_put(p + at + 4, crc32c(0, p + at + 8, len - 8));
		if (!record_decode(slice_make(p + at, size - at), &r, &need)) {
			FUZZ_CHECK(need == 0 || need > size - at);
			break;
		}
		FUZZ_CHECK(r.len >= RECORD_HEAD && r.len <= size - at);
		again(&r);
		if (ops_apply(r.ops, r.n_ops, l) < 0)
			break;
		at += r.len;
	}
	olog_keep(l, p);
	walk(l);
	olog_free(&l);
	return 0;
}
