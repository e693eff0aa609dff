/*
 * t/fuzz/fuzz-kv-pack.c - the items of a pack, and reading a blob from one
 *
 * The input is an item as mailstore(5) has it; checksums are put right, so that
 * what is behind them is reached.
 */
#include "config.h"

#include <string.h>

#include "libbase/arena.h"
#include "libbase/io.h"
#include "libbase/xalloc.h"
#include "libstore/kv/be.h"
#include "libstore/kv/item.h"
#include "libstore/kv/kv-int.h"
#include "libstore/kv/pack-file.h"
#include "t/fuzz/fuzz.h"

/* The item's octets, for the engine below. */
static struct slice octets;

static int
source(struct kv *kv, const struct kv_ref *ref, struct kv_source *src_r)
{
	(void)kv;
	*src_r = (struct kv_source){ .mem = octets.p, .fd = -1,
		.len = ref->len };
	return 0;
}

/* Puts the checksums of the header, the side record, the table and the frames
 * right, as far as they are inside. */
static void
put_right(unsigned char *p, size_t size)
{
	uint32_t meta = be32_get(p + 40);
	uint64_t raw = be64_get(p + 24), n, table, at, end;

	n = raw / ITEM_FRAME + (raw % ITEM_FRAME != 0);
	if (meta <= size - ITEM_HEAD)
		be32_put(p + 44, crc32c(0, p + ITEM_HEAD, meta));
	table = ITEM_HEAD + (uint64_t)meta;
	if (table <= size && n <= (size - table) / ITEM_FRAME_HEAD) {
		at = table + n * ITEM_FRAME_HEAD;
		for (uint64_t i = 0; i < n; i++) {
			unsigned char *f = p + table + i * ITEM_FRAME_HEAD;

			end = at + be32_get(f);
			if (end > size)
				break;
			be32_put(f + 4, crc32c(0, p + at, end - at));
			at = end;
		}
		be32_put(p + 48,
		    crc32c(0, p + table, n * ITEM_FRAME_HEAD));
	}
	be32_put(p + 4, crc32c(0, p + 8, ITEM_HEAD - 8));
}

static void
header(const unsigned char *p)
{
	unsigned char again[ITEM_HEAD];
	struct item it, it2;

	if (item_decode(p, &it) < 0)
		return;
	FUZZ_CHECK(it.len >= ITEM_HEAD && it.len % ITEM_ALIGN == 0);
	if (it.kind == ITEM_BLOB)
		FUZZ_CHECK(item_body(&it) + it.stored <= it.len);
	item_encode(&it, again);
	FUZZ_CHECK(item_decode(again, &it2) == 0);
	FUZZ_CHECK(it.kind == it2.kind && it.len == it2.len &&
	    it.raw == it2.raw && it.stored == it2.stored &&
	    it.meta_len == it2.meta_len && it.codec == it2.codec &&
	    it.deleted == it2.deleted && it.punched == it2.punched);
}

/* What verifies can be opened, and its side record is the same both ways. */
static void
read_all(bool verified)
{
	struct kv_ops ops = { .blob_source = source };
	struct kv kv = { .ops = &ops };
	struct kv_ref ref = { .pack = 1, .off = 64,
		.len = (uint32_t)octets.n };
	struct arena *a = arena_new(0);
	struct kv_reader *r = NULL;
	struct slice meta;
	char buf[1000];

	if (kv_reader_open(&kv, &ref, &r) == 0) {
		uint64_t size = kv_reader_size(r);

		FUZZ_CHECK(kv_blob_meta(&kv, a, &ref, &meta) == 0);
		FUZZ_CHECK(slice_eq(meta, kv_reader_meta(r)));
		FUZZ_CHECK(kv_reader_read(r, size, buf, 1) == STORE_E_INVALID);
		for (uint64_t off = 0; off < size; off += size / 5 + 1) {
			size_t n = size - off < sizeof(buf) ?
			    (size_t)(size - off) : sizeof(buf);

			(void)kv_reader_read(r, off, buf, n);
		}
		kv_reader_close(&r);
	} else
		FUZZ_CHECK(!verified);
	arena_free(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct item it;
	char *p;
	int own;

	if (size >= PACK_HEAD)
		(void)pack_head_decode(data, &own);
	if (size < ITEM_HEAD || size > 1 << 20)
		return 0;
	p = xmalloc(size);
	memcpy(p, data, size);
	put_right((unsigned char *)p, size);
	header((const unsigned char *)p);
	octets = slice_make(p, size);
	read_all(item_verify(octets, &it) == 0 && it.len == size &&
	    it.kind == ITEM_BLOB && !it.deleted);
	xfree(p);
	return 0;
}
